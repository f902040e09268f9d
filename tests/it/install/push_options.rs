//! A bare repository offers push options once pullgate is installed, and its configuration comes back as it was.
use super::host::plain;
use crate::git_command::git;
use std::fs;

#[test]
fn push_options_are_offered() {
    let world = plain();
    world.commit("empty");
    let option = ["-o", "why=because", "main"];
    assert!(!world.push(&option).is_accepted);
    assert!(world.install(&["bare", "fleet.git"]).is_accepted);
    world.push(&option).accepted();
}

#[test]
fn an_earlier_word_on_push_options_comes_back() {
    let world = plain();
    git(&world.bare()).args(["config", "receive.advertisePushOptions", "false"]).ok();
    let before = fs::read(world.bare().join("config")).unwrap();
    let value = || git(&world.bare()).args(["config", "--type=bool", "receive.advertisePushOptions"]).output();
    assert!(world.install(&["bare", "fleet.git"]).is_accepted);
    assert_eq!(value(), "true");
    assert!(world.install(&["bare", "--uninstall", "fleet.git"]).is_accepted);
    assert_eq!(value(), "false");
    assert_eq!(fs::read(world.bare().join("config")).unwrap(), before);
}

#[test]
fn push_options_that_were_offered_already_stay() {
    let world = plain();
    git(&world.bare()).args(["config", "receive.advertisePushOptions", "yes"]).ok();
    let before = fs::read(world.bare().join("config")).unwrap();
    assert!(world.install(&["bare", "fleet.git"]).is_accepted);
    assert_eq!(fs::read(world.bare().join("config")).unwrap(), before);
    assert!(world.install(&["bare", "--uninstall", "fleet.git"]).is_accepted);
    assert_eq!(fs::read(world.bare().join("config")).unwrap(), before);
}

#[test]
fn settings_that_git_wrote_beside_pullgates_stay() {
    let world = plain();
    let config = |args: &[&str]| git(&world.bare()).args(["config"]).args(args).output();
    assert!(world.install(&["bare", "fleet.git"]).is_accepted);
    config(&["receive.denyDeletes", "true"]);
    config(&["core.logAllRefUpdates", "true"]);
    assert!(world.install(&["bare", "--uninstall", "fleet.git"]).is_accepted);
    assert_eq!(config(&["receive.denyDeletes"]), "true");
    assert_eq!(config(&["core.logAllRefUpdates"]), "true");
    assert_eq!(config(&["core.bare"]), "true");
    let left = fs::read_to_string(world.bare().join("config")).unwrap();
    assert!(!left.contains("pullgate") && !left.contains("advertise"), "{left}");
}

#[test]
fn a_configuration_without_a_last_newline_comes_back_without_one() {
    let world = plain();
    let file = world.bare().join("config");
    let before = format!("{}[a]\n\tb = c", fs::read_to_string(&file).unwrap());
    fs::write(&file, &before).unwrap();
    assert!(world.install(&["bare", "fleet.git"]).is_accepted);
    assert_eq!(git(&world.bare()).args(["config", "a.b"]).output(), "c");
    assert!(world.install(&["bare", "--uninstall", "fleet.git"]).is_accepted);
    assert_eq!(fs::read_to_string(&file).unwrap(), before);
}
