//! What a push is told: present, missing, and everything between.
use crate::world::{World, deployment};

#[test]
fn an_image_that_is_there_is_accepted_without_a_word() {
    let world = World::new();
    world.registry.push("team/app", "1.4.2");
    world.deploy("app.yaml", "team/app:1.4.2");
    let push = world.commit_and_push("deploy");
    push.accepted();
    assert_eq!(push.remote(), "");
}

#[test]
fn a_missing_image_is_rejected_with_file_line_reason_and_advice() {
    let world = World::new();
    world.registry.push("team/app", "1.4.2");
    world.deploy("app.yaml", "team/app:1.4.2");
    world.commit_and_push("deploy").accepted();
    let before = world.remote_ref("refs/heads/main");
    world.deploy("app.yaml", "team/app:1.4.3");
    let push = world.commit_and_push("typo");
    push.rejected(&[]);
    assert_eq!(world.remote_ref("refs/heads/main"), before);
    insta::assert_snapshot!(push.remote().replace(&world.registry.host(), "[registry]"), @r#"
        error: 1 of 1 changed image cannot be pulled

        app.yaml:11:18  image: [registry]/team/app:1.4.3
          [registry]/team/app:1.4.3
          not found: the repository has no tag "1.4.3" (404 MANIFEST_UNKNOWN)
          did you mean 1.4.2?
          deployed as Deployment prod/app, container app

        hint: push the image first or fix the reference, then push again
        "#);
}

#[test]
fn a_stopped_registry_rejects_and_says_that_it_is_not_the_commits_fault() {
    let world = World::new();
    world.configure("deadline = \"3s\"");
    // A port that nothing listens at.
    let gone =
        std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free").local_addr().expect("it has an address");
    world.configure_exactly(&format!("[registries.\"{gone}\"]\nplain-http = true\nprivate = true\n"));
    world.write("app.yaml", &deployment(&format!("{gone}/team/app:1")));
    world.commit_and_push("deploy").rejected(&[
        "could not be verified",
        "this is not the commit's fault",
        "app.yaml:11:18",
    ]);
}

#[test]
fn a_registry_that_may_not_be_asked_is_rejected_with_the_lines_that_would_allow_it() {
    let world = World::new();
    world.configure_exactly("");
    world.deploy("app.yaml", "team/app:1");
    let listed = format!("[registries.\"{}\"]", world.registry.host());
    world.commit_and_push("deploy").rejected(&["not checked", &listed]);
    assert!(world.registry.requests().is_empty());
}
