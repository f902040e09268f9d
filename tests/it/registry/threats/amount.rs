//! Pushes that name more than anybody deploys.
use super::super::{check, is_present, listing, open, plain};
use crate::world::{World, deployment};

#[test]
fn ten_thousand_places_of_one_image_are_one_question() {
    let registry = open();
    registry.push("app", "1");
    let image = format!("{}/app:1", registry.host());
    assert!(check(listing(&registry, plain()), &vec![image; 10_000]).iter().all(is_present));
    assert_eq!(registry.requests().len(), 1);
}

#[test]
fn one_image_by_several_names_is_one_question() {
    let registry = open();
    let digest = registry.push("app", "1");
    let host = registry.host();
    let images = [format!("{host}/app@{digest}"), format!("{host}/app:1@{digest}"), format!("{host}/app:2@{digest}")];
    let mut options = listing(&registry, plain());
    options.pinned_tags = false;
    assert!(check(options, &images).iter().all(is_present));
    assert_eq!(registry.requests().len(), 1);
}

#[test]
fn of_ten_thousand_images_in_one_push_no_more_are_asked_for_than_the_configuration_allows() {
    let world = World::new();
    world.configure("max-images = 20");
    let images: Vec<String> = (0..10_000).map(|n| deployment(&world.image(&format!("app-{n}:1")))).collect();
    world.write("apps.yaml", &images.join("---\n"));
    world.commit_and_push("Deploy everything").rejected(&["max-images"]);
    assert!(world.asked().len() <= 20);
}
