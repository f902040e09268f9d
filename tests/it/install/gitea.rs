//! Gitea and Forgejo: one of the hooks in a folder, which Gitea's own hook calls.
use super::host::{Listing, delegate, foreign, gitea, install, judges};
use crate::git_command::git;
use std::fs;

const HOOK: &str = "hooks/pre-receive.d/50-pullgate";

#[test]
fn gitea_calls_the_hook() {
    let world = gitea();
    install(&world, &["gitea", "fleet.git"]);
    judges(&world);
}

#[test]
fn when_gitea_refuses_too_the_first_no_is_the_answer_and_both_are_shown() {
    let world = gitea();
    install(&world, &["gitea", "fleet.git"]);
    foreign(&world.bare().join("hooks/pre-receive.d/90-other"), "other-refuses", 3);
    world.deploy("app.yaml", "team/app:missing");
    world.commit_and_push("a typo").rejected(&["not found", "other-refuses"]);
}

#[test]
fn a_hook_of_somebody_else_still_refuses_what_deploys_nothing() {
    let world = gitea();
    foreign(&world.bare().join("hooks/pre-receive.d/10-other"), "other-refuses", 3);
    install(&world, &["gitea", "fleet.git"]);
    world.write("a.txt", "x");
    world.commit_and_push("anything").rejected(&["other-refuses"]);
}

#[test]
fn the_blank_line_that_gitea_feeds_for_no_input_is_accepted() {
    let world = gitea();
    install(&world, &["gitea", "fleet.git"]);
    let called = crate::world::Called::of(
        std::process::Command::new(world.bare().join("hooks/pre-receive"))
            .current_dir(world.bare())
            .env("GIT_DIR", "."),
        "",
    );
    assert_eq!((called.code, called.text.as_str()), (Some(0), ""));
}

#[test]
fn gitea_may_write_its_own_hooks_anew() {
    let world = gitea();
    install(&world, &["gitea", "fleet.git"]);
    delegate(&world.bare());
    world.deploy("app.yaml", "team/app:missing");
    world.commit_and_push("a typo").rejected(&["not found"]);
}

#[test]
fn another_hook_of_that_name_is_left_alone() {
    let world = gitea();
    foreign(&world.bare().join(HOOK), "mine", 0);
    let before = Listing::of(&world.bare());
    let refused = world.install(&["gitea", "fleet.git"]);
    assert!(!refused.is_accepted && refused.text.contains("--force"), "{}", refused.text);
    assert!(install(&world, &["gitea", "--uninstall", "fleet.git"]).contains("left alone"));
    Listing::of(&world.bare()).is(&before);
}

#[test]
fn by_force_another_hook_of_that_name_steps_aside_until_pullgate_goes() {
    let world = gitea();
    foreign(&world.bare().join(HOOK), "mine", 3);
    let before = Listing::of(&world.bare().join("hooks"));
    install(&world, &["gitea", "--force", "fleet.git"]);
    world.write("a.txt", "x");
    world.commit_and_push("anything").accepted();
    install(&world, &["gitea", "--uninstall", "fleet.git"]);
    Listing::of(&world.bare().join("hooks")).is(&before);
    world.write("a.txt", "y");
    world.commit_and_push("anything").rejected(&["mine"]);
}

#[test]
fn a_repository_without_giteas_hooks_is_warned_of() {
    let world = super::host::plain();
    assert!(install(&world, &["gitea", "fleet.git"]).contains("gitea admin regenerate hooks"));
    assert!(!install(&gitea(), &["gitea", "fleet.git"]).contains("warning:"));
}

/// The world's folder is that of an owner, and what it lies in holds all owners.
#[test]
fn all_repositories_get_it_and_wikis_do_not() {
    let world = gitea();
    for name in ["other.git", "fleet.wiki.git"] {
        git(world.path()).args(["init", "-q", "--bare", name]).ok();
        delegate(&world.path().join(name));
    }
    install(&world, &["gitea-all", ".."]);
    assert!(world.bare().join(HOOK).exists() && world.path().join("other.git").join(HOOK).exists());
    assert!(!world.path().join("fleet.wiki.git").join(HOOK).exists());
}

#[test]
fn a_new_repository_gets_it_from_the_template() {
    let world = gitea();
    let said = install(&world, &["gitea-all", ".."]);
    let template = world.path().join("prefix/share/pullgate/template");
    assert!(said.contains(&format!("init.templateDir = {}", template.display())), "{said}");
    let setting = format!("init.templateDir={}", template.display());
    git(world.path()).args(["-c", &setting, "init", "-q", "--bare", "-b", "main", "new.git"]).ok();
    let new = world.path().join("new.git");
    delegate(&new);
    fs::copy(world.bare().join("pullgate.toml"), new.join("pullgate.toml")).unwrap();
    world.git(&["remote", "set-url", "origin", "../new.git"]).ok();
    world.deploy("app.yaml", "team/app:missing");
    world.commit_and_push("a typo").rejected(&["not found"]);
    let names: Vec<_> =
        fs::read_dir(new.join("hooks/pre-receive.d")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names.len(), 2, "{names:?}");
}

#[test]
fn uninstalling_from_all_takes_it_from_what_the_template_made_too() {
    let world = gitea();
    let before = Listing::of(&world.path().join("prefix"));
    install(&world, &["gitea-all", ".."]);
    let setting = format!("init.templateDir={}", world.path().join("prefix/share/pullgate/template").display());
    git(world.path()).args(["-c", &setting, "init", "-q", "--bare", "new.wiki.git"]).ok();
    assert!(world.path().join("new.wiki.git").join(HOOK).exists());
    install(&world, &["gitea-all", "--uninstall", ".."]);
    assert!(!world.path().join("new.wiki.git").join(HOOK).exists() && !world.bare().join(HOOK).exists());
    Listing::of(&world.path().join("prefix")).is(&before);
}

#[test]
fn a_server_without_repositories_gets_the_template() {
    let world = gitea();
    fs::create_dir(world.path().join("repositories")).unwrap();
    install(&world, &["gitea-all", "repositories"]);
    assert!(world.path().join("prefix/share/pullgate/template").join(HOOK).exists());
}

#[test]
fn what_is_no_repository_does_not_stop_the_others() {
    let world = gitea();
    fs::create_dir(world.path().join("half-made.git")).unwrap();
    install(&world, &["gitea-all", ".."]);
    assert!(world.bare().join(HOOK).exists() && !world.path().join("half-made.git/hooks").exists());
}

#[test]
fn a_folder_of_repositories_that_is_not_there_is_asked_for() {
    let world = gitea();
    let refused = world.install(&["gitea-all", "nowhere"]);
    assert!(!refused.is_accepted && refused.text.contains("ROOT of app.ini"), "{}", refused.text);
}
