//! Names of any bytes: read as they are, printed so that no terminal and no reader is fooled.
use super::{deployed, set};
use crate::world::World;
use std::{
    ffi::{OsStr, OsString},
    fs,
    os::unix::ffi::{OsStrExt, OsStringExt},
};

/// What `git push` is told, byte for byte.
fn refspec(bytes: &[u8]) -> OsString {
    OsString::from_vec(bytes.to_vec())
}

/// Commits a file of this name, in place of all others, that deploys a missing image.
fn commit_only(world: &World, name: &[u8]) {
    world.deploy("plain", "team/app:2");
    let folder = world.clone_dir();
    fs::rename(folder.join("plain"), folder.join(OsStr::from_bytes(name))).expect("any bytes are a name");
    world.commit("A name");
}

#[test]
fn a_ref_name_that_is_not_utf8_is_judged_like_any_other() {
    let world = deployed();
    world.deploy("app.yaml", "team/app:2");
    world.commit("Mistype");
    let name = refspec(b"main:refs/heads/caf\xe9");
    world.push(&[&name]).rejected(&["app.yaml:11:18"]);
    world.registry.push("team/app", "2");
    world.push(&[&name]).accepted();
    world.configure("[refs]\nenforce = [\"refs/heads/main\"]");
    world.deploy("app.yaml", "team/app:3");
    world.commit("Mistype on a branch that is not judged");
    world.push(&[&name]).accepted();
}

#[test]
fn a_ref_name_is_escaped_where_it_is_named() {
    let world = deployed();
    let mut line = format!("{} {} refs/heads/", "0".repeat(40), "1".repeat(40)).into_bytes();
    line.extend_from_slice(b"caf\xe9\x1b[2J\x9b\rok\n");
    let called = world.call(line);
    called.could_not_tell(&[r"refs/heads/caf\u{fffd}\u{1b}[2J\u{fffd}\rok"]);
}

#[test]
fn a_path_of_any_bytes_is_judged_and_escaped_where_it_is_named() {
    let names: [(&[u8], &str); 4] = [
        (b"n\xff.yaml", r"n\u{fffd}.yaml:11:18"),
        (b"a\nerror: forged.yaml", "\"a\\nerror: forged.yaml\":11:18"),
        (b"a\x1b[2Jb.yaml", r"a\u{1b}[2Jb.yaml:11:18"),
        ("a\u{202e}b.yaml".as_bytes(), r"a\u{202e}b.yaml:11:18"),
    ];
    let world = deployed();
    for (name, printed) in names {
        commit_only(&world, name);
        let push = world.push(&["main"]);
        push.rejected(&[printed]);
        assert!(push.text.chars().all(|c| c == '\n' || !(c.is_control() || c == '\u{202e}')), "{:?}", push.text);
        assert_eq!(push.remote().matches("error:").count(), 1 + printed.matches("error:").count(), "{}", push.text);
        world.undo(1);
    }
    world.registry.push("team/app", "2");
    world.registry.clear();
    commit_only(&world, b"n\xff.yaml");
    world.push(&["main"]).accepted();
    assert_eq!(world.asked(), set(["team/app:2"]));
}
