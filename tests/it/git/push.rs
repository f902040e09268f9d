//! Real pushes: what a hook sees of them is kept aside, and read after the push was refused.
use super::fixture::{assert_same_tree, commit, folder, rev, work_tree, write};
use crate::git_command::git;
use pullgate::{
    git::{Base, Environment, Error, Repository},
    push::{self, RefUpdate},
};
use std::{
    ffi::OsString,
    fs,
    os::unix::{ffi::OsStringExt, fs::PermissionsExt},
    path::{Path, PathBuf},
};
use tempfile::TempDir;

/// Refuses the push, so that what was pushed is nowhere but in the copy.
const HOOK: &str = r#"#!/bin/sh
rm -rf ../seen && mkdir ../seen
cat >../seen/input
printf %s "$GIT_ALTERNATE_OBJECT_DIRECTORIES" >../seen/alternates
test -z "$GIT_OBJECT_DIRECTORY" || cp -R "$GIT_OBJECT_DIRECTORY" ../seen/quarantine
exit 1
"#;

/// A bare repository with one branch, its hook, and the clone that pushes to it.
struct World {
    _dir: TempDir,
    server: PathBuf,
    clone: PathBuf,
}

/// What the hook saw.
struct Seen {
    updates: Vec<RefUpdate>,
    environment: Environment,
}

impl World {
    fn new(name: &str, options: &[&str]) -> Self {
        let dir = folder();
        let place = dir.path().join(name);
        let (server, clone) = (place.join("server.git"), place.join("clone"));
        fs::create_dir_all(&server).expect("the folder is writable");
        fs::create_dir_all(&clone).expect("the folder is writable");
        git(&server).args(["init", "-q", "--bare"]).args(options).ok();
        git(&clone).args(["init", "-q"]).args(options).ok();
        commit(&clone, &[("a.yaml", &long("a")), ("dir/b.yaml", "b: 1\n")]);
        Self { _dir: dir, server, clone }
    }

    /// With `main` pushed.
    fn with_main(self) -> Self {
        self.push_unseen(&["main"]);
        self
    }

    /// Pushes before the hook is there.
    fn push_unseen(&self, refs: &[&str]) {
        let _ = fs::remove_file(self.server.join("hooks/pre-receive"));
        git(&self.clone).args(["push", "-q"]).args([&self.server]).args(refs).ok();
    }

    fn push(&self, args: &[&str]) -> Seen {
        let hook = self.server.join("hooks/pre-receive");
        write(&hook, HOOK);
        fs::set_permissions(&hook, fs::Permissions::from_mode(0o755)).expect("the hook is ours");
        let push = git(&self.clone).args(["push"]).args([&self.server]).args(args).run();
        let said = String::from_utf8_lossy(&push.stderr);
        assert!(said.contains("pre-receive hook declined"), "{said}");
        let seen = self.server.with_file_name("seen");
        let read = |name: &str| fs::read(seen.join(name)).expect("the hook wrote it");
        let quarantine = seen.join("quarantine");
        let environment = Environment {
            git_dir: self.server.clone(),
            object_directory: quarantine.exists().then_some(quarantine),
            alternates: Some(OsString::from_vec(read("alternates"))),
        };
        Seen { updates: push::parse(&read("input")).expect("git writes what git reads"), environment }
    }
}

impl Seen {
    fn open(&self) -> Repository {
        Repository::open_in_hook(&self.environment).expect("the hook can open it")
    }

    /// Holds every old and new tree against what git reads in the clone.
    fn assert_readable(&self, clone: &Path) {
        let repository = self.open();
        for id in self.updates.iter().flat_map(|update| [update.old, update.new]).flatten() {
            let tree = repository.tree(&id).expect("it is readable").expect("it has a tree");
            assert_same_tree(&tree, clone, &format!("{id}^{{tree}}"));
        }
    }
}

fn long(seed: &str) -> String {
    (0..400).map(|line| format!("{seed}: {}\n", line * 7919)).collect()
}

/// Every kind of push, once with loose objects and once with a pack in the quarantine.
#[test]
fn every_kind_of_push_is_read_loose_and_packed() {
    for unpack_limit in ["100", "1"] {
        let world = World::new("plain", &[]);
        let clone = world.clone.as_path();
        git(&world.server).args(["config", "receive.unpackLimit", unpack_limit]).ok();

        world.push(&["main"]).assert_readable(clone); // the first
        world.push_unseen(&["main"]);
        commit(clone, &[("a.yaml", &(long("a") + "last: line\n"))]);
        let update = world.push(&["main"]);
        update.assert_readable(clone); // an update, its file as a delta in a thin pack
        assert!(Repository::open(&world.server).unwrap().tree(&rev(clone, "main")).is_err());

        commit(clone, &[("c.yaml", "c: 1\n")]);
        world.push(&["main:refs/heads/feature"]).assert_readable(clone);
        git(clone).args(["tag", "-a", "-m", "a tag", "v1"]).ok();
        git(clone).args(["tag", "-a", "-m", "a tag of a tag", "v2", "v1"]).ok();
        world.push(&["main", "v1", "v2"]).assert_readable(clone);
        git(clone).args(["checkout", "-q", "-b", "side", "main~1"]).ok();
        commit(clone, &[("side.yaml", "s: 1\n")]);
        git(clone).args(["merge", "-q", "-m", "merge", "main"]).ok();
        world.push(&["side:main"]).assert_readable(clone);
        git(clone).args(["checkout", "-q", "-B", "main", "main~2"]).ok();
        git(clone).args(["commit", "-q", "--amend", "-m", "another first"]).ok();
        world.push(&["--force", "main"]).assert_readable(clone);
    }
}

#[test]
fn a_push_without_new_objects_is_read_with_or_without_a_quarantine() {
    let world = World::new("plain", &[]).with_main();
    let first = rev(&world.clone, "main");
    let second = commit(&world.clone, &[("a.yaml", "a: 2\n")]);
    world.push_unseen(&["main"]);
    let reset = world.push(&["--force", &format!("{first}:refs/heads/main")]);
    reset.assert_readable(&world.clone);
    assert_eq!((reset.updates[0].old, reset.updates[0].new), (Some(second), Some(first)));
    git(&world.server).args(["symbolic-ref", "HEAD", "refs/heads/other"]).ok();
    let deletion = world.push(&[":refs/heads/main"]);
    assert_eq!(deletion.environment.object_directory, None);
    deletion.assert_readable(&world.clone);
}

#[test]
fn the_base_of_a_pushed_branch_is_found_through_the_quarantine() {
    let world = World::new("plain", &[]).with_main();
    let fork = rev(&world.clone, "main");
    commit(&world.clone, &[("a.yaml", "a: 2\n")]);
    world.push_unseen(&["main"]);
    git(&world.clone).args(["checkout", "-q", "-b", "feature", "main~1"]).ok();
    commit(&world.clone, &[("f.yaml", "f: 1\n")]);
    let tip = commit(&world.clone, &[("f.yaml", "f: 2\n")]);
    let seen = world.push(&["feature"]);
    assert_eq!(seen.open().base_of_new_ref(&tip).unwrap(), Base::MergeBase(fork));
}

#[test]
fn tags_of_files_and_trees_are_told_apart_in_the_quarantine() {
    let world = World::new("plain", &[]).with_main();
    write(&world.clone.join("loose"), "only in the tag\n");
    let file = git(&world.clone).args(["hash-object", "-w", "loose"]).output();
    git(&world.clone).args(["tag", "-a", "-m", "a file", "file", &file]).ok();
    git(&world.clone).args(["tag", "-a", "-m", "a tree", "tree", "main^{tree}"]).ok();
    let seen = world.push(&["file", "tree"]);
    let repository = seen.open();
    let has_tree = |tag: &str| repository.tree(&rev(&world.clone, tag)).unwrap().is_some();
    assert_eq!((has_tree("file"), has_tree("tree")), (false, true));
}

#[test]
fn sha256_pushes_are_read() {
    let world = World::new("plain", &["--object-format=sha256"]);
    world.push(&["main"]).assert_readable(&world.clone);
}

#[test]
fn a_path_that_git_must_quote_is_read() {
    let world = World::new("with:colon and \"quote", &[]).with_main();
    commit(&world.clone, &[("a.yaml", "a: 2\n")]);
    let seen = world.push(&["main"]);
    let alternates = seen.environment.alternates.clone().unwrap().into_string().unwrap();
    assert!(alternates.starts_with('"') && alternates.contains("\\\""), "{alternates}");
    seen.assert_readable(&world.clone);
    // Also when the objects are reached through the quoted value alone.
    let elsewhere = work_tree();
    let environment = Environment { git_dir: elsewhere.path().join(".git"), ..seen.environment };
    Seen { updates: seen.updates, environment }.assert_readable(&world.clone);
}

#[test]
fn a_quarantine_that_is_gone_cannot_be_opened() {
    let world = World::new("plain", &[]);
    let seen = world.push(&["main"]);
    fs::remove_dir_all(seen.environment.object_directory.as_ref().unwrap()).unwrap();
    assert!(matches!(Repository::open_in_hook(&seen.environment), Err(Error::Open { .. })));
}
