//! Real pushes through the installed hook.
mod broken;
mod bytes;
mod changes;
mod contents;
mod endings;
mod histories;
mod many;
mod new_refs;
mod objects;
mod quiet;
mod repositories;
mod stdin;
mod verdicts;

use crate::world::World;

/// A world whose main deploys team/app:1 in app.yaml, before anything was asked.
fn deployed() -> World {
    on(World::new())
}

/// The same on a world that is made already.
fn on(world: World) -> World {
    world.registry.push("team/app", "1");
    world.deploy("app.yaml", "team/app:1");
    world.commit_and_push("Deploy the application").accepted();
    world.registry.clear();
    world
}

/// Of two pushes that differ in one image the one that deploys a missing image is rejected.
#[track_caller]
fn assert_judges(world: &World) {
    world.deploy("web.yaml", "team/web:1");
    world.commit_and_push("Deploy the web").rejected(&["web.yaml:11:18", "not found"]);
    assert_eq!(world.remote_ref("refs/heads/main"), Some(world.git(&["rev-parse", "HEAD~1"]).output()));
    world.registry.push("team/web", "1");
    world.push(&["main"]).accepted();
    assert_eq!(world.remote_ref("refs/heads/main"), Some(world.git(&["rev-parse", "HEAD"]).output()));
}

/// A set as `World::asked` returns it.
fn set<const N: usize>(images: [&str; N]) -> std::collections::BTreeSet<String> {
    images.map(str::to_owned).into()
}
