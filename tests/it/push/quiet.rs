//! What does not touch the network, and what only touches it when it must: seen by the system calls.
use super::deployed;
use crate::{
    tools::pass_over,
    world::{Called, World},
};
use std::{fs, process::Command};

/// Whether system calls can be traced here.
fn can_trace() -> bool {
    Command::new("strace").args(["-o", "/dev/null", "true"]).status().is_ok_and(|status| status.success())
}

/// The system calls of the hook, called with `line`.
fn traced(world: &World, line: &str) -> String {
    let trace = world.path().join("trace");
    let mut strace = Command::new("strace");
    strace
        .args(["-f", "-e", "trace=open,openat,socket,connect,epoll_create1,execve", "-o"])
        .arg(&trace)
        .arg(world.installed());
    strace.arg("pre-receive").current_dir(world.bare()).env_clear();
    // With a home, or the system's list of users is asked for one, which may be elsewhere.
    strace.env("PATH", "/usr/bin:/bin").env("HOME", "/").env("GIT_DIR", ".");
    let called = Called::of(strace.env("SSL_CERT_FILE", world.path().join("extra-roots.pem")), line);
    assert!(called.code.is_some(), "{}", called.text);
    fs::read_to_string(trace).expect("strace wrote it")
}

const SOCKET: &str = "socket(";
/// The first is what the environment names, the others are where systems keep theirs.
const ROOTS: [&str; 4] = ["extra-roots.pem", "/ssl/", "/pki/", "/certs.d"];
/// Who resolves names, and what a runtime for the network begins with.
const NETWORK: [&str; 3] = [SOCKET, "resolv.conf", "epoll_create"];

fn has_any(trace: &str, words: &[&str]) -> bool {
    words.iter().any(|word| trace.contains(word))
}

#[test]
fn a_push_that_deploys_nothing_new_opens_no_socket_and_reads_no_certificate() {
    if !can_trace() {
        return pass_over("strace is not installed, or may not trace");
    }
    let world = deployed();
    fs::write(world.path().join("extra-roots.pem"), "").unwrap();
    let old = world.git(&["rev-parse", "HEAD"]).output();
    world.write("README.md", "Ours.\n");
    world.git(&["mv", "app.yaml", "renamed.yaml"]).ok();
    let new = world.commit("Rename and describe");
    world.push(&["main:refs/parked/it"]).accepted();
    let zero = "0".repeat(40);
    for line in [format!("{old} {new} refs/heads/main\n"), format!("{old} {zero} refs/heads/main\n"), String::new()] {
        let trace = traced(&world, &line);
        assert!(trace.contains("pullgate.toml"), "it ran: {trace}");
        assert!(!has_any(&trace, &NETWORK) && !has_any(&trace, &ROOTS), "{line}{trace}");
    }
    world.nothing_asked();
}

#[test]
fn a_push_to_a_registry_over_plain_http_reads_no_certificate_and_one_over_https_does() {
    if !can_trace() {
        return pass_over("strace is not installed, or may not trace");
    }
    let world = deployed();
    fs::write(world.path().join("extra-roots.pem"), "").unwrap();
    world.deploy("app.yaml", "team/app:2");
    let new = world.commit("Deploy");
    world.push(&["main:refs/parked/it"]).accepted();
    let line = format!("{} {new} refs/heads/main\n", "0".repeat(40));
    let plain = traced(&world, &line);
    assert!(plain.contains(SOCKET) && !has_any(&plain, &ROOTS), "{plain}");
    world.configure_exactly(&format!("[registries.\"{}\"]\nprivate = true\n", world.registry.host()));
    let tls = traced(&world, &line);
    assert!(tls.contains(ROOTS[0]), "{tls}");
}
