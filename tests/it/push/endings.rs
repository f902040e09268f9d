//! Ends that nobody planned: a client that is gone, a hook that is killed.
use super::deployed;
use crate::world::World;
use pullgate::lab::{Behaviour, Scope};
use std::{
    fs,
    io::Write,
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// The code of the hook, called with `line` by someone who reads none of what it says.
fn unheard(world: &World, line: &str) -> Option<i32> {
    let mut hook = world.hook();
    let child = hook.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = child.expect("the hook is installed");
    drop((child.stdout.take(), child.stderr.take()));
    let mut stdin = child.stdin.take().expect("stdin is piped");
    stdin.write_all(line.as_bytes()).expect("the hook reads it");
    drop(stdin);
    child.wait().expect("it can be waited for").code()
}

#[test]
fn a_client_that_is_gone_changes_no_verdict() {
    let world = deployed();
    let old = world.git(&["rev-parse", "HEAD"]).output();
    world.deploy("app.yaml", "team/app:2");
    let new = world.commit("Mistype");
    world.push(&["main:refs/parked/bad"]).accepted();
    let line = format!("{old} {new} refs/heads/main\n");
    assert_eq!(unheard(&world, &line), Some(1));
    assert_eq!(unheard(&world, "garbage\n"), Some(2));
    world.configure("on-missing = \"warn\"");
    assert_eq!(unheard(&world, &line), Some(0), "a warning that nobody reads");
}

/// The process that runs this world's binary.
fn hook_process(world: &World) -> Option<String> {
    let installed = world.installed();
    let program = Some(installed.as_os_str().as_encoded_bytes());
    let mut processes = fs::read_dir("/proc").expect("processes are listed").flatten();
    let runs_it = |line: Vec<u8>| line.split(|&b| b == 0).next() == program;
    let found = processes.find(|process| fs::read(process.path().join("cmdline")).is_ok_and(runs_it))?;
    found.file_name().into_string().ok()
}

#[test]
fn a_killed_hook_rejects_and_leaves_nothing_behind() {
    let world = deployed();
    world.configure("deadline = \"60s\"");
    world.registry.misbehave(Scope::everything(), Behaviour::Hang);
    world.deploy("app.yaml", "team/app:2");
    let new = world.commit("Ask for long");
    thread::scope(|scope| {
        let push = scope.spawn(|| world.push(&["main"]));
        let give_up = Instant::now() + Duration::from_secs(20);
        while world.registry.requests().is_empty() && Instant::now() < give_up {
            thread::sleep(Duration::from_millis(10));
        }
        let process = hook_process(&world).expect("the hook is waiting for the registry");
        assert!(Command::new("kill").args(["-9", &process]).status().unwrap().success());
        push.join().unwrap().rejected(&[]);
    });
    assert_ne!(world.remote_ref("refs/heads/main").as_ref(), Some(&new));
    let objects = fs::read_dir(world.bare().join("objects")).unwrap().flatten();
    let left: Vec<_> = objects.map(|entry| entry.file_name()).filter(|name| name.len() > 4).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().starts_with("tmp_")), "{left:?}");
    world.registry.behave();
    world.registry.push("team/app", "2");
    world.push(&["main"]).accepted();
}
