//! install.sh for bare repositories: what it makes, what it takes away, and what it leaves alone.
use crate::{git_command::git, world::World};
use std::{fs, os::unix::fs::PermissionsExt, path::Path};

fn hook(world: &World) -> std::path::PathBuf {
    world.bare().join("hooks/pre-receive")
}

fn make_executable(path: &Path) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("the file is ours");
}

#[test]
fn twice_is_the_same_as_once() {
    let world = World::new();
    let before = fs::read(hook(&world)).unwrap();
    let again = world.install(&["bare", "fleet.git"]);
    assert!(again.is_accepted && again.text.matches("unchanged:").count() == 2, "{}", again.text);
    assert_eq!(fs::read(hook(&world)).unwrap(), before);
    let left: Vec<_> = fs::read_dir(world.bare().join("hooks")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().contains(".new.")), "{left:?}");
}

#[test]
fn uninstalling_removes_the_hook_and_purging_the_binary() {
    let world = World::new();
    let removed = world.install(&["bare", "--uninstall", "fleet.git"]);
    assert!(removed.is_accepted && !hook(&world).exists(), "{}", removed.text);
    assert!(world.path().join("prefix/bin/pullgate").exists());
    let purged = world.install(&["bare", "--uninstall", "--purge", "fleet.git"]);
    assert!(purged.is_accepted && !world.path().join("prefix/bin/pullgate").exists(), "{}", purged.text);
}

#[test]
fn a_foreign_hook_is_never_touched() {
    let world = World::new();
    let foreign = "#!/bin/sh\nexit 0\n";
    fs::write(hook(&world), foreign).unwrap();
    make_executable(&hook(&world));
    for args in [&["bare", "fleet.git"][..], &["bare", "--uninstall", "fleet.git"]] {
        let output = world.install(args);
        assert!(output.text.contains("pullgate's"), "{}", output.text);
        assert_eq!(fs::read_to_string(hook(&world)).unwrap(), foreign);
    }
    assert!(!world.install(&["bare", "fleet.git"]).is_accepted);
}

#[test]
fn a_link_to_nowhere_is_a_foreign_hook_too() {
    let world = World::new();
    fs::remove_file(hook(&world)).unwrap();
    std::os::unix::fs::symlink("/nonexistent/hook", hook(&world)).unwrap();
    assert!(!world.install(&["bare", "fleet.git"]).is_accepted);
    assert!(fs::symlink_metadata(hook(&world)).unwrap().is_symlink());
}

#[test]
fn a_dry_run_changes_nothing() {
    let world = World::new();
    fs::remove_file(hook(&world)).unwrap();
    let said = world.install(&["bare", "--dry-run", "fleet.git"]);
    assert!(said.is_accepted && said.text.contains("would write"), "{}", said.text);
    assert!(!hook(&world).exists());
}

#[test]
fn the_repositorys_own_hooks_folder_is_used() {
    let world = World::new();
    git(&world.bare()).args(["config", "core.hooksPath", "own-hooks"]).ok();
    let installed = world.install(&["bare", "fleet.git"]);
    assert!(installed.is_accepted, "{}", installed.text);
    assert!(world.bare().join("own-hooks/pre-receive").exists());
    world.deploy("app.yaml", "team/app:missing");
    world.commit_and_push("deploy").rejected(&["not found"]);
}

#[test]
fn a_named_configuration_is_the_one_that_the_hook_uses() {
    let world = World::new();
    let file = world.path().join("elsewhere.toml");
    fs::write(&file, "message = \"from elsewhere\"\n").unwrap();
    let installed = world.install(&["bare", "--config", "elsewhere.toml", "fleet.git"]);
    assert!(installed.is_accepted, "{}", installed.text);
    world.deploy("app.yaml", "team/app:1");
    world.commit_and_push("deploy").rejected(&["from elsewhere"]);
}

#[test]
fn what_cannot_be_installed_into_is_refused_before_anything_is_written() {
    let world = World::new();
    let other = world.path().join("other.git");
    git(world.path()).args(["init", "-q", "--bare", "other.git"]).ok();
    for args in
        [&["bare", "other.git", "clone"][..], &["bare", "other.git", "nowhere"], &["bare"], &["nonsense", "x"], &[]]
    {
        assert!(!world.install(args).is_accepted, "{args:?}");
    }
    assert!(!other.join("hooks/pre-receive").exists());
}

#[test]
fn a_hook_whose_program_is_gone_rejects_and_says_so() {
    let world = World::new();
    fs::remove_file(world.path().join("prefix/bin/pullgate")).unwrap();
    world.write("a.txt", "x");
    world.commit_and_push("anything").rejected(&["pullgate is not there", "administrator"]);
}

#[test]
fn a_path_with_spaces_works() {
    let world = World::new();
    git(world.path()).args(["init", "-q", "--bare", "-b", "main", "the fleet.git"]).ok();
    let installed = world.install(&["bare", "the fleet.git"]);
    assert!(
        installed.is_accepted && world.path().join("the fleet.git/hooks/pre-receive").exists(),
        "{}",
        installed.text
    );
}
