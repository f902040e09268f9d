//! Images that are not there: what counts as a registry's "no", and what is said of it.
use super::{Checked, ask, describe, error_code, open, plain, requests};
use pullgate::{
    image::Reference,
    lab::{Behaviour, Registry, Scope},
    registry::{Answer, Error, Repository},
};

/// The answer about team/app:2 where team/app:1 is, from a registry that answers for the manifest with this.
fn ask_one_that_answers(behaviour: Behaviour) -> (Registry, Checked) {
    let registry = open();
    registry.push("team/app", "1");
    registry.misbehave("team/app:2", behaviour);
    let checked = ask(&registry, plain(), "team/app:2");
    (registry, checked)
}

/// What is said of it.
#[track_caller]
fn said_of(behaviour: Behaviour) -> String {
    let (registry, checked) = ask_one_that_answers(behaviour);
    assert!(matches!(checked, Ok(Answer::Absent { .. })), "{checked:?}");
    let asked = requests(&registry);
    assert_eq!(asked[..2], ["HEAD /v2/team/app/manifests/2", "GET /v2/team/app/manifests/2"], "{asked:?}");
    describe(&checked, &registry, "team/app:2")
}

#[test]
fn a_404_with_manifest_unknown_is_absent() {
    let said = said_of(error_code(404, "MANIFEST_UNKNOWN", "manifest unknown"));
    assert_eq!(said, "not found: the repository has no tag \"2\" (404 MANIFEST_UNKNOWN)");
}

#[test]
fn a_404_with_name_unknown_says_that_there_is_no_repository() {
    let (registry, checked) = ask_one_that_answers(error_code(404, "NAME_UNKNOWN", "repository name not known"));
    let said = describe(&checked, &registry, "team/app:2");
    assert_eq!(said, "not found: there is no repository team/app (404 NAME_UNKNOWN)");
    assert_eq!(registry.requests().len(), 2, "no list of tags is asked for");
}

#[test]
fn a_404_with_not_found_is_absent() {
    let said = said_of(error_code(404, "NOT_FOUND", "artifact team/app:2 not found"));
    assert_eq!(said, "not found: the repository has no tag \"2\" (404 NOT_FOUND)");
}

#[test]
fn a_404_with_tag_expired_is_absent() {
    let said = said_of(error_code(404, "TAG_EXPIRED", "Tag 2 was deleted or has expired"));
    assert_eq!(said, "not found: the repository has no tag \"2\" (404 TAG_EXPIRED)");
}

#[test]
fn a_404_with_a_code_that_nobody_knows_is_absent() {
    let said = said_of(error_code(404, "UNKNOWN", "Not Found"));
    assert_eq!(said, "not found: the repository has no tag \"2\" (404 UNKNOWN)");
}

#[test]
fn a_404_in_plain_text_from_a_listed_registry_is_absent() {
    let text = Behaviour::Status { code: 404, headers: Vec::new(), body: "404 page not found\n".to_owned() };
    assert_eq!(said_of(text), "not found: the repository has no tag \"2\" (404)");
}

#[test]
fn a_404_in_plain_text_from_who_is_not_listed_is_no_answer() {
    let registry = open();
    let text = Behaviour::Status { code: 404, headers: Vec::new(), body: "404 page not found\n".to_owned() };
    registry.misbehave(Scope::everything(), text);
    let checked = ask_unlisted(&registry, "team/app:2");
    assert!(matches!(checked, Err(Error::NotARegistry { .. })), "{checked:?}");
}

#[test]
fn a_404_of_a_registry_that_is_not_listed_is_absent() {
    let registry = open();
    let checked = ask_unlisted(&registry, "team/app:2");
    assert!(matches!(checked, Ok(Answer::Absent { .. })), "{checked:?}");
}

/// A listed registry that sends us to one which is not: what that one says is what a stranger says.
fn ask_unlisted(registry: &Registry, image: &str) -> Checked {
    let front = open();
    let mut options = super::listing(&front, plain());
    options.hosts.insert(registry.host(), plain());
    options.suggestions = false;
    let (name, tag) = image.split_once(':').unwrap();
    let there = format!("http://{}/v2/{name}/manifests/{tag}", registry.host());
    front.misbehave(name, Behaviour::Redirect(there));
    super::check(options, &[format!("{}/{image}", front.host())]).remove(0)
}

#[test]
fn head_403_and_get_404_is_absent() {
    let registry = open();
    registry.push("team/app", "1");
    registry.misbehave(Scope::from("team/app:2").head(), Behaviour::status(403));
    let checked = ask(&registry, plain(), "team/app:2");
    assert!(matches!(checked, Ok(Answer::Absent { .. })), "{checked:?}");
}

#[test]
fn a_400_with_unauthorized_is_a_denial() {
    let (_registry, checked) = ask_one_that_answers(error_code(400, "UNAUTHORIZED", "access is not authorized"));
    assert!(matches!(checked, Ok(Answer::Denied { status: 400, .. })), "{checked:?}");
}

#[test]
fn a_400_that_says_nothing_is_no_answer() {
    let (_registry, checked) = ask_one_that_answers(Behaviour::status(400));
    assert!(matches!(checked, Err(Error::Server { status: 400, .. })), "{checked:?}");
}

#[test]
fn a_404_for_who_does_not_accept_the_type_is_none_for_us() {
    let registry = open();
    registry.push_index("team/app", "1", &["linux/amd64"]);
    assert!(super::is_present(&ask(&registry, plain(), "team/app:1")));
    registry.push_manifest("team/app", "odd", "application/vnd.example.manifest+json", "{\"schemaVersion\":2}");
    let checked = ask(&registry, plain(), "team/app:odd");
    let said = describe(&checked, &registry, "team/app:odd");
    let expected = "not found: the repository lists a tag \"odd\", but serves no manifest of it (404 MANIFEST_UNKNOWN)";
    assert_eq!(said, expected);
}

#[test]
fn a_digest_that_is_not_there_says_whether_its_repository_is() {
    let registry = open();
    registry.push("team/app", "1");
    let digest = format!("sha256:{}", "a".repeat(64));
    let said = |image: &str| describe(&ask(&registry, plain(), image), &registry, image);
    let expected = format!("not found: the repository has no manifest {digest} (404 MANIFEST_UNKNOWN)");
    assert_eq!(said(&format!("team/app@{digest}")), expected);
    let expected = "not found: there is no repository team/other (404 MANIFEST_UNKNOWN)";
    assert_eq!(said(&format!("team/other@{digest}")), expected);
}

#[test]
fn a_code_is_kept_as_it_was_sent() {
    let (_registry, checked) = ask_one_that_answers(error_code(404, "TAG_\u{202e}EXPIRED", "gone"));
    let Ok(Answer::Absent { code, .. }) = checked else { panic!("{checked:?}") };
    assert_eq!(code.as_deref(), Some("TAG_\u{202e}EXPIRED"));
}

#[test]
fn what_is_said_of_the_repository_is_what_the_registry_said() {
    let described = |repository| {
        let answer = Answer::Absent { status: 404, code: Some("X".to_owned()), repository, suggestions: Vec::new() };
        answer.describe(&Reference::parse("r.io/team/app:2").unwrap())
    };
    assert_eq!(described(Repository::Unknown), "not found (404 X)");
    assert_eq!(described(Repository::Exists), "not found: the repository has no tag \"2\" (404 X)");
}

#[test]
fn a_404_of_what_knows_no_registry_at_all_is_no_answer_even_where_one_is_listed() {
    let registry = open();
    // As an ingress says it whose registry is away.
    let text = Behaviour::Status { code: 404, headers: Vec::new(), body: "404 page not found\n".to_owned() };
    registry.misbehave(Scope::everything(), text);
    let checked = ask(&registry, plain(), "team/app:2");
    assert!(matches!(checked, Err(Error::NotARegistry { .. })), "{checked:?}");
}
