//! install.sh and the hooks that it writes are POSIX: shellcheck says so, and Alpine's ash, dash and bash agree.
use super::host::{Listing, foreign, plain};
use crate::tools::are_installed;
use std::{path::Path, process::Command};

#[track_caller]
fn works_in(shell: &[&str]) {
    if !are_installed(&shell[..1]) {
        return;
    }
    let world = plain();
    foreign(&world.bare().join("hooks/pre-receive"), "mine", 0);
    let before = Listing::of(world.path());
    let run = |args: &[&str]| {
        let mut command = Command::new(shell[0]);
        command.args(&shell[1..]).arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("install.sh")).args(args);
        command.args(["--binary", env!("CARGO_BIN_EXE_pullgate"), "fleet.git"]).current_dir(world.path());
        let output = command.env("PREFIX", world.path().join("a 'quoted' prefix")).output().expect("it is installed");
        assert!(output.status.success(), "{output:?}");
    };
    run(&["bare"]);
    let once = Listing::of(world.path());
    run(&["bare"]);
    Listing::of(world.path()).is(&once);
    let hook = world.bare().join("hooks/pre-receive");
    let called = crate::world::Called::of(
        Command::new(shell[0]).args(&shell[1..]).arg(hook).current_dir(world.bare()).env("GIT_DIR", "."),
        "nonsense\n",
    );
    assert_eq!(called.code, Some(2), "{}", called.text);
    assert!(called.text.starts_with("mine\nerror: "), "{}", called.text);
    run(&["bare", "--uninstall", "--purge"]);
    Listing::of(world.path()).is(&before);
}

#[test]
fn ash() {
    works_in(&["busybox", "sh"]);
}

#[test]
fn dash() {
    works_in(&["dash"]);
}

#[test]
fn bash() {
    works_in(&["bash"]);
}

#[test]
fn bash_as_sh() {
    works_in(&["bash", "--posix"]);
}

#[test]
fn shellcheck_has_nothing_to_say() {
    if !are_installed(&["shellcheck"]) {
        return;
    }
    let scripts = ["install.sh", "hooks/pre-receive", "hooks/pre-receive-beside", "tests/run"];
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = Command::new("shellcheck").args(scripts).current_dir(root).output().expect("it is installed");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}
