//! What registries answer about images, and what is made of it.
use super::{Checked, ask, check, describe, error_code, is_present, listing, open, plain, requests};
use pullgate::{
    lab::{Behaviour, Registry, Scope},
    registry::{Answer, Error, Repository},
};
use std::time::Duration;

fn suggestions(checked: Checked) -> (Repository, Vec<String>) {
    match checked {
        Ok(Answer::Absent { repository, suggestions, .. }) => (repository, suggestions),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_image_that_is_there_takes_one_head() {
    let registry = open();
    let digest = registry.push("team/app", "1.4.2");
    assert_eq!(ask(&registry, plain(), "team/app:1.4.2"), Ok(Answer::Present { digest: Some(digest.clone()) }));
    assert_eq!(requests(&registry), ["HEAD /v2/team/app/manifests/1.4.2"]);
    let request = registry.requests().remove(0);
    assert_eq!(request.accept.split(", ").count(), 4);
    assert!(request.user_agent.starts_with("pullgate/"));

    registry.clear();
    assert!(is_present(&ask(&registry, plain(), &format!("team/app:gone@{digest}"))));
    assert_eq!(requests(&registry), [format!("HEAD /v2/team/app/manifests/{digest}")]);
}

#[test]
fn an_absent_tag_is_asked_for_twice_and_the_nearest_are_suggested() {
    let registry = open();
    for tag in ["1.4.2", "1.4.1", "2.0.0", "latest"] {
        registry.push("team/app", tag);
    }
    let checked = ask(&registry, plain(), "team/app:1.4.3");
    assert_eq!(
        describe(&checked, &registry, "team/app:1.4.3"),
        "not found: the repository has no tag \"1.4.3\" (404 MANIFEST_UNKNOWN)"
    );
    assert_eq!(suggestions(checked), (Repository::Exists, vec!["1.4.2".to_owned(), "1.4.1".to_owned()]));
    let expected =
        ["HEAD /v2/team/app/manifests/1.4.3", "GET /v2/team/app/manifests/1.4.3", "GET /v2/team/app/tags/list?n=1000"];
    assert_eq!(requests(&registry), expected);
    assert_eq!(registry.connections(), 1);
}

#[test]
fn a_repository_that_is_not_there_is_told_from_a_tag_that_is_not() {
    let registry = open();
    let checked = ask(&registry, plain(), "team/ap:1");
    assert_eq!(
        describe(&checked, &registry, "team/ap:1"),
        "not found: there is no repository team/ap (404 MANIFEST_UNKNOWN)"
    );
    registry.misbehave("team/other", error_code(404, "NAME_UNKNOWN", "repository name not known"));
    let checked = ask(&registry, plain(), "team/other:1");
    assert_eq!(
        describe(&checked, &registry, "team/other:1"),
        "not found: there is no repository team/other (404 NAME_UNKNOWN)"
    );
}

#[test]
fn without_suggestions_the_list_of_tags_is_not_asked_for() {
    let registry = open();
    registry.push("team/app", "1");
    let mut options = listing(&registry, plain());
    options.suggestions = false;
    let checked = check(options, &[format!("{}/team/app:2", registry.host())]).remove(0);
    assert_eq!(describe(&checked, &registry, "team/app:2"), "not found (404 MANIFEST_UNKNOWN)");
    assert_eq!(registry.requests().len(), 2);
}

#[test]
fn a_list_of_tags_that_hangs_costs_a_second_and_not_the_answer() {
    let registry = open();
    registry.push("team/app", "1");
    // The manifest is asked for by name before the rule, the list after it.
    registry.misbehave("team/app:2", error_code(404, "MANIFEST_UNKNOWN", "unknown"));
    registry.misbehave("team/app", Behaviour::Hang);
    assert_eq!(suggestions(ask(&registry, plain(), "team/app:2")), (Repository::Unknown, Vec::new()));
}

#[test]
fn a_head_that_lies_is_found_out_by_the_get() {
    for liar in [
        Behaviour::HeadNotFoundButGetWorks,
        Behaviour::status(405),
        Behaviour::status(403),
        Behaviour::HtmlPage,
        Behaviour::CloseConnection,
    ] {
        let registry = open();
        registry.push("team/app", "1");
        registry.misbehave(Scope::from("team/app:1").head(), liar.clone());
        assert!(is_present(&ask(&registry, plain(), "team/app:1")), "{liar:?}");
        assert_eq!(requests(&registry).last().unwrap(), "GET /v2/team/app/manifests/1");
    }
}

#[test]
fn the_digest_header_may_be_missing() {
    let registry = open();
    registry.push("team/app", "1");
    registry.misbehave("team/app", Behaviour::NoDigestHeader);
    registry.misbehave("team/app", Behaviour::NoContentLength);
    assert_eq!(ask(&registry, plain(), "team/app:1"), Ok(Answer::Present { digest: None }));
    assert_eq!(registry.requests().len(), 1);
}

#[test]
fn a_page_for_a_browser_is_no_manifest() {
    let registry = open();
    registry.push("team/app", "1");
    registry.misbehave("team/app", Behaviour::HtmlPage);
    let checked = ask(&registry, plain(), "team/app:1");
    assert!(matches!(checked, Err(Error::NotARegistry { .. })), "{checked:?}");
}

#[test]
fn a_manifest_fetched_by_digest_must_have_that_digest() {
    let registry = open();
    let digest = registry.push("team/app", "1");
    let image = format!("team/app@{digest}");
    registry.misbehave("team/app", Behaviour::HeadNotFoundButGetWorks);
    assert_eq!(ask(&registry, plain(), &image), Ok(Answer::Present { digest: Some(digest) }));
    registry.misbehave("team/app", Behaviour::WrongDigestBody);
    assert!(matches!(ask(&registry, plain(), &image), Err(Error::NotARegistry { .. })));
}

#[test]
fn a_head_that_names_another_digest_than_the_one_asked_for_is_not_believed() {
    let registry = open();
    let digest = registry.push("team/app", "1");
    let headers = vec![("docker-content-digest".to_owned(), format!("sha256:{}", "0".repeat(64)))];
    let other = Behaviour::Status { code: 200, headers, body: String::new() };
    registry.misbehave(Scope::from(format!("team/app@{digest}").as_str()).head(), other);
    let expected = Ok(Answer::Present { digest: Some(digest.clone()) });
    assert_eq!(ask(&registry, plain(), &format!("team/app@{digest}")), expected);
    assert_eq!(registry.requests().len(), 2);
}

#[test]
fn a_body_without_end_is_read_no_further_than_a_manifest_may_be_long() {
    let registry = open();
    registry.push("team/app", "1");
    registry.misbehave("team/app", Behaviour::HeadNotFoundButGetWorks);
    registry.misbehave("team/app", Behaviour::EndlessBody);
    let checked = ask(&registry, plain(), "team/app:1");
    assert!(matches!(checked, Err(Error::NotARegistry { .. })), "{checked:?}");
}

#[test]
fn only_schema_1_is_as_good_as_nothing() {
    let registry = open();
    registry.push_manifest("old/app", "1", "application/vnd.oci.image.manifest.v1+json", "{\"schemaVersion\":1}");
    registry.misbehave("old/app", Behaviour::HeadNotFoundButGetWorks);
    assert!(matches!(ask(&registry, plain(), "old/app:1"), Ok(Answer::Blocked { .. })));
}

#[test]
fn what_a_registry_says_is_kept_as_it_was_sent() {
    let registry = open();
    registry.push("team/app", "1");
    registry.misbehave("team/app", error_code(412, "PROJECTPOLICYVIOLATION", "7 \u{1b}[31mcritical\nfindings"));
    assert_eq!(
        ask(&registry, plain(), "team/app:1"),
        Ok(Answer::Blocked { message: "7 \u{1b}[31mcritical\nfindings".to_owned() })
    );
    registry.behave();
    registry.misbehave("team/app", error_code(404, "TAG_\u{202e}EXPIRED", "gone"));
    let Ok(Answer::Absent { code, .. }) = ask(&registry, plain(), "team/app:1") else { panic!() };
    assert_eq!(code.as_deref(), Some("TAG_\u{202e}EXPIRED"));
}

#[test]
fn twenty_images_of_one_registry_take_twenty_requests_and_the_first_goes_alone() {
    let registry = lab_with_latency();
    let images: Vec<String> = (0..20).map(|n| format!("{}/team/app-{n}:1", registry.host())).collect();
    (0..20).for_each(|n| drop(registry.push(&format!("team/app-{n}"), "1")));
    // The same image by three names is one manifest.
    let twice = [&images[..], &[images[0].clone(), format!("{}/team/app-1:1", registry.host())]].concat();
    assert!(check(listing(&registry, plain()), &twice).iter().all(is_present));
    assert_eq!(registry.requests().len(), 20);
    let mut connections: Vec<u64> = registry.requests().iter().map(|request| request.connection).collect();
    assert_eq!(connections[0], 1);
    connections.dedup();
    // HTTP/1.1 without TLS: the second of them already has the connection of the first.
    assert!(registry.connections() <= 20, "{connections:?}");
}

fn lab_with_latency() -> Registry {
    let latency = Duration::from_millis(20);
    Registry::start(pullgate::lab::Options { latency, ..pullgate::lab::Options::default() }).unwrap()
}
