//! What counts as a change: images that a tip deploys and the one before did not, and nothing else.
use super::{deployed, set};
use crate::world::deployment;
use std::{fs, os::unix::fs::PermissionsExt};

#[test]
fn a_fast_forward_asks_for_what_it_adds_and_for_nothing_else() {
    let world = deployed();
    world.registry.push("team/app", "2");
    world.deploy("web.yaml", "team/app:2");
    world.commit_and_push("Deploy the web").accepted();
    assert_eq!(world.asked(), set(["team/app:2"]));
    world.deploy("web.yaml", "team/app:3");
    world.commit_and_push("Mistype").rejected(&["1 of 1 changed image", "web.yaml:11:18", "team/app:3"]);
    assert_eq!(world.asked(), set(["team/app:3"]));
}

#[test]
fn a_missing_image_that_a_later_commit_of_the_push_fixes_is_not_asked_for() {
    let world = deployed();
    world.registry.push("team/app", "2");
    world.deploy("app.yaml", "team/app:3");
    world.commit("Mistype");
    world.deploy("app.yaml", "team/app:2");
    world.commit_and_push("Fix").accepted();
    assert_eq!(world.asked(), set(["team/app:2"]));
    world.deploy("app.yaml", "team/app:3");
    world.commit("Mistype again");
    world.write("README.md", "Ours.\n");
    world.commit_and_push("And go on").rejected(&["app.yaml:11:18"]);
}

#[test]
fn an_unchanged_image_line_in_a_changed_file_is_not_asked_for_although_its_image_is_gone() {
    let world = deployed();
    world.registry.remove("team/app", "1");
    world.registry.push("team/side", "1");
    let with_side = |tag: &str| {
        let image = world.image(&format!("team/side:{tag}"));
        format!("# Ours.\n{}        - name: side\n          image: {image}\n", deployment(&world.image("team/app:1")))
    };
    world.write("app.yaml", &with_side("1"));
    world.commit_and_push("Add a sidecar").accepted();
    assert_eq!(world.asked(), set(["team/side:1"]));
    world.write("app.yaml", &with_side("2"));
    let push = world.commit_and_push("Mistype");
    push.rejected(&["1 of 1 changed image", "app.yaml:14:18"]);
    assert!(!push.text.contains("team/app"), "{}", push.text);
}

#[test]
fn a_change_of_mode_alone_asks_nothing() {
    let world = deployed();
    world.registry.remove("team/app", "1");
    let file = world.clone_dir().join("app.yaml");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    world.commit_and_push("Make it executable").accepted();
    world.nothing_asked();
    assert!(world.git(&["ls-tree", "origin/main", "app.yaml"]).output().starts_with("100755"));
    world.deploy("app.yaml", "team/app:2");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    world.commit_and_push("Mode and content").rejected(&["app.yaml:11:18"]);
}

#[test]
fn an_exact_rename_asks_nothing_although_its_image_is_gone() {
    let world = deployed();
    world.registry.remove("team/app", "1");
    fs::create_dir(world.clone_dir().join("apps")).unwrap();
    world.git(&["mv", "app.yaml", "apps/renamed.yaml"]).ok();
    world.commit_and_push("Rename").accepted();
    world.nothing_asked();
    world.git(&["mv", "apps/renamed.yaml", "again.yaml"]).ok();
    world.deploy("again.yaml", "team/app:2");
    world.commit_and_push("Rename and change").rejected(&["again.yaml:11:18"]);
}

#[test]
fn a_deleted_file_asks_nothing() {
    let world = deployed();
    world.registry.remove("team/app", "1");
    world.git(&["rm", "-q", "app.yaml"]).ok();
    world.commit_and_push("Delete").accepted();
    world.nothing_asked();
}

#[test]
fn the_same_tree_in_another_commit_asks_nothing() {
    let world = deployed();
    world.registry.remove("team/app", "1");
    world.commit_and_push("Nothing").accepted();
    world.git(&["commit", "-q", "--amend", "--allow-empty", "-m", "Nothing, in other words"]).ok();
    world.push(&["--force", "main"]).accepted();
    world.nothing_asked();
}

#[test]
fn a_file_that_deploys_nothing_asks_nothing() {
    let world = deployed();
    world.write("README.md", "Run `docker run team/app:none`.\n");
    world.write("values.yaml", "image: team/app:none\n");
    world.commit_and_push("Describe").accepted();
    world.nothing_asked();
}
