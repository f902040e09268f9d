//! Pushes judged by a real registry: Debian's docker-registry, with images that skopeo put into it.
mod nginx;
mod pull_through;
mod tls;
mod token;
mod token_server;

use crate::{
    distribution::{Distribution, TOOLS},
    tools::are_installed,
    world::World,
};
use std::{
    fs,
    time::{Duration, Instant},
};

/// A base with a placeholder, and an overlay that deploys `tag` of the real registry.
fn bump(world: &World, host: &str, tag: &str) {
    world.write("apps/base/kustomization.yaml", "resources:\n  - app.yaml\n");
    world.write("apps/base/app.yaml", &crate::world::deployment("my-app"));
    let images = format!("images:\n  - name: my-app\n    newName: {host}/team/app\n    newTag: {tag}\n");
    world.write("apps/prod/kustomization.yaml", &format!("resources:\n  - ../base\n{images}"));
}

/// One push of a tag that exists, one of a tag that does not; `keys` are the registry's in the configuration.
fn accepts_what_is_there_and_rejects_what_is_not(world: &World, host: &str, keys: &str, rest: &str) {
    world.configure_exactly(&format!("[registries.\"{host}\"]\nprivate = true\n{keys}\n{rest}"));
    bump(world, host, "1.4.2");
    world.commit_and_push("there").accepted();
    let before = world.remote_ref("refs/heads/main");
    bump(world, host, "1.4.3");
    let missing = format!("{host}/team/app:1.4.3");
    let words = ["apps/prod/kustomization.yaml:6:13", &missing, "not found", "did you mean 1.4.2?"];
    world.commit_and_push("not there").rejected(&words);
    assert_eq!(world.remote_ref("refs/heads/main"), before);
}

#[test]
fn a_registry_over_plain_http_is_judged_by() {
    if !are_installed(TOOLS) {
        return;
    }
    let world = World::new();
    let real = Distribution::start(None, "");
    real.put("team/app:1.4.2", None);
    accepts_what_is_there_and_rejects_what_is_not(&world, &real.host, "plain-http = true", "");
}

#[test]
fn a_registry_with_htpasswd_is_judged_by_with_the_credentials_of_a_docker_config() {
    if !are_installed(TOOLS) {
        return;
    }
    let world = World::new();
    let alice = Some(("alice", "s3cret"));
    let real = Distribution::start(alice, "");
    real.put("team/app:1.4.2", alice);
    world.configure_exactly(&format!("[registries.\"{}\"]\nprivate = true\nplain-http = true\n", real.host));
    bump(&world, &real.host, "1.4.2");
    world.commit_and_push("without credentials").rejected(&["does not exist or is private"]);
    let config = world.path().join("docker.json");
    // alice:s3cret in base64.
    fs::write(&config, format!("{{\"auths\": {{\"{}\": {{\"auth\": \"YWxpY2U6czNjcmV0\"}}}}}}", real.host))
        .expect("it is writable");
    let rest = format!("[credentials]\ndocker-config = [\"{}\"]\n", config.display());
    accepts_what_is_there_and_rejects_what_is_not(&world, &real.host, "plain-http = true", &rest);
}

#[test]
fn a_registry_that_is_stopped_rejects_within_the_deadline() {
    if !are_installed(TOOLS) {
        return;
    }
    let world = World::new();
    let mut real = Distribution::start(None, "");
    real.put("team/app:1.4.2", None);
    let listed = format!("[registries.\"{}\"]\nprivate = true\nplain-http = true\n", real.host);
    world.configure_exactly(&format!("deadline = \"5s\"\n{listed}"));
    real.stop();
    bump(&world, &real.host, "1.4.2");
    let started = Instant::now();
    world.commit_and_push("down").rejected(&["could not be verified", "this is not the commit's fault"]);
    assert!(started.elapsed() < Duration::from_secs(7), "{:?}", started.elapsed());
}
