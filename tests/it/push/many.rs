//! Many refs in one push: all are judged, each image is asked for once, and one verdict holds for all.
use super::{deployed, set};
use crate::world::{World, deployment};
use std::{collections::BTreeMap, fmt::Write as _};

/// Makes `refs/heads/team-<n>` off main for each of `teams`, with a file that deploys `team/app:<n>`.
fn branches(world: &World, teams: std::ops::Range<u32>) {
    let mut script = String::new();
    for team in teams {
        let text = deployment(&world.image(&format!("team/app:{team}")));
        write!(
            script,
            "commit refs/heads/team-{team}\ncommitter Ada <ada@example.com> 0 +0000\ndata 0\nfrom refs/heads/main\n\
             M 100644 inline team-{team}.yaml\ndata {}\n{text}\n",
            text.len()
        )
        .expect("a String takes it");
    }
    world.git(&["fast-import", "--quiet"]).input(script).ok();
}

#[test]
fn of_hundreds_of_branches_one_missing_image_rejects_them_all() {
    let world = deployed();
    branches(&world, 1..201);
    (1..200).for_each(|team| drop(world.registry.push("team/app", &team.to_string())));
    world.push(&["refs/heads/team-*:refs/heads/team-*"]).rejected(&["1 of 200 changed images", "team-200.yaml:11:18"]);
    assert_eq!(world.remote_ref("refs/heads/team-1"), None);
    world.registry.push("team/app", "200");
    world.registry.clear();
    world.push(&["refs/heads/team-*:refs/heads/team-*"]).accepted();
    let mut asked = BTreeMap::<String, u32>::new();
    world.registry.requests().into_iter().for_each(|request| *asked.entry(request.target).or_default() += 1);
    assert!(asked.iter().all(|(target, &count)| count == 1 || !target.contains("/manifests/")), "{asked:?}");
    let expected = (1..201).map(|team| format!("team/app:{team}")).collect();
    assert_eq!(world.asked(), expected);
}

#[test]
fn the_last_of_five_thousand_refs_is_judged_like_the_first() {
    let world = deployed();
    world.registry.push("team/app", "2");
    branches(&world, 2..4);
    world.push(&["refs/heads/team-*:refs/parked/*"]).accepted();
    let id = |branch: &str| world.git(&["rev-parse", branch]).output();
    let (zero, good, bad) = ("0".repeat(40), id("team-2"), id("team-3"));
    let mut lines: String = (1..5000).map(|n| format!("{zero} {good} refs/heads/b{n}\n")).collect();
    let passed = world.call(lines.as_str());
    assert_eq!((passed.code, passed.text.as_str()), (Some(0), ""));
    assert_eq!(world.registry.requests().len(), 1, "one image, one question");
    assert_eq!(world.asked(), set(["team/app:2"]));
    lines += &format!("{zero} {bad} refs/heads/last\n");
    let rejected = world.call(lines);
    assert_eq!(rejected.code, Some(1));
    assert!(rejected.text.contains("1 of 2 changed images") && rejected.text.contains("team-3.yaml:11:18"));
}
