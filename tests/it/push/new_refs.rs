//! Refs that a push creates: compared with where they left the default branch, and never trusted for being known.
use super::{deployed, set};
use crate::world::World;

/// What is parked is judged the day it goes where it is deployed.
const PARKED: &[&str] = &["app.yaml:11:18", "team/app:2", "not found"];

#[test]
fn a_new_branch_is_asked_for_what_it_adds_since_it_left_the_default_branch() {
    let world = deployed();
    world.registry.remove("team/app", "1");
    world.git(&["checkout", "-q", "-b", "feature"]).ok();
    world.deploy("web.yaml", "team/web:1");
    world.commit("Deploy the web");
    world.git(&["checkout", "-q", "main"]).ok();
    world.registry.push("team/app", "2");
    world.deploy("app.yaml", "team/app:2");
    world.commit_and_push("Main goes on").accepted();
    world.push(&["feature"]).rejected(&["1 of 1 changed image", "web.yaml:11:18"]);
    world.registry.push("team/web", "1");
    world.registry.clear();
    world.push(&["feature"]).accepted();
    assert_eq!(world.asked(), set(["team/web:1"]), "what main deployed at the fork is gone, and no concern of feature");
}

#[test]
fn a_new_tag_is_judged_like_a_new_branch() {
    for tag in [&["tag", "v2"][..], &["tag", "-a", "-m", "Second", "v2"]] {
        let world = deployed();
        world.deploy("app.yaml", "team/app:2");
        world.commit("Mistype");
        world.git(tag).ok();
        world.push(&["v2"]).rejected(PARKED);
        world.registry.push("team/app", "2");
        world.push(&["v2"]).accepted();
    }
}

#[test]
fn a_new_ref_at_a_commit_of_the_default_branch_asks_nothing() {
    let world = deployed();
    world.registry.remove("team/app", "1");
    world.write("README.md", "Ours.\n");
    world.commit_and_push("Describe").accepted();
    world.push(&["main:refs/heads/at-the-tip", "main~1:refs/heads/before-it", "main:refs/tags/v1"]).accepted();
    world.nothing_asked();
}

#[test]
fn a_commit_that_was_parked_on_a_ref_that_is_not_judged_is_judged_when_it_goes_where_it_is() {
    let world = deployed();
    world.configure("[refs]\nenforce = [\"refs/heads/main\", \"refs/heads/env/*\", \"refs/tags/*\"]");
    world.deploy("app.yaml", "team/app:2");
    world.commit("Mistype");
    world.push(&["main:refs/heads/parked"]).accepted();
    world.nothing_asked();
    for target in ["main:refs/heads/env/prod", "main:refs/tags/v2", "main:refs/heads/main"] {
        world.push(&[target]).rejected(PARKED);
    }
    world.registry.push("team/app", "2");
    world.push(&["main:refs/heads/env/prod", "main:refs/tags/v2", "main:refs/heads/main"]).accepted();
}

#[test]
fn a_default_branch_that_is_not_judged_vouches_for_nothing() {
    for refs in ["enforce = [\"refs/heads/prod\"]", "enforce = [\"refs/heads/prod\"]\nwarn = [\"refs/heads/main\"]"] {
        let world = deployed();
        world.configure(&format!("[refs]\n{refs}"));
        world.deploy("app.yaml", "team/app:2");
        world.commit_and_push("Mistype").accepted();
        world.push(&["main:refs/heads/prod"]).rejected(PARKED);
        world.registry.push("team/app", "2");
        world.push(&["main:refs/heads/prod"]).accepted();
    }
}

#[test]
fn the_first_push_to_an_empty_repository_is_asked_for_all_that_it_deploys() {
    let world = World::new();
    world.registry.push("team/app", "1");
    world.deploy("app.yaml", "team/app:1");
    world.commit("One commit");
    world.deploy("web.yaml", "team/web:1");
    world.commit_and_push("and another").rejected(&["1 of 2 changed images", "web.yaml:11:18"]);
    assert_eq!(world.asked(), set(["team/app:1", "team/web:1"]));
    world.registry.push("team/web", "1");
    world.push(&["main"]).accepted();
}

#[test]
fn the_first_push_of_more_images_than_are_asked_for_says_so() {
    let world = World::new();
    world.configure("max-images = 1");
    for tag in ["1", "2"] {
        world.registry.push("team/app", tag);
        world.deploy(&format!("app-{tag}.yaml"), &format!("team/app:{tag}"));
    }
    world.commit_and_push("Import").rejected(&["more than 1 images", "max-images"]);
    assert_eq!(world.asked().len(), 1);
}

#[test]
fn the_first_push_passes_unseen_where_the_configuration_says_so() {
    let world = World::new();
    world.configure("initial = \"skip\"");
    world.deploy("app.yaml", "team/app:1");
    world.commit_and_push("Import").accepted();
    world.nothing_asked();
    world.deploy("app.yaml", "team/app:2");
    world.commit_and_push("From now on it is judged").rejected(PARKED);
}

#[test]
fn a_branch_without_common_history_is_asked_for_all_that_it_deploys() {
    let world = deployed();
    world.registry.remove("team/app", "1");
    world.git(&["checkout", "-q", "--orphan", "other"]).ok();
    world.commit("Start over");
    world.push(&["other"]).rejected(&["app.yaml:11:18", "team/app:1"]);
    world.configure("initial = \"skip\"");
    world.registry.clear();
    world.push(&["other"]).accepted();
    world.nothing_asked();
}
