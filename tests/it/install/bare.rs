//! Bare repositories: the one hook that git calls.
use crate::{git_command::git, world::World};
use std::{fs, os::unix::fs::PermissionsExt, path::Path, process::Command};

fn hook(world: &World) -> std::path::PathBuf {
    world.bare().join("hooks/pre-receive")
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
fn who_pushes_can_run_what_a_strict_administrator_installed() {
    let world = World::new();
    let prefix = world.path().join("strict/prefix");
    let installed = Command::new("sh")
        .args(["-c", "umask 077; exec sh \"$@\"", "sh"])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("install.sh"))
        .args(["bare", "fleet.git", "--binary", env!("CARGO_BIN_EXE_pullgate")])
        .current_dir(world.path())
        .env("PREFIX", &prefix)
        .output()
        .expect("there is a shell");
    assert!(installed.status.success(), "{installed:?}");
    for made in [prefix.clone(), prefix.join("bin"), prefix.join("bin/pullgate"), hook(&world)] {
        assert_eq!(fs::metadata(&made).unwrap().permissions().mode() & 0o777, 0o755, "{}", made.display());
    }
}

#[test]
fn a_search_path_for_cd_does_not_lead_astray() {
    let world = World::new();
    fs::remove_file(hook(&world)).unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let script = Path::new(root.file_name().expect("the project has a folder")).join("install.sh");
    let installed = Command::new("sh")
        .arg(script)
        .args(["bare", &world.bare().to_string_lossy(), "--binary", env!("CARGO_BIN_EXE_pullgate")])
        .current_dir(root.parent().expect("the project has a folder"))
        .env("CDPATH", root.parent().expect("the project has a folder"))
        .env("PREFIX", world.path().join("prefix"))
        .output()
        .expect("there is a shell");
    assert!(installed.status.success() && hook(&world).exists(), "{installed:?}");
}

#[test]
fn what_somebody_laid_beside_the_hook_is_not_written_through() {
    let world = World::new();
    fs::remove_file(hook(&world)).unwrap();
    let victim = world.path().join("victim");
    // The names that a script with a guessable process id would write to.
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("install.sh");
    let text = "ln -s \"$VICTIM\" \"$HOOK.new.$$\"; exec sh \"$@\"";
    let installed = Command::new("sh")
        .args(["-c", text, "sh"])
        .arg(script)
        .args(["bare", "fleet.git", "--binary", env!("CARGO_BIN_EXE_pullgate")])
        .current_dir(world.path())
        .env("PREFIX", world.path().join("prefix"))
        .env("VICTIM", &victim)
        .env("HOOK", hook(&world))
        .output()
        .expect("there is a shell");
    assert!(installed.status.success() && !victim.exists(), "{installed:?}");
    assert!(fs::symlink_metadata(hook(&world)).unwrap().is_file());
}

#[test]
fn a_relative_prefix_with_odd_characters_stands_in_the_hook_as_it_is() {
    let world = World::new();
    let installed = Command::new("sh")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("install.sh"))
        .args(["bare", "fleet.git", "--binary", env!("CARGO_BIN_EXE_pullgate")])
        .current_dir(world.path())
        .env("PREFIX", "odd \"$(touch ran)`touch ran`")
        .output()
        .expect("there is a shell");
    assert!(installed.status.success(), "{installed:?}");
    world.write("a.txt", "x");
    world.commit_and_push("anything").accepted();
    fs::remove_file(world.path().join("odd \"$(touch ran)`touch ran`/bin/pullgate")).unwrap();
    world.write("b.txt", "x");
    world.commit_and_push("anything").rejected(&["odd \"$(touch ran)`", "is not there"]);
    assert!(!world.bare().join("ran").exists());
}
