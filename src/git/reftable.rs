//! Refs of a repository that does not keep them as files, by asking git: gix would see none.
use super::{
    environment::{Environment, GIT_ALTERNATE_OBJECT_DIRECTORIES, GIT_OBJECT_DIRECTORY},
    error::Error,
};
use std::{path::Path, process::Command};

/// What `revision` names, or `None` if it names nothing.
pub(super) fn rev_parse(
    git_dir: &Path,
    environment: Option<&Environment>,
    revision: &str,
) -> Result<Option<gix::ObjectId>, Error> {
    let mut git = git(git_dir);
    git.args(["--no-replace-objects", "rev-parse", "--verify", "--quiet", "--end-of-options"]).arg(revision);
    if let Some(directory) = environment.and_then(|environment| environment.object_directory.as_ref()) {
        git.env(GIT_OBJECT_DIRECTORY, directory);
    }
    if let Some(alternates) = environment.and_then(|environment| environment.alternates.as_ref()) {
        git.env(GIT_ALTERNATE_OBJECT_DIRECTORIES, alternates);
    }
    let Some(hex) = answer(git, revision)? else { return Ok(None) };
    let id = gix::ObjectId::from_hex(&hex);
    id.map(Some).map_err(|_| unreadable(revision, "git did not answer with an object id"))
}

/// The ref that `HEAD` names, or `None` if it names an object.
pub(super) fn head(git_dir: &Path) -> Result<Option<Vec<u8>>, Error> {
    let mut git = git(git_dir);
    git.args(["symbolic-ref", "--quiet", "HEAD"]);
    answer(git, "HEAD")
}

fn git(git_dir: &Path) -> Command {
    let mut git = Command::new("git");
    git.arg("--git-dir").arg(git_dir);
    git
}

/// What git prints, or `None` if it says quietly that there is nothing to print.
fn answer(mut git: Command, of: &str) -> Result<Option<Vec<u8>>, Error> {
    let output = git.output().map_err(|error| unreadable(of, &format!("cannot run git: {error}")))?;
    if output.status.code() == Some(1) && output.stderr.is_empty() {
        return Ok(None);
    }
    if !output.status.success() {
        return Err(unreadable(of, String::from_utf8_lossy(&output.stderr).trim()));
    }
    Ok(Some(output.stdout.trim_ascii().to_vec()))
}

fn unreadable(of: &str, reason: &str) -> Error {
    Error::unreadable(format!("the ref {of}"), reason)
}
