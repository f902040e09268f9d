//! A dry run changes nothing, twice is once, and uninstalling leaves what was before: for every target.
use super::host::{Listing, foreign, gitaly, gitea, plain};
use crate::world::World;
use std::{fs, os::unix::fs::PermissionsExt};

/// Everything in the world, of which `args` name a part.
#[track_caller]
fn comes_and_goes(world: &World, args: &[&str]) {
    let run = |more: &[&str]| {
        let output = world.install(&[args, more].concat());
        assert!(output.is_accepted, "{more:?}: {}", output.text);
        output.text
    };
    let now = || Listing::of(world.path());
    let before = now();
    let said = run(&["--dry-run"]);
    now().is(&before);
    assert!(said.contains("would write ") && !said.contains("installed: "), "{said}");
    run(&[]);
    let once = now();
    assert_ne!(once, before);
    let said = run(&[]);
    now().is(&once);
    assert!(said.contains("unchanged: ") && !said.contains("installed: "), "{said}");
    let said = run(&["--dry-run", "--uninstall"]);
    now().is(&once);
    assert!(said.contains("would "), "{said}");
    run(&["--uninstall"]);
    now().is(&before);
    run(&["--uninstall"]);
    now().is(&before);
}

#[test]
fn a_bare_repository() {
    comes_and_goes(&plain(), &["bare", "fleet.git"]);
}

#[test]
fn a_bare_repository_with_another_hook() {
    let world = plain();
    foreign(&world.bare().join("hooks/pre-receive"), "mine", 0);
    fs::set_permissions(world.bare().join("hooks/pre-receive"), fs::Permissions::from_mode(0o750)).unwrap();
    comes_and_goes(&world, &["bare", "fleet.git"]);
}

#[test]
fn a_bare_repository_without_a_folder_for_hooks() {
    let world = plain();
    fs::remove_dir_all(world.bare().join("hooks")).unwrap();
    comes_and_goes(&world, &["bare", "fleet.git"]);
}

#[test]
fn a_bare_repository_with_odd_modes() {
    let world = plain();
    for (name, mode) in [("hooks", 0o2770), ("config", 0o640), (".", 0o2750)] {
        fs::set_permissions(world.bare().join(name), fs::Permissions::from_mode(mode)).unwrap();
    }
    comes_and_goes(&world, &["bare", "fleet.git"]);
}

#[test]
fn a_repository_of_gitea() {
    comes_and_goes(&gitea(), &["gitea", "fleet.git"]);
}

#[test]
fn all_repositories_of_gitea() {
    comes_and_goes(&gitea(), &["gitea-all", ".."]);
}

#[test]
fn a_repository_of_gitlab() {
    comes_and_goes(&gitaly(), &["gitlab", "fleet.git"]);
}

#[test]
fn a_repository_of_gitlab_with_custom_hooks() {
    let world = gitaly();
    foreign(&world.bare().join("custom_hooks/pre-receive.d/10-first"), "first", 0);
    comes_and_goes(&world, &["gitlab", "fleet.git"]);
}

#[test]
fn a_whole_gitlab() {
    comes_and_goes(&gitaly(), &["gitlab-global", "custom_hooks"]);
}

#[test]
fn purging_takes_the_program_and_the_folders_that_were_made_for_it() {
    let world = gitea();
    fs::remove_dir_all(world.path().join("prefix")).unwrap();
    let before = Listing::of(world.path());
    assert!(world.install(&["gitea-all", ".."]).is_accepted);
    assert!(world.installed().exists());
    assert!(world.install(&["gitea-all", "--uninstall", "--purge", ".."]).is_accepted);
    Listing::of(world.path()).is(&before);
}
