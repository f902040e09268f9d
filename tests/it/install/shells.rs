//! install.sh and the hooks that it writes are POSIX: shellcheck says so, and Alpine's tools, dash and bash agree.
use super::host::{Listing, foreign, plain, said};
use crate::{
    tools::are_installed,
    world::{Called, World},
};
use std::{fs, os::unix::fs::symlink, path::Path, process::Command};

/// Installs beside another hook, twice, and uninstalls, with a shell and, if `tools` is there, nothing but what is in it.
#[track_caller]
fn works_in(world: &World, shell: &[&str], tools: Option<&Path>) {
    foreign(&world.bare().join("hooks/pre-receive"), "mine", 0);
    let command = |script: &Path| {
        let mut command = Command::new(shell[0]);
        command.args(&shell[1..]).arg(script).current_dir(world.path()).env_remove("GIT_DIR");
        if let Some(tools) = tools {
            command.env_clear().env("PATH", tools);
        }
        command.env("PREFIX", world.path().join("a 'quoted' prefix"));
        command
    };
    let before = Listing::of(world.path());
    let run = |args: &[&str]| {
        let mut command = command(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/install.sh")));
        command.args(args).args(["--binary", env!("CARGO_BIN_EXE_pullgate"), "fleet.git"]);
        let output = command.output().expect("it is installed");
        assert!(output.status.success(), "{}", said(&output));
    };
    run(&["bare"]);
    let once = Listing::of(world.path());
    run(&["bare"]);
    Listing::of(world.path()).is(&once);
    let hook = world.bare().join("hooks/pre-receive");
    let called = Called::of(command(&hook).current_dir(world.bare()).env("GIT_DIR", "."), "nonsense\n");
    assert_eq!(called.code, Some(2), "{}", called.text);
    assert!(called.text.starts_with("mine\nerror: "), "{}", called.text);
    run(&["bare", "--uninstall", "--purge"]);
    Listing::of(world.path()).is(&before);
}

fn works_in_debians(shell: &[&str]) {
    if are_installed(&shell[..1]) {
        works_in(&plain(), shell, None);
    }
}

#[test]
fn dash() {
    works_in_debians(&["dash"]);
}

#[test]
fn bash() {
    works_in_debians(&["bash"]);
}

#[test]
fn bash_as_sh() {
    works_in_debians(&["bash", "--posix"]);
}

#[test]
fn alpines_tools_and_nothing_else_but_git() {
    if !are_installed(&["busybox"]) {
        return;
    }
    let world = plain();
    let tools = world.path().join("tools");
    fs::create_dir(&tools).unwrap();
    let find = |program: &str| {
        let found = Command::new("sh").args(["-c", &format!("command -v {program}")]).output().unwrap();
        String::from_utf8(found.stdout).unwrap().trim_end().to_owned()
    };
    symlink(find("git"), tools.join("git")).unwrap();
    let (busybox, list) = (find("busybox"), Command::new("busybox").arg("--list").output().unwrap());
    for applet in String::from_utf8(list.stdout).unwrap().lines() {
        symlink(&busybox, tools.join(applet)).unwrap();
    }
    works_in(&world, &[&busybox, "sh"], Some(&tools));
}

#[test]
fn shellcheck_has_nothing_to_say() {
    if !are_installed(&["shellcheck"]) {
        return;
    }
    let scripts = ["install.sh", "hooks/pre-receive", "hooks/pre-receive-beside", "tests/run"];
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = Command::new("shellcheck").args(scripts).current_dir(root).output().expect("it is installed");
    assert!(output.status.success(), "{}", said(&output));
}
