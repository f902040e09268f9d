//! GitLab: one of Gitaly's custom hooks, of a repository or of the whole server.
use super::host::{Listing, foreign, gitaly, install, judges};
use std::{fs, os::unix::fs::PermissionsExt};

#[test]
fn gitaly_calls_the_hook_of_a_repository_with_its_own_environment() {
    let world = gitaly();
    install(&world, &["gitlab", "fleet.git"]);
    judges(&world);
}

#[test]
fn gitaly_calls_the_hook_of_all_repositories_with_its_own_environment() {
    let world = gitaly();
    let said = install(&world, &["gitlab-global", "custom_hooks"]);
    let folder = world.path().join("custom_hooks");
    assert!(said.contains(&format!("custom_hooks_dir: '{}'", folder.display())), "{said}");
    judges(&world);
}

#[test]
fn custom_hooks_that_were_there_stay_and_come_first() {
    let world = gitaly();
    let folder = world.bare().join("custom_hooks");
    foreign(&folder.join("pre-receive"), "single", 0);
    foreign(&folder.join("pre-receive.d/10-first"), "first", 0);
    foreign(&folder.join("post-receive"), "post", 0);
    fs::set_permissions(folder.join("post-receive"), fs::Permissions::from_mode(0o750)).unwrap();
    let before = Listing::of(&folder);
    install(&world, &["gitlab", "fleet.git"]);
    world.deploy("app.yaml", "team/app:missing");
    let push = world.commit_and_push("a typo");
    push.rejected(&["single", "first", "not found"]);
    assert!(push.text.find("first") < push.text.find("not found"), "{}", push.text);
    install(&world, &["gitlab", "--uninstall", "fleet.git"]);
    Listing::of(&folder).is(&before);
}

#[test]
fn what_an_earlier_custom_hook_refuses_asks_no_registry() {
    let world = gitaly();
    foreign(&world.bare().join("custom_hooks/pre-receive.d/10-first"), "first", 1);
    install(&world, &["gitlab", "fleet.git"]);
    world.deploy("app.yaml", "team/app:missing");
    world.commit_and_push("a typo").rejected(&["first"]);
    world.nothing_asked();
}

#[test]
fn an_empty_folder_of_custom_hooks_that_was_there_stays() {
    let world = gitaly();
    fs::create_dir(world.bare().join("custom_hooks")).unwrap();
    install(&world, &["gitlab", "fleet.git"]);
    install(&world, &["gitlab", "--uninstall", "fleet.git"]);
    assert!(world.bare().join("custom_hooks").exists());
    assert!(!world.bare().join("custom_hooks/pre-receive.d").exists());
}

#[test]
fn gitaly_does_not_call_what_stepped_aside_by_force() {
    let world = gitaly();
    foreign(&world.bare().join("custom_hooks/pre-receive.d/50-pullgate"), "mine", 1);
    let before = Listing::of(&world.bare().join("custom_hooks"));
    install(&world, &["gitlab", "--force", "fleet.git"]);
    world.write("a.txt", "x");
    world.commit_and_push("anything").accepted();
    install(&world, &["gitlab", "--uninstall", "fleet.git"]);
    Listing::of(&world.bare().join("custom_hooks")).is(&before);
}

#[test]
fn a_repository_with_the_cluster_in_mind_is_told_what_to_do_next() {
    let world = gitaly();
    assert!(install(&world, &["gitlab", "fleet.git"]).contains("on every Gitaly node"));
}

#[test]
fn a_server_without_gitaly_is_told_what_to_name() {
    let world = gitaly();
    let refused = world.install(&["gitlab-global", "nowhere/custom_hooks"]);
    assert!(!refused.is_accepted && refused.text.contains("custom_hooks_dir"), "{}", refused.text);
}
