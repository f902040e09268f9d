//! What a new ref is compared with, over a small zoo of histories.
use super::fixture::{commit, folder, id, rev, work_tree};
use crate::{git_command::git, tools::pass_over};
use pullgate::{
    git::{Base, Error, Repository},
    push::RefName,
    tree::ObjectId,
};
use std::path::Path;

/// Moves `HEAD` to a new branch at `start`.
fn branch(dir: &Path, name: &str, start: &str) {
    git(dir).args(["checkout", "-q", "-b", name, start]).ok();
}

fn merge(dir: &Path, other: &str) {
    git(dir).args(["merge", "-q", "--no-ff", "-m", "merge", other]).ok();
}

fn base(dir: &Path, tip: &str) -> Base {
    git(dir).args(["symbolic-ref", "HEAD", "refs/heads/main"]).ok();
    Repository::open(dir).expect("it is a repository").base_of_new_ref(&rev(dir, tip)).expect("HEAD is readable")
}

#[test]
fn the_base_is_the_merge_base_with_the_default_branch() {
    let dir = work_tree();
    let at = dir.path();
    for number in 0..3 {
        commit(at, &[("main.yaml", &number.to_string())]);
    }
    branch(at, "behind", "main~2");
    branch(at, "ahead", "main");
    commit(at, &[("ahead.yaml", "1")]);
    branch(at, "forked", "main~1");
    commit(at, &[("forked.yaml", "1")]);
    commit(at, &[("forked.yaml", "2")]);
    branch(at, "of-fork", "forked~1");
    commit(at, &[("of-fork.yaml", "1")]);
    branch(at, "took-main", "main~3");
    commit(at, &[("took-main.yaml", "1")]);
    merge(at, "main~1");
    commit(at, &[("took-main.yaml", "2")]);
    git(at).args(["checkout", "-q", "main"]).ok();
    merge(at, "of-fork");
    branch(at, "crossed", "main^1");
    merge(at, "main^2");
    commit(at, &[("crossed.yaml", "1")]);
    for tip in ["behind", "ahead", "forked", "of-fork", "took-main", "crossed", "main"] {
        let Base::MergeBase(found) = base(at, tip) else { panic!("{tip}") };
        let all = git(at).args(["merge-base", "--all", "main", tip]).output();
        let all: Vec<ObjectId> = all.lines().map(id).collect();
        assert!(all.contains(&found), "{tip}: {found} is not in {all:?}");
    }
}

#[test]
fn histories_without_a_common_commit_have_no_base() {
    let dir = work_tree();
    git(dir.path()).args(["checkout", "-q", "--orphan", "orphan"]).ok();
    commit(dir.path(), &[("other.yaml", "1")]);
    git(dir.path()).args(["commit", "-q", "--amend", "-m", "unlike the first"]).ok();
    assert_eq!(base(dir.path(), "orphan"), Base::Nothing);
}

#[test]
fn before_the_first_commit_of_the_default_branch_there_is_no_base() {
    let dir = work_tree();
    git(dir.path()).args(["branch", "-m", "feature"]).ok();
    assert_eq!(base(dir.path(), "feature"), Base::Nothing);
}

#[test]
fn a_default_branch_that_is_a_symbolic_ref_or_packed_is_followed() {
    let dir = work_tree();
    let first = rev(dir.path(), "HEAD");
    branch(dir.path(), "feature", "main");
    commit(dir.path(), &[("f.yaml", "1")]);
    git(dir.path()).args(["branch", "-m", "main", "trunk"]).ok();
    git(dir.path()).args(["symbolic-ref", "refs/heads/main", "refs/heads/trunk"]).ok();
    assert_eq!(base(dir.path(), "feature"), Base::MergeBase(first));
    git(dir.path()).args(["pack-refs", "--all"]).ok();
    assert_eq!(base(dir.path(), "feature"), Base::MergeBase(first));
}

#[test]
fn where_history_was_cut_off_the_base_is_the_tip_of_the_default_branch() {
    let (dir, shallow) = (work_tree(), folder());
    for number in 0..3 {
        commit(dir.path(), &[("main.yaml", &number.to_string())]);
    }
    branch(dir.path(), "feature", "main~2");
    commit(dir.path(), &[("f.yaml", "1")]);
    let url = format!("file://{}", dir.path().display());
    git(shallow.path()).args(["clone", "-q", "--bare", "--depth=1", "--no-single-branch", &url, "."]).ok();
    assert_eq!(base(shallow.path(), "feature"), Base::DefaultTip(rev(dir.path(), "main")));
}

#[test]
fn a_reftable_repository_has_its_default_branch_too() {
    let dir = folder();
    let reftable = git(dir.path()).args(["init", "-q", "--ref-format=reftable"]).run().status.success();
    if !reftable {
        // A git without reftable ignores the extension in a repository of version 0: we still must go by way of git.
        pass_over("this git has no reftable, and files stand in for one");
        git(dir.path()).args(["init", "-q"]).ok();
        git(dir.path()).args(["config", "extensions.refStorage", "reftable"]).ok();
    }
    let open = || Repository::open(dir.path()).unwrap();
    assert!(matches!(open().resolve("HEAD"), Err(Error::Revision { .. })));
    let empty_tree = git(dir.path()).args(["mktree"]).input("").output();
    let unrelated = id(&git(dir.path()).args(["commit-tree", "-m", "unrelated", &empty_tree]).output());
    assert_eq!(open().base_of_new_ref(&unrelated).unwrap(), Base::Nothing);
    assert_eq!(open().default_branch().unwrap(), Some(RefName::new(*b"refs/heads/main")));
    let first = commit(dir.path(), &[("a.yaml", "1")]);
    let second = commit(dir.path(), &[("a.yaml", "2")]);
    assert_eq!(open().resolve("main~1").unwrap(), first);
    assert!(matches!(open().resolve("--all"), Err(Error::Revision { .. })));
    assert_eq!(open().base_of_new_ref(&first).unwrap(), Base::MergeBase(first));
    assert_eq!(open().base_of_new_ref(&second).unwrap(), Base::MergeBase(second));
    assert_eq!(open().base_of_new_ref(&unrelated).unwrap(), Base::Nothing);
    git(dir.path()).args(["checkout", "-q", "--detach"]).ok();
    assert_eq!(open().default_branch().unwrap(), None);
}

#[test]
fn refs_that_git_cannot_read_either_are_an_error() {
    let dir = work_tree();
    let head = rev(dir.path(), "HEAD");
    git(dir.path()).args(["config", "core.repositoryFormatVersion", "1"]).ok();
    git(dir.path()).args(["config", "extensions.refStorage", "unheard-of"]).ok();
    let repository = Repository::open(dir.path()).unwrap();
    assert!(matches!(repository.base_of_new_ref(&head), Err(Error::Unreadable { .. })));
    assert!(matches!(repository.default_branch(), Err(Error::Unreadable { .. })));
    assert!(matches!(repository.resolve("HEAD"), Err(Error::Unreadable { .. })));
}

#[test]
fn the_default_branch_is_what_head_names_with_or_without_a_commit() {
    let dir = folder();
    git(dir.path()).args(["init", "-q"]).ok();
    let default = || Repository::open(dir.path()).unwrap().default_branch().unwrap();
    assert_eq!(default(), Some(RefName::new(*b"refs/heads/main")));
    commit(dir.path(), &[("a.yaml", "1")]);
    branch(dir.path(), "other", "main");
    assert_eq!(default(), Some(RefName::new(*b"refs/heads/other")));
    git(dir.path()).args(["checkout", "-q", "--detach"]).ok();
    assert_eq!(default(), None);
}
