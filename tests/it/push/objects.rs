//! Objects that are missing, damaged, elsewhere or too large: never taken for "nothing to check".
use super::{deployed, set};
use crate::{git_command::git, world::deployment};
use std::{fs, time::Instant};

#[test]
fn a_new_id_that_names_nothing_could_not_be_told() {
    let world = deployed();
    let (here, nowhere) = (world.git(&["rev-parse", "HEAD"]).output(), "1".repeat(40));
    for old in [&here, &"0".repeat(40)] {
        let called = world.call(format!("{old} {nowhere} refs/heads/main\n"));
        called.could_not_tell(&["cannot judge this push", "refs/heads/main", &nowhere, "missing"]);
    }
    let of_other_length = format!("{} {} refs/heads/main\n", "0".repeat(64), "1".repeat(64));
    world.call(of_other_length).could_not_tell(&["missing"]);
}

#[test]
fn an_old_id_that_names_nothing_could_not_be_told() {
    let world = deployed();
    let (here, nowhere) = (world.git(&["rev-parse", "HEAD"]).output(), "1".repeat(40));
    world.call(format!("{nowhere} {here} refs/heads/main\n")).could_not_tell(&["refs/heads/main", &nowhere]);
}

#[test]
fn an_object_that_is_damaged_or_lost_on_the_server_rejects() {
    for object in ["feature^{tree}", "feature:web.yaml"] {
        let world = deployed();
        world.registry.push("team/web", "1");
        world.git(&["checkout", "-q", "-b", "feature"]).ok();
        world.deploy("web.yaml", "team/web:1");
        world.commit("Deploy the web");
        world.push(&["feature:refs/parked/feature"]).accepted();
        let id = git(&world.clone_dir()).args(["rev-parse", object]).output();
        let file = world.bare().join("objects").join(&id[..2]).join(&id[2..]);
        let whole = fs::read(&file).unwrap();
        // git takes an object that a ref leads to for sound, so only the hook reads it.
        fs::remove_file(&file).unwrap();
        world.push(&["feature:main"]).rejected(&["cannot judge this push", &id, "missing"]);
        fs::write(&file, "not what it was").unwrap();
        world.push(&["feature:main"]).rejected(&["cannot judge this push", &id]);
        world.nothing_asked();
        fs::write(&file, whole).unwrap();
        world.push(&["feature:main"]).accepted();
        assert_eq!(world.asked(), set(["team/web:1"]));
    }
}

#[test]
fn the_commit_of_a_submodule_is_never_looked_for() {
    let world = deployed();
    for name in ["vendor/charts", "sub.yaml"] {
        fs::create_dir_all(world.clone_dir().join(name)).unwrap();
        world.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{},{name}", "1".repeat(40))]).ok();
    }
    world.commit_and_push("Add submodules").accepted();
    assert_eq!(world.git(&["ls-tree", "-r", "origin/main"]).output().matches("160000 commit").count(), 2);
    world.git(&["update-index", "--cacheinfo", &format!("160000,{},sub.yaml", "2".repeat(40))]).ok();
    world.commit_and_push("Move one").accepted();
    world.nothing_asked();
    world.deploy("app.yaml", "team/app:2");
    world.commit_and_push("Mistype beside them").rejected(&["app.yaml:11:18"]);
}

#[test]
fn a_huge_file_is_passed_over_quickly_and_said_so() {
    let world = deployed();
    let old = world.git(&["rev-parse", "HEAD"]).output();
    let padding = "# nothing to see here, and much of it\n".repeat((30 << 20) / 38);
    world.write("big.yaml", &(deployment(&world.image("team/app:none")) + &padding));
    let push = world.commit_and_push("A dump");
    push.accepted();
    assert!(push.remote().starts_with("warning: 1 place could not be worked out"), "{}", push.text);
    assert!(push.remote().contains("big.yaml:1:1  [too-large]") && push.remote().contains("not read"), "{}", push.text);
    world.nothing_asked();
    let started = Instant::now();
    let called = world.call(format!("{old} {} refs/heads/main\n", world.git(&["rev-parse", "HEAD"]).output()));
    assert!(called.code == Some(0) && started.elapsed().as_secs() < 3, "{:?} {}", started.elapsed(), called.text);
    world.write("big.yaml", &padding);
    world.deploy("app.yaml", "team/app:2");
    world.commit_and_push("Mistype beside it").rejected(&["app.yaml:11:18", "too-large"]);
    world.undo(1);
    world.configure("on-unresolved = \"reject\"");
    world.write("big.yaml", &padding);
    world.commit_and_push("A dump where none may be").rejected(&["big.yaml:1:1", "too-large"]);
}
