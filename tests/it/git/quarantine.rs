//! Objects that are not in the repository yet: the quarantine of a push, loose and packed, and what else git names.
use super::fixture::{folder, id, text, work_tree};
use crate::git_command::git;
use pullgate::git::{Environment, Error, Repository};
use std::{ffi::OsString, path::Path};

/// What git tells a hook of the repository at `git_dir` whose push waits in `quarantine`.
fn environment(git_dir: &Path, quarantine: &Path) -> Environment {
    Environment {
        git_dir: git_dir.to_owned(),
        object_directory: Some(quarantine.to_owned()),
        alternates: Some(OsString::from(git_dir.join("objects"))),
    }
}

#[test]
fn a_loose_object_is_found_in_the_quarantine_and_nowhere_else() {
    let (dir, quarantine) = (work_tree(), folder());
    let git_dir = dir.path().join(".git");
    let blob = git(dir.path())
        .args(["hash-object", "-w", "--stdin"])
        .input("new: 1\n")
        .env("GIT_OBJECT_DIRECTORY", quarantine.path())
        .output();
    let tree = git(dir.path())
        .args(["mktree"])
        .input(format!("100644 blob {blob}\tnew.yaml\n"))
        .env("GIT_OBJECT_DIRECTORY", quarantine.path())
        .output();
    let inside = Repository::open_in_hook(&environment(&git_dir, quarantine.path())).unwrap();
    assert_eq!(text(&inside.tree(&id(&tree)).unwrap().unwrap(), "new.yaml"), "new: 1\n");
    let outside = Repository::open(dir.path()).unwrap();
    assert!(matches!(outside.tree(&id(&tree)), Err(Error::MissingObject { .. })));
}
