//! "Did you mean": the tags that a repository has, asked for when one is not there.
use super::{Checked, ask, check, check_within, describe, listing, open, plain, requests};
use pullgate::{
    lab::{Behaviour, Registry, Scope},
    registry::{Answer, Repository},
};
use std::time::{Duration, Instant};

fn suggestions(checked: Checked) -> (Repository, Vec<String>) {
    match checked {
        Ok(Answer::Absent { repository, suggestions, .. }) => (repository, suggestions),
        other => panic!("{other:?}"),
    }
}

fn with(tags: impl IntoIterator<Item = impl AsRef<str>>) -> Registry {
    let registry = open();
    for tag in tags {
        registry.push("team/app", tag.as_ref());
    }
    registry
}

fn suggested(registry: &Registry, image: &str) -> Vec<String> {
    suggestions(ask(registry, plain(), image)).1
}

#[test]
fn the_nearest_tags_take_one_request_more() {
    let registry = with(["1.4.2", "1.4.1", "2.0.0", "latest"]);
    let checked = ask(&registry, plain(), "team/app:1.4.3");
    assert_eq!(
        describe(&checked, &registry, "team/app:1.4.3"),
        "not found: the repository has no tag \"1.4.3\" (404 MANIFEST_UNKNOWN)"
    );
    let expected = ["1.4.2", "1.4.1", "2.0.0"].map(str::to_owned).to_vec();
    assert_eq!(suggestions(checked), (Repository::Exists, expected));
    let expected =
        ["HEAD /v2/team/app/manifests/1.4.3", "GET /v2/team/app/manifests/1.4.3", "GET /v2/team/app/tags/list?n=1000"];
    assert_eq!(requests(&registry), expected);
    assert_eq!(registry.connections(), 1);
}

#[test]
fn a_repository_that_is_not_there_is_told_by_the_list_of_its_tags() {
    let registry = open();
    let checked = ask(&registry, plain(), "team/ap:1");
    assert_eq!(
        describe(&checked, &registry, "team/ap:1"),
        "not found: there is no repository team/ap (404 MANIFEST_UNKNOWN)"
    );
}

#[test]
fn an_empty_list_does_not_say_that_there_is_a_repository() {
    for body in ["{\"name\":\"team/app\",\"tags\":[]}", "{\"name\":\"team/app\",\"tags\":null}"] {
        let registry = open();
        let list = Behaviour::Status { code: 200, headers: Vec::new(), body: body.to_owned() };
        registry.misbehave(Scope::tags("team/app"), list);
        assert_eq!(suggestions(ask(&registry, plain(), "team/app:1")), (Repository::Unknown, Vec::new()));
    }
}

#[test]
fn a_list_that_may_not_be_read_costs_nothing_but_the_suggestions() {
    for status in [400, 401, 403, 404, 405, 429, 500] {
        let registry = with(["1"]);
        registry.misbehave(Scope::tags("team/app"), Behaviour::status(status));
        let expected = (Repository::Unknown, Vec::new());
        assert_eq!(suggestions(ask(&registry, plain(), "team/app:2")), expected, "{status}");
    }
}

#[test]
fn without_suggestions_the_list_of_tags_is_not_asked_for() {
    let registry = with(["1"]);
    let mut options = listing(&registry, plain());
    options.suggestions = false;
    let checked = check(options, &[format!("{}/team/app:2", registry.host())]).remove(0);
    assert_eq!(describe(&checked, &registry, "team/app:2"), "not found (404 MANIFEST_UNKNOWN)");
    assert_eq!(registry.requests().len(), 2);
}

#[test]
fn a_list_of_tags_that_hangs_costs_a_second_and_not_the_answer() {
    let registry = with(["1"]);
    registry.misbehave(Scope::tags("team/app"), Behaviour::Hang);
    let start = Instant::now();
    assert_eq!(suggestions(ask(&registry, plain(), "team/app:2")), (Repository::Unknown, Vec::new()));
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
}

#[test]
fn a_list_of_tags_that_hangs_does_not_move_the_deadline() {
    let registry = with(["1"]);
    registry.misbehave(Scope::tags("team/app"), Behaviour::Hang);
    let image = format!("{}/team/app:2", registry.host());
    let start = Instant::now();
    let checked = check_within(listing(&registry, plain()), &[image], Duration::from_millis(600)).remove(0);
    assert_eq!(suggestions(checked), (Repository::Unknown, Vec::new()));
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
}

#[test]
fn one_list_serves_all_who_miss_a_tag_of_the_same_repository() {
    let registry = with(["1.4.2"]);
    let images = ["1.4.3", "1.4.4", "1.4.5"].map(|tag| format!("{}/team/app:{tag}", registry.host()));
    for checked in check(listing(&registry, plain()), &images) {
        assert_eq!(suggestions(checked).1, ["1.4.2"]);
    }
    let lists = requests(&registry).into_iter().filter(|line| line.contains("/tags/list")).count();
    assert_eq!(lists, 1);
}

#[test]
fn hundreds_of_absent_images_do_not_ask_for_hundreds_of_lists() {
    let registry = open();
    let images: Vec<String> = (0..200).map(|n| format!("{}/team/app-{n}:1", registry.host())).collect();
    let checked = check(listing(&registry, plain()), &images);
    assert!(checked.iter().all(|checked| matches!(checked, Ok(Answer::Absent { .. }))));
    let lists = requests(&registry).into_iter().filter(|line| line.contains("/tags/list")).count();
    assert_eq!(lists, 64);
}

#[test]
fn a_tag_beyond_the_first_page_is_looked_for_on_the_page_that_begins_at_its_line() {
    let registry = with((0..1200).map(|n| format!("1.0.{n}")).chain(["1.4.2".to_owned(), "1.5.0".to_owned()]));
    let suggested = suggested(&registry, "team/app:1.4.3");
    assert!(suggested[0] == "1.4.2" && suggested.contains(&"1.5.0".to_owned()), "{suggested:?}");
    let asked = requests(&registry);
    assert_eq!(asked[2..], ["GET /v2/team/app/tags/list?n=1000", "GET /v2/team/app/tags/list?n=1000&last=1.4"]);
}

#[test]
fn a_tag_within_the_first_page_takes_no_second_one() {
    let registry = with((0..1200).map(|n| format!("2.0.{n}")).chain(["1.4.2".to_owned()]));
    assert_eq!(suggested(&registry, "team/app:1.4.3")[0], "1.4.2");
    assert_eq!(registry.requests().len(), 3);
}

#[test]
fn a_registry_that_sends_all_its_tags_at_once_is_looked_through() {
    let registry = open();
    let tags: Vec<String> = (0..5000).map(|n| format!("\"1.0.{n}\"")).chain(["\"1.4.2\"".to_owned()]).collect();
    let body = format!("{{\"name\":\"team/app\",\"tags\":[{}]}}", tags.join(","));
    registry.misbehave(Scope::tags("team/app"), Behaviour::Status { code: 200, headers: Vec::new(), body });
    assert_eq!(suggested(&registry, "team/app:1.4.3")[0], "1.4.2");
}

#[test]
fn nulls_and_digests_and_signatures_are_never_suggested() {
    let registry = open();
    let hex = "a".repeat(64);
    let body = format!("{{\"tags\":[null,\"sha256:{hex}\",\"sha256-{hex}.sig\",\"sha256-{hex}\",\"sha256-x\"]}}");
    registry.misbehave(Scope::tags("team/app"), Behaviour::Status { code: 200, headers: Vec::new(), body });
    assert_eq!(suggested(&registry, "team/app:sha256-y"), ["sha256-x"]);
    assert_eq!(suggested(&registry, &format!("team/app:sha256-{hex}.si")), Vec::<String>::new());
}

#[test]
fn a_limit_to_lists_of_tags_does_not_hide_what_is_missing() {
    let registry = with(["1"]);
    registry.misbehave(Scope::tags("team/app"), Behaviour::RateLimited { retry_after: Some("600".to_owned()) });
    registry.misbehave("team/late", Behaviour::Delay(Duration::from_millis(300)));
    let images = ["app", "late"].map(|name| format!("{}/team/{name}:2", registry.host()));
    for checked in check(listing(&registry, plain()), &images) {
        assert!(matches!(checked, Ok(Answer::Absent { .. })), "{checked:?}");
    }
}
