//! Histories of every shape: what counts is the tip that was and the tip that will be.
use super::{deployed, set};
use crate::world::World;

/// A branch off main with one commit that deploys `web.yaml`, while main went on.
fn fork(world: &World, image: &str) {
    world.git(&["checkout", "-q", "-b", "feature"]).ok();
    world.deploy("web.yaml", image);
    world.commit("Deploy the web");
    world.git(&["checkout", "-q", "main"]).ok();
    world.write("README.md", "Ours.\n");
    world.commit_and_push("Describe").accepted();
    world.nothing_asked();
}

#[test]
fn a_deletion_passes_without_a_question() {
    let world = deployed();
    world.push(&["main:refs/heads/old"]).accepted();
    world.push(&[":refs/heads/old"]).accepted();
    assert_eq!(world.remote_ref("refs/heads/old"), None);
    world.nothing_asked();
}

#[test]
fn of_a_deletion_and_a_creation_in_one_push_the_creation_is_judged() {
    let world = deployed();
    world.push(&["main:refs/heads/old"]).accepted();
    world.deploy("app.yaml", "team/app:2");
    world.commit("Mistype");
    world.push(&[":refs/heads/old", "main:refs/heads/new"]).rejected(&["app.yaml:11:18"]);
    assert!(world.remote_ref("refs/heads/old").is_some(), "one push, one verdict");
    world.registry.push("team/app", "2");
    world.push(&[":refs/heads/old", "main:refs/heads/new"]).accepted();
    assert_eq!(world.remote_ref("refs/heads/old"), None);
}

#[test]
fn a_forced_push_is_compared_with_the_tip_that_it_replaces() {
    let world = deployed();
    world.registry.push("team/app", "2");
    world.deploy("app.yaml", "team/app:2");
    world.commit_and_push("Second").accepted();
    assert_eq!(world.asked(), set(["team/app:2"]));
    world.registry.remove("team/app", "2");
    world.undo(1);
    world.deploy("app.yaml", "team/app:3");
    world.commit("Another second");
    world.push(&["--force", "main"]).rejected(&["1 of 1 changed image", "app.yaml:11:18", "team/app:3"]);
    world.registry.push("team/app", "3");
    world.registry.clear();
    world.push(&["--force", "main"]).accepted();
    assert_eq!(world.asked(), set(["team/app:3"]), "the commit that was dropped deploys nothing");
}

#[test]
fn a_reset_to_an_old_commit_is_judged_although_it_brings_no_objects() {
    let world = deployed();
    world.registry.push("team/app", "2");
    world.deploy("app.yaml", "team/app:2");
    let second = world.commit("Second");
    world.push(&["main"]).accepted();
    world.registry.remove("team/app", "1");
    world.undo(1);
    world.push(&["--force", "main"]).rejected(&["app.yaml:11:18", "team/app:1", "not found"]);
    assert_eq!(world.remote_ref("refs/heads/main"), Some(second));
    world.registry.push("team/app", "1");
    world.push(&["--force", "main"]).accepted();
}

#[test]
fn a_merge_commit_is_judged_by_what_it_adds_to_the_branch_that_it_lands_on() {
    let world = deployed();
    fork(&world, "team/web:1");
    world.git(&["merge", "-q", "--no-ff", "-m", "Merge", "feature"]).ok();
    world.push(&["main"]).rejected(&["1 of 1 changed image", "web.yaml:11:18"]);
    world.registry.push("team/web", "1");
    world.registry.clear();
    world.push(&["main"]).accepted();
    assert_eq!(world.asked(), set(["team/web:1"]));
}

#[test]
fn a_merge_that_leaves_out_the_missing_image_passes() {
    let world = deployed();
    fork(&world, "team/web:1");
    world.git(&["merge", "-q", "--no-ff", "-s", "ours", "-m", "Merge, but keep ours", "feature"]).ok();
    world.push(&["main"]).accepted();
    world.nothing_asked();
}

#[test]
fn a_squashed_and_a_rebased_branch_are_judged_like_a_merged_one() {
    for how in [&["cherry-pick", "feature"][..], &["merge", "-q", "--squash", "feature"]] {
        let world = deployed();
        fork(&world, "team/web:1");
        world.git(how).ok();
        world.commit_and_push("Squash").rejected(&["1 of 1 changed image", "web.yaml:11:18"]);
        world.registry.push("team/web", "1");
        world.registry.clear();
        world.push(&["main"]).accepted();
        assert_eq!(world.asked(), set(["team/web:1"]));
    }
}

#[test]
fn a_revert_asks_for_the_image_that_it_brings_back() {
    let world = deployed();
    world.registry.push("team/app", "2");
    world.deploy("app.yaml", "team/app:2");
    world.commit_and_push("Second").accepted();
    world.registry.remove("team/app", "1");
    world.registry.clear();
    world.git(&["revert", "--no-edit", "HEAD"]).ok();
    world.push(&["main"]).rejected(&["app.yaml:11:18", "team/app:1"]);
    world.registry.push("team/app", "1");
    world.registry.clear();
    world.push(&["main"]).accepted();
    assert_eq!(world.asked(), set(["team/app:1"]));
}
