//! What the hook reads: lines as git and its front ends write them, and nothing else.
use super::deployed;
use crate::world::World;

/// The line of a push that deploys a missing image; its objects are on the server.
fn bad_line(world: &World) -> String {
    let old = world.git(&["rev-parse", "HEAD"]).output();
    world.deploy("app.yaml", "team/app:2");
    let new = world.commit("Mistype");
    world.push(&["main:refs/parked/bad"]).accepted();
    format!("{old} {new} refs/heads/main")
}

#[test]
fn blank_lines_crlf_and_a_missing_last_newline_change_nothing() {
    let world = deployed();
    let line = bad_line(&world);
    let inputs = [format!("{line}\n"), line.clone(), format!("\n\r\n{line}\r\n\n"), format!("{line}\r")];
    for input in &inputs {
        let called = world.call(input.as_str());
        assert_eq!(called.code, Some(1), "{input:?}: {}", called.text);
        assert!(called.text.contains("app.yaml:11:18"), "{input:?}: {}", called.text);
    }
    world.registry.push("team/app", "2");
    for input in inputs {
        let called = world.call(input.as_str());
        assert_eq!((called.code, called.text.as_str()), (Some(0), ""), "{input:?}");
    }
}

#[test]
fn no_input_and_blank_lines_alone_pass_without_a_word() {
    let world = deployed();
    for input in ["", "\n", "\r\n\n"] {
        let called = world.call(input);
        assert_eq!((called.code, called.text.as_str()), (Some(0), ""), "{input:?}");
    }
    world.nothing_asked();
}

#[test]
fn input_that_is_no_ref_update_could_not_be_told_whatever_else_is_there() {
    let world = deployed();
    let line = bad_line(&world);
    for garbage in ["garbage", "a b refs/heads/main", "\0\0\0", " "] {
        world.call(format!("{garbage}\n")).could_not_tell(&["cannot judge this push", "line 1", "old id"]);
        world.call(format!("{line}\n{garbage}\n")).could_not_tell(&["line 2"]);
    }
    world.call(&line[..81]).could_not_tell(&["line 1", "no ref name"]);
    world.call(b"\xff\xfe\n".to_vec()).could_not_tell(&["line 1"]);
    world.nothing_asked();
}
