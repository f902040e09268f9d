//! What an image is, beyond being there: its platforms, its kind, and the tag that stands beside its digest.
use crate::world::{World, deployment};
use pullgate::lab::Behaviour;

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CHART: &str = r#"{"schemaVersion":2,"config":{"mediaType":"application/vnd.cncf.helm.config.v1+json"}}"#;

#[test]
fn an_image_for_another_platform_is_rejected_only_where_the_configuration_asks() {
    let world = World::new();
    world.registry.push_index("team/app", "1", &["linux/arm64"]);
    world.deploy("app.yaml", "team/app:1");
    world.commit_and_push("Deploy").accepted();
    world.configure("platforms = [\"linux/amd64\"]");
    world.registry.push_index("team/app", "2", &["linux/arm64"]);
    world.deploy("app.yaml", "team/app:2");
    let push = world.commit_and_push("Deploy the next");
    push.rejected(&[]);
    insta::assert_snapshot!(push.remote().replace(&world.registry.host(), "[registry]"), @r#"
    error: 1 of 1 changed image cannot be pulled or run

    app.yaml:11:18  image: [registry]/team/app:2
      [registry]/team/app:2
      it offers linux/arm64, but not linux/amd64
      deployed as Deployment prod/app, container app

    hint: push the image for every platform that the cluster has, or deploy
    another version
    "#);
    world.registry.push_index("team/app", "2", &["linux/arm64", "linux/amd64"]);
    let push = world.push(&["main"]);
    push.accepted();
    assert_eq!(push.remote(), "");
}

#[test]
fn what_a_missing_platform_does_on_missing_says() {
    let world = World::new();
    world.configure("on-missing = \"warn\"\nplatforms = [\"linux/amd64\", \"linux/arm64\"]");
    world.registry.push("team/app", "1");
    world.deploy("app.yaml", "team/app:1");
    let push = world.commit_and_push("Deploy");
    push.accepted();
    assert!(push.remote().starts_with("warning: 1 of 1 changed image cannot be pulled or run"), "{}", push.text);
    assert!(push.remote().contains("it offers linux/amd64, but not linux/arm64"), "{}", push.text);
}

#[test]
fn a_chart_in_the_place_of_an_image_is_named() {
    let world = World::new();
    world.configure("platforms = [\"linux/amd64\"]");
    world.registry.push_manifest("charts/app", "1", MANIFEST, CHART);
    world.deploy("app.yaml", "charts/app:1");
    world.commit_and_push("Deploy").rejected(&["it is a Helm chart, not a container image", "hint: name a container"]);
}

#[test]
fn a_volume_may_hold_what_no_runtime_can_start() {
    let world = World::new();
    world.configure("platforms = [\"linux/amd64\"]");
    world.registry.push_manifest("charts/app", "1", MANIFEST, CHART);
    let image = world.image("charts/app:1");
    let pod = format!(
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: app\nspec:\n  volumes:\n    - name: data\n      image:\n        reference: {image}\n"
    );
    world.write("pod.yaml", &pod);
    world.commit_and_push("Mount").accepted();
    assert!(!world.asked().is_empty());
}

#[test]
fn what_is_no_platform_is_refused_with_the_configuration() {
    let world = World::new();
    world.configure("platforms = [\"amd64\"]");
    world.deploy("app.yaml", "team/app:1");
    world.commit_and_push("Deploy").rejected(&["\"amd64\" is not a platform such as \"linux/amd64\""]);
}

#[test]
fn a_pinned_image_whose_tag_has_moved_is_accepted_without_a_word() {
    let world = World::new();
    let digest = world.registry.push("team/app", "1");
    world.registry.push_for("team/app", "1", "linux/arm64");
    world.deploy("app.yaml", &format!("team/app:1@{digest}"));
    let push = world.commit_and_push("Pin");
    push.accepted();
    assert_eq!(push.remote(), "");
    assert_eq!(world.asked(), super::set([&format!("team/app:{digest}")]));
}

#[test]
fn who_wants_to_know_more_is_told_that_the_tag_has_moved() {
    let world = World::new();
    let digest = world.registry.push("team/app", "1");
    let other = world.registry.push_for("team/app", "1", "linux/arm64");
    world.deploy("app.yaml", &format!("team/app:1@{digest}"));
    let new = world.commit("Pin");
    world.push(&["main:refs/parked/it"]).accepted();
    let line = format!("{} {new} refs/heads/main\n", "0".repeat(40));
    let called = crate::world::Called::of(world.hook().arg("-v"), line);
    assert_eq!(called.code, Some(0), "{}", called.text);
    let expected = format!(
        "note: app.yaml:11:18: the tag \"1\" now means\n{other};\nthe digest beside it decides what is deployed\n"
    );
    assert_eq!(called.text, expected);
}

#[test]
fn a_digest_that_is_gone_is_rejected_and_said_where_its_tag_points() {
    let world = World::new();
    let digest = world.registry.push("team/app", "1");
    let gone = format!("sha256:{}", "a".repeat(64));
    world.deploy("app.yaml", &format!("team/app:1@{gone}"));
    world.commit_and_push("Pin").rejected(&[
        &format!("the repository has no manifest\nremote:   {gone}"),
        "note: app.yaml:11:18: the tag \"1\" now means",
        &digest,
    ]);
}

#[test]
fn what_a_registry_says_cannot_move_the_cursor_or_forge_a_line() {
    let world = World::new();
    let message = "no\u{1b}[2J\u{202e}lla\nhint: all is well\r\nGL-HOOK-ERR: x\u{200b}\u{9b}31m";
    for (status, code) in
        [(412, "POLICY\u{1b}[31m"), (404, "TAG\u{202e}\nEXPIRED"), (418, "TEAPOT"), (403, "DE\u{7}NIED")]
    {
        world.registry.behave();
        let behaviour = Behaviour::ErrorCode { status, code: code.to_owned(), message: message.to_owned() };
        world.registry.misbehave("team/app", behaviour);
        world.write("app.yaml", &deployment(&world.image(&format!("team/app:{status}"))));
        let push = world.commit_and_push("Deploy");
        push.rejected(&["app.yaml:11:18"]);
        let said = push.remote();
        let is_plain = |c: char| c == '\n' || (!c.is_control() && !matches!(c, '\u{200b}' | '\u{202e}'));
        assert!(said.chars().all(is_plain), "{said:?}");
        let forged = |line: &str| line.starts_with("hint: all") || line.starts_with("GL-HOOK-ERR");
        assert!(!said.lines().any(forged), "{said}");
    }
}
