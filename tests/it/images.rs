//! `pullgate images`: what a tree deploys, as text and as JSON.
use crate::world::World;
use serde_json::Value;
use std::process::{Command, Output};

fn images(world: &World, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pullgate"));
    command.args(["images", "--repo"]).arg(world.clone_dir()).args(args);
    command.env_remove("PULLGATE_CONFIG").output().expect("the program runs")
}

fn text(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).expect("the list is text")
}

/// Two commits: an overlay of a base at 1.0, then at 2.0.
fn history() -> World {
    let world = World::new();
    world.write("base/kustomization.yaml", "resources: [app.yaml]\n");
    world.write("base/app.yaml", &crate::world::deployment("my-app"));
    for tag in ["1.0", "2.0"] {
        let images = format!("images:\n- name: my-app\n  newName: r.example.com/app\n  newTag: '{tag}'\n");
        world.write("prod/kustomization.yaml", &format!("resources: [../base]\n{images}"));
        world.write("other.yaml", &crate::world::deployment("nginx:1.27"));
        world.commit(tag);
    }
    world
}

#[test]
fn a_revision_lists_everything_and_a_range_what_is_new() {
    let world = history();
    let all = "other.yaml:11:18  nginx:1.27\nprod/kustomization.yaml:5:11  r.example.com/app:2.0\n";
    assert_eq!(text(&images(&world, &[])), all);
    assert_eq!(text(&images(&world, &["HEAD"])), all);
    assert_eq!(text(&images(&world, &["HEAD~1..HEAD"])), "prod/kustomization.yaml:5:11  r.example.com/app:2.0\n");
    assert_eq!(text(&images(&world, &["HEAD~1.."])), "prod/kustomization.yaml:5:11  r.example.com/app:2.0\n");
    assert_eq!(text(&images(&world, &["HEAD..HEAD"])), "");
    assert!(world.registry.requests().is_empty());
}

#[test]
fn the_json_has_the_documented_keys_and_the_chain() {
    let world = history();
    let document: Value = serde_json::from_str(&text(&images(&world, &["--format", "json"]))).expect("it is JSON");
    assert_eq!(document["version"], 1);
    let image = &document["images"][1];
    for (key, value) in [
        ("reference", "r.example.com/app:2.0"),
        ("canonical", "r.example.com/app:2.0"),
        ("path", "prod/kustomization.yaml"),
        ("certainty", "certain"),
        ("form", "container"),
        ("unit", "kustomization prod"),
        ("object", "Deployment prod/app"),
        ("field", "container app"),
    ] {
        assert_eq!(image[key], value, "{key}");
    }
    assert_eq!((image["line"].as_u64(), image["column"].as_u64()), (Some(5), Some(11)));
    let steps: Vec<_> = image["chain"].as_array().expect("a list").iter().map(|link| link["step"].as_str()).collect();
    assert_eq!(steps, [Some("literal"), Some("newName"), Some("newTag")]);
    assert_eq!(document["images"][0]["canonical"], "docker.io/library/nginx:1.27");
    assert_eq!(document["notices"], Value::Array(Vec::new()));
    assert_eq!(document["summary"]["references"], 2);
}

#[test]
fn every_step_of_a_reference_is_told_on_request() {
    let world = history();
    let expected = "prod/kustomization.yaml:5:11  r.example.com/app:2.0\n  \
                    Deployment prod/app, container app, by kustomization prod\n  \
                    literal     base/app.yaml:11:18  image: my-app\n  \
                    newName     prod/kustomization.yaml:4:12  newName: r.example.com/app\n  \
                    newTag      prod/kustomization.yaml:5:11  newTag: 2.0\n";
    assert_eq!(text(&images(&world, &["-v", "HEAD~1..HEAD"])), expected);
}

#[test]
fn what_does_not_exist_is_exit_code_two_and_one_line() {
    let world = history();
    for args in [&["no-such-branch"][..], &["HEAD..no-such-branch"], &["HEAD^{tree}:nope"]] {
        let output = images(&world, args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.starts_with("error: ") && said.lines().count() == 1, "{said}");
    }
    let nowhere = Command::new(env!("CARGO_BIN_EXE_pullgate")).args(["images", "--repo", "/nonexistent"]).output();
    assert_eq!(nowhere.expect("the program runs").status.code(), Some(2));
}
