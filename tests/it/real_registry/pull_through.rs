//! A real registry as the cache of another, which may be down.
use super::bump;
use crate::{
    distribution::{Distribution, TOOLS},
    tools::are_installed,
    world::World,
};

/// The upstream with three tags of `team/app`, its cache, and a configuration of both. `keys` are the
/// cache's.
fn pull_through(world: &World, keys: impl Fn(&Distribution) -> String) -> (Distribution, Distribution) {
    let upstream = Distribution::start(None, "");
    ["1.4.2", "1.5.0", "1.6.0"].iter().for_each(|tag| upstream.put(&format!("team/app:{tag}"), None));
    let cache = Distribution::with("", &format!("proxy: {{remoteurl: 'http://{}'}}\n", upstream.host));
    let listed = |real: &Distribution| format!("[registries.\"{}\"]\nprivate = true\nplain-http = true\n", real.host);
    world.configure_exactly(&format!("{}{}{}", listed(&upstream), listed(&cache), keys(&upstream)));
    (upstream, cache)
}

fn push(world: &World, host: &str, tag: &str) -> crate::world::Push {
    bump(world, host, tag);
    world.commit_and_push(&format!("{host} {tag}"))
}

fn as_mirror(upstream: &Distribution) -> String {
    format!("mirror-of = \"{}\"\n", upstream.host)
}

#[test]
fn a_cache_as_a_mirror_is_judged_by_while_its_upstream_is_up() {
    if !are_installed(TOOLS) {
        return;
    }
    let world = World::new();
    let (upstream, _cache) = pull_through(&world, as_mirror);
    push(&world, &upstream.host, "1.4.2").accepted();
    push(&world, &upstream.host, "1.4.3").rejected(&["not found", "did you mean 1.4.2"]);
}

#[test]
fn a_cache_as_a_mirror_vouches_for_what_it_has_while_its_upstream_is_down_and_for_nothing_else() {
    if !are_installed(TOOLS) {
        return;
    }
    let world = World::new();
    let (mut upstream, _cache) = pull_through(&world, as_mirror);
    ["1.4.2", "1.5.0"].iter().for_each(|tag| push(&world, &upstream.host, tag).accepted());
    upstream.stop();
    push(&world, &upstream.host, "1.6.0").rejected(&["could not be verified", "this is not the commit's fault"]);
    world.undo(1);
    push(&world, &upstream.host, "1.4.2").accepted();
}

#[test]
fn a_cache_that_images_name_is_judged_by_while_its_upstream_is_up() {
    if !are_installed(TOOLS) {
        return;
    }
    let world = World::new();
    let (_upstream, cache) = pull_through(&world, |_| String::new());
    push(&world, &cache.host, "1.4.2").accepted();
    push(&world, &cache.host, "1.4.3").rejected(&["not found"]);
}

#[test]
fn a_cache_that_images_name_has_while_its_upstream_is_down_what_it_had_and_cannot_tell_of_digests() {
    if !are_installed(TOOLS) {
        return;
    }
    let world = World::new();
    let (mut upstream, cache) = pull_through(&world, |_| String::new());
    ["1.4.2", "1.5.0"].iter().for_each(|tag| push(&world, &cache.host, tag).accepted());
    upstream.stop();
    push(&world, &cache.host, "1.4.2").accepted();
    // Of a tag it says what it would say if there were none: a cluster that pulls from it would be told the same.
    push(&world, &cache.host, "1.6.0").rejected(&["not found"]);
    world.undo(1);
    let digest = format!("sha256:{}", "a".repeat(64));
    world.write("other/app.yaml", &crate::world::deployment(&format!("{}/team/app@{digest}", cache.host)));
    world.commit_and_push("a digest").rejected(&["could not be verified"]);
}
