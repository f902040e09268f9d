//! A real registry that wants tokens, which a service of its own issues.
use super::{accepts_what_is_there_and_rejects_what_is_not, bump, token_server::TokenServer};
use crate::{
    certificates::keep,
    distribution::{Distribution, TOOLS},
    tools::are_installed,
    world::World,
};
use std::fs;

fn registry(world: &World) -> (Distribution, TokenServer) {
    let tokens = TokenServer::start(world.path());
    (Distribution::with("", &tokens.auth), tokens)
}

/// Credentials of alice with this password, and where they may go for a token.
fn keys(world: &World, tokens: &TokenServer, password: &str) -> String {
    let file = keep(world.path(), "password", &format!("{password}\n"));
    format!(
        "plain-http = true\ntoken-realms = [\"{}\"]\ncredentials = {{ username = \"alice\", password-file = \"{}\" }}",
        tokens.address,
        file.display()
    )
}

#[test]
fn a_registry_that_wants_tokens_is_judged_by_with_credentials() {
    if !are_installed(TOOLS) {
        return;
    }
    let world = World::new();
    let (real, tokens) = registry(&world);
    real.put("team/app:1.4.2", Some(("alice", "s3cret")));
    let keys = keys(&world, &tokens, "s3cret");
    accepts_what_is_there_and_rejects_what_is_not(&world, &real.host, &keys, "");
}

#[test]
fn a_registry_that_wants_tokens_does_not_tell_a_stranger_what_is_private_and_what_is_missing() {
    if !are_installed(TOOLS) {
        return;
    }
    let world = World::new();
    let (real, tokens) = registry(&world);
    let alice = Some(("alice", "s3cret"));
    ["team/app:1.4.2", "public/app:1"].iter().for_each(|image| real.put(image, alice));
    world.configure_exactly(&format!(
        "[registries.\"{}\"]\nprivate = true\nplain-http = true\ntoken-realms = [\"{}\"]\n",
        real.host, tokens.address
    ));
    for tag in ["1.4.2", "1.4.3"] {
        bump(&world, &real.host, tag);
        world.commit_and_push("private or missing").rejected(&["does not exist or is private"]);
    }
    world.undo(1);
    fs::remove_dir_all(world.clone_dir().join("apps")).unwrap();
    world.write("app.yaml", &crate::world::deployment(&format!("{}/public/app:1", real.host)));
    world.commit_and_push("public").accepted();
    world.write("app.yaml", &crate::world::deployment(&format!("{}/public/app:2", real.host)));
    world.commit_and_push("public, but missing").rejected(&["not found"]);
}

#[test]
fn a_registry_that_wants_tokens_and_does_not_know_the_password_cannot_tell() {
    if !are_installed(TOOLS) {
        return;
    }
    let world = World::new();
    let (real, tokens) = registry(&world);
    real.put("team/app:1.4.2", Some(("alice", "s3cret")));
    let keys = keys(&world, &tokens, "wrong");
    world.configure_exactly(&format!("[registries.\"{}\"]\nprivate = true\n{keys}\n", real.host));
    bump(&world, &real.host, "1.4.2");
    world.commit_and_push("with a wrong password").rejected(&["could not be verified", "refused the credentials"]);
}
