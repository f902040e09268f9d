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
    let mut git = Command::new("git");
    git.arg("--git-dir").arg(git_dir).args(["--no-replace-objects", "rev-parse", "--verify", "--quiet"]);
    git.arg("--end-of-options").arg(revision);
    let unreadable = |reason: String| Error::unreadable(format!("the ref {revision}"), reason);
    if let Some(directory) = environment.and_then(|environment| environment.object_directory.as_ref()) {
        git.env(GIT_OBJECT_DIRECTORY, directory);
    }
    if let Some(alternates) = environment.and_then(|environment| environment.alternates.as_ref()) {
        git.env(GIT_ALTERNATE_OBJECT_DIRECTORIES, alternates);
    }
    let output = git.output().map_err(|error| unreadable(format!("cannot run git: {error}")))?;
    if output.status.code() == Some(1) && output.stderr.is_empty() {
        return Ok(None);
    }
    if !output.status.success() {
        return Err(unreadable(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
    }
    let id = gix::ObjectId::from_hex(output.stdout.trim_ascii());
    id.map(Some).map_err(|_| unreadable("git did not answer with an object id".into()))
}
