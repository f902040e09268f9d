//! Tags beside digests: the digest decides, and what has become of the tag is worth a word.
use super::{listing, open, plain, requests};
use pullgate::{
    image::Reference,
    lab::{Behaviour, Registry, Scope},
    registry::{Checked, Moved, Options, Registries},
};
use std::time::{Duration, Instant};

fn check(options: Options, references: &[Reference]) -> Checked {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(Registries::new(options).check(references, Instant::now() + Duration::from_secs(10)))
}

fn reference(registry: &Registry, image: &str) -> Reference {
    Reference::parse(&format!("{}/{image}", registry.host())).unwrap()
}

/// What has become of the tag of an image, asked for whatever else there is.
fn moved(registry: &Registry, image: &str) -> Option<Moved> {
    let image = reference(registry, image);
    let options = Options { pinned_tags: true, ..listing(registry, plain()) };
    check(options, std::slice::from_ref(&image)).moved.remove(&image)
}

#[test]
fn a_tag_that_still_means_its_digest_is_not_worth_a_word() {
    let registry = open();
    let digest = registry.push("team/app", "1");
    assert_eq!(moved(&registry, &format!("team/app:1@{digest}")), None);
    let expected = [format!("HEAD /v2/team/app/manifests/{digest}"), "HEAD /v2/team/app/manifests/1".to_owned()];
    assert_eq!(requests(&registry), expected);
}

#[test]
fn a_tag_that_means_another_digest_is() {
    let registry = open();
    let digest = registry.push("team/app", "1");
    let other = registry.push_for("team/app", "1", "linux/arm64");
    let expected = Moved::Elsewhere { digest: other };
    assert_eq!(moved(&registry, &format!("team/app:1@{digest}")), Some(expected));
}

#[test]
fn a_tag_that_is_gone_is() {
    let registry = open();
    let digest = registry.push("team/app", "1");
    registry.remove("team/app", "1");
    assert_eq!(moved(&registry, &format!("team/app:1@{digest}")), Some(Moved::Gone));
    assert!(requests(&registry).iter().all(|line| !line.contains("tags/list")));
}

#[test]
fn a_head_that_lies_about_the_tag_does_not_make_it_gone() {
    let registry = open();
    let digest = registry.push("team/app", "1");
    registry.misbehave("team/app:1", Behaviour::HeadNotFoundButGetWorks);
    assert_eq!(moved(&registry, &format!("team/app:1@{digest}")), None);
}

#[test]
fn without_need_a_tag_beside_a_digest_costs_nothing() {
    let registry = open();
    let digest = registry.push("team/app", "1");
    let image = reference(&registry, &format!("team/app:gone@{digest}"));
    let checked = check(listing(&registry, plain()), &[image]);
    assert!(checked.moved.is_empty());
    assert_eq!(registry.requests().len(), 1);
}

#[test]
fn where_something_is_wrong_anyway_the_tags_are_looked_at_too() {
    let registry = open();
    let digest = registry.push("team/app", "1");
    let images = [format!("team/app:gone@{digest}"), "team/other:1".to_owned()];
    let images = images.map(|image| reference(&registry, &image));
    let checked = check(listing(&registry, plain()), &images);
    assert_eq!(checked.moved.into_iter().collect::<Vec<_>>(), [(images[0].clone(), Moved::Gone)]);
}

#[test]
fn a_digest_that_is_gone_is_absent_wherever_its_tag_points() {
    let registry = open();
    let digest = registry.push("team/app", "1");
    let gone = format!("sha256:{}", "a".repeat(64));
    let image = reference(&registry, &format!("team/app:1@{gone}"));
    let checked = check(listing(&registry, plain()), std::slice::from_ref(&image));
    assert!(matches!(checked.answers[&image], Ok(pullgate::registry::Answer::Absent { .. })));
    assert_eq!(checked.moved[&image], Moved::Elsewhere { digest });
}

#[test]
fn a_registry_that_does_not_say_delays_nothing_beyond_a_second() {
    let registry = open();
    let digest = registry.push("team/app", "1");
    registry.misbehave(Scope::from("team/app:1"), Behaviour::Hang);
    let start = Instant::now();
    assert_eq!(moved(&registry, &format!("team/app:1@{digest}")), None);
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
}
