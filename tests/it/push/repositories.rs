//! Repositories of every make: where git keeps objects, what it calls them, and who asks.
use super::{assert_judges, deployed, on, set};
use crate::{
    git_command::git,
    tools::pass_over,
    world::{Called, World},
};
use std::{fs, os::unix::fs::PermissionsExt, process::Command};

const BARE: &[&str] = &["init", "-q", "--bare", "-b", "main"];

#[test]
fn a_repository_with_sha256_ids_is_judged() {
    let world = on(World::made(&["init", "-q", "--bare", "-b", "main", "--object-format=sha256"]));
    assert_eq!(world.remote_ref("refs/heads/main").unwrap().len(), 64);
    assert_judges(&world);
    world.push(&["main:refs/heads/new", "main:refs/tags/v1"]).accepted();
    world.push(&[":refs/heads/new"]).accepted();
}

#[test]
fn a_repository_that_borrows_its_objects_from_a_pool_of_a_pool_is_judged() {
    let world = deployed();
    let far = world.path().join("far.git");
    let near = world.path().join("pools/near.git");
    git(world.path()).args(BARE).args([&far]).ok();
    git(world.path()).args(BARE).args([&near]).ok();
    fs::remove_dir_all(far.join("objects")).unwrap();
    fs::rename(world.bare().join("objects"), far.join("objects")).unwrap();
    fs::create_dir_all(world.bare().join("objects/info")).unwrap();
    fs::write(near.join("objects/info/alternates"), "../../../far.git/objects\n").unwrap();
    fs::write(world.bare().join("objects/info/alternates"), "../../pools/near.git/objects\n").unwrap();

    world.registry.remove("team/app", "1");
    assert_judges(&world);
    assert_eq!(world.asked(), set(["team/web:1"]), "what was deployed before is read from the pool");
}

#[test]
fn a_repository_whose_path_git_must_quote_is_judged() {
    for name in ["with:colon", "with \"quotes\" and spaces", "mit Umläuten:\t"] {
        assert_judges(&on(World::at(name, BARE)));
    }
}

#[test]
fn a_push_that_waits_as_loose_objects_or_as_a_pack_is_judged() {
    for (limit, kind) in [("100", "loose"), ("1", "pack")] {
        let world = deployed();
        git(&world.bare()).args(["config", "receive.unpackLimit", limit]).ok();
        assert_judges(&world);
        let has_packs = !git(&world.bare()).args(["count-objects", "-v"]).output().contains("packs: 0");
        assert_eq!(has_packs, kind == "pack");
    }
}

#[test]
fn a_hook_that_runs_as_another_user_than_the_owner_judges_what_it_may_read() {
    if Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout != b"0\n") {
        return pass_over("only root can become another user");
    }
    let world = deployed();
    let old = world.git(&["rev-parse", "HEAD"]).output();
    world.deploy("web.yaml", "team/web:1");
    let new = world.commit("Deploy the web");
    world.push(&["main:refs/parked/web"]).accepted();
    let line = format!("{old} {new} refs/heads/main\n");
    // The folder for temporary files is the owner's alone.
    let parent = world.path().parent().unwrap();
    fs::set_permissions(parent, fs::Permissions::from_mode(0o755)).unwrap();
    let as_nobody = || {
        let mut command = Command::new("/usr/bin/env");
        command.args(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]).arg(world.installed());
        command.arg("pre-receive").current_dir(world.bare()).env_clear();
        Called::of(command.env("PATH", "/usr/bin:/bin").env("GIT_DIR", "."), line.as_str())
    };
    let rejected = as_nobody();
    assert!(rejected.code == Some(1) && rejected.text.contains("web.yaml:11:18"), "{}", rejected.text);
    world.registry.push("team/web", "1");
    let accepted = as_nobody();
    assert_eq!((accepted.code, accepted.text.as_str()), (Some(0), ""));
    let configuration = world.bare().join("pullgate.toml");
    fs::set_permissions(configuration, fs::Permissions::from_mode(0o600)).unwrap();
    as_nobody().could_not_tell(&["administrator", "pullgate.toml", "Permission denied"]);
}
