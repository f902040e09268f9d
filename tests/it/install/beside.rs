//! A bare repository that had a hook already: both are asked.
use super::host::{Listing, foreign, plain, script};
use crate::world::World;
use std::fs;

fn hook(world: &World) -> std::path::PathBuf {
    world.bare().join("hooks/pre-receive")
}

#[test]
fn a_hook_that_was_there_is_asked_too() {
    let world = plain();
    foreign(&hook(&world), "mine", 0);
    assert!(world.install(&["bare", "fleet.git"]).is_accepted);
    world.registry.push("team/app", "1");
    world.deploy("app.yaml", "team/app:1");
    let push = world.commit_and_push("there");
    push.accepted();
    assert!(push.text.contains("mine"), "{}", push.text);
    world.deploy("app.yaml", "team/app:missing");
    world.commit_and_push("a typo").rejected(&["mine", "not found"]);
}

#[test]
fn a_hook_that_was_there_still_refuses_what_deploys_nothing() {
    let world = plain();
    foreign(&hook(&world), "mine", 3);
    assert!(world.install(&["bare", "fleet.git"]).is_accepted);
    world.write("a.txt", "x");
    world.commit_and_push("anything").rejected(&["mine"]);
}

#[test]
fn a_hook_that_was_there_gets_every_line_and_finds_what_lies_beside_it() {
    let world = plain();
    fs::write(world.bare().join("hooks/words"), "counted").unwrap();
    script(&hook(&world), "#!/bin/sh\necho \"$(cat \"${0%/*}/words\"): $(wc -l)\"\n");
    assert!(world.install(&["bare", "fleet.git"]).is_accepted);
    world.commit("empty");
    let push = world.push(&["main:a", "main:b", "main:c"]);
    push.accepted();
    assert!(push.text.contains("counted: 3"), "{}", push.text);
}

#[test]
fn a_hook_that_was_there_and_disappeared_rejects() {
    let world = plain();
    foreign(&hook(&world), "mine", 0);
    assert!(world.install(&["bare", "fleet.git"]).is_accepted);
    fs::remove_file(world.bare().join("hooks/.pre-receive.before-pullgate")).unwrap();
    world.write("a.txt", "x");
    world.commit_and_push("anything").rejected(&["before-pullgate"]);
}

#[test]
fn by_force_a_hook_that_was_there_is_not_asked_until_pullgate_goes() {
    let world = plain();
    foreign(&hook(&world), "mine", 3);
    let before = Listing::of(&world.bare().join("hooks"));
    assert!(world.install(&["bare", "--force", "fleet.git"]).is_accepted);
    world.write("a.txt", "x");
    world.commit_and_push("anything").accepted();
    assert!(world.install(&["bare", "--uninstall", "fleet.git"]).is_accepted);
    Listing::of(&world.bare().join("hooks")).is(&before);
}

#[test]
fn uninstalling_leaves_a_hook_alone_that_took_the_place_of_pullgates() {
    let world = World::new();
    foreign(&hook(&world), "mine", 0);
    let before = Listing::of(&world.bare().join("hooks"));
    let output = world.install(&["bare", "--uninstall", "fleet.git"]);
    assert!(output.is_accepted && output.text.contains("left alone"), "{}", output.text);
    Listing::of(&world.bare().join("hooks")).is(&before);
}

#[test]
fn uninstalling_puts_it_back_though_somebody_deleted_pullgates() {
    let world = plain();
    foreign(&hook(&world), "mine", 0);
    let before = Listing::of(&world.bare());
    assert!(world.install(&["bare", "fleet.git"]).is_accepted);
    fs::remove_file(hook(&world)).unwrap();
    assert!(world.install(&["bare", "--uninstall", "fleet.git"]).is_accepted);
    Listing::of(&world.bare()).is(&before);
}

#[test]
fn two_other_hooks_are_one_too_many() {
    let world = plain();
    foreign(&hook(&world), "mine", 0);
    assert!(world.install(&["bare", "fleet.git"]).is_accepted);
    foreign(&hook(&world), "another", 0);
    let before = Listing::of(&world.bare());
    let refused = world.install(&["bare", "fleet.git"]);
    assert!(!refused.is_accepted && refused.text.contains("put one elsewhere"), "{}", refused.text);
    Listing::of(&world.bare()).is(&before);
}

#[test]
fn a_link_to_nowhere_is_kept_and_not_called() {
    let world = plain();
    std::os::unix::fs::symlink("/nonexistent/hook", hook(&world)).unwrap();
    assert!(world.install(&["bare", "fleet.git"]).is_accepted);
    world.write("a.txt", "x");
    world.commit_and_push("anything").accepted();
    assert!(world.install(&["bare", "--uninstall", "fleet.git"]).is_accepted);
    assert!(fs::symlink_metadata(hook(&world)).unwrap().is_symlink());
}
