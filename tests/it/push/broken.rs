//! A configuration that cannot be understood: no push passes, and the administrator is told where to look.
use super::deployed;
use crate::world::World;
use std::fs;

/// What a push says of it, and what the hook says without git.
fn refused(world: &World, words: &[&str]) {
    world.deploy("app.yaml", "team/app:1");
    world.write("README.md", "Ours.\n");
    let push = world.commit_and_push("Describe");
    push.rejected(&["the configuration of pullgate is broken", "administrator"]);
    push.rejected(words);
    let tips = format!(
        "{} {} refs/heads/main\n",
        "0".repeat(40),
        world.remote_ref("refs/heads/main").expect("main was pushed")
    );
    world.call(tips).could_not_tell(words);
    world.nothing_asked();
}

#[test]
fn a_configuration_that_is_not_toml_rejects_with_its_file_and_line() {
    let world = deployed();
    world.configure("deadline = \"3s\"\non-missing: warn");
    let file = world.bare().join("pullgate.toml");
    refused(&world, &[&file.display().to_string(), "line 2"]);
}

#[test]
fn an_unknown_key_rejects_with_its_name_and_line() {
    let world = deployed();
    for (text, words) in [
        ("\ndeadlnie = \"3s\"", ["line 2", "deadlnie"]),
        ("[refs]\nwarn = []\nenfroce = []", ["line 3", "enfroce"]),
        ("[registries.\"r.example.com\"]\nplain_http = true", ["line 2", "plain_http"]),
    ] {
        world.configure(text);
        refused(&world, &["pullgate.toml", words[0], words[1]]);
    }
}

#[test]
fn a_value_that_makes_no_sense_rejects_with_its_line() {
    let world = deployed();
    for text in ["deadline = \"soon\"", "on-missing = \"ignore\"", "max-images = -1", "initial = true"] {
        world.configure(text);
        refused(&world, &["pullgate.toml", "line 1"]);
    }
    world.configure("[refs]\nenforce = [\"refs/heads/{a\"]");
    refused(&world, &["pullgate.toml", "refs/heads/{a"]);
}

#[test]
fn a_broken_configuration_that_the_installer_was_given_is_the_one_that_is_named() {
    let world = deployed();
    let file = world.path().join("named.toml");
    fs::write(&file, "suggestions = maybe\n").unwrap();
    let installed = world.install(&["bare", "fleet.git", "--config", "named.toml"]);
    assert!(installed.is_accepted, "{}", installed.text);
    world.write("README.md", "Ours.\n");
    world.commit_and_push("Describe").rejected(&["administrator", "named.toml", "line 1"]);
    fs::remove_file(&file).unwrap();
    world.push(&["main"]).rejected(&["administrator", "named.toml", "No such file"]);
    fs::write(&file, "suggestions = false\n").unwrap();
    world.push(&["main"]).accepted();
}
