//! What token services answer, and what becomes of tokens.
use super::{Checked, ask, bearer, check, error_code, is_present, listing, open, plain, requests, status, with};
use pullgate::{
    lab::{Auth, Behaviour, Registry, Scope},
    registry::{Answer, AskedAs, Error, Options},
};
use serde_json::json;
use std::{fs, time::Duration};
use tempfile::TempDir;

fn public() -> Registry {
    let registry = with(bearer());
    registry.push("team/app", "1");
    registry
}

fn saying(code: u16, body: &str) -> Behaviour {
    Behaviour::Status { code, headers: Vec::new(), body: body.to_owned() }
}

/// The token that the registry is shown if its token service answers with this body.
fn shown(body: &str) -> Option<String> {
    let registry = public();
    registry.misbehave(Scope::token(), saying(200, body));
    let _ = ask(&registry, plain(), "team/app:1");
    registry.requests().into_iter().find_map(|request| request.authorization).map(|shown| shown.value)
}

#[test]
fn a_token_may_be_called_access_token() {
    let registry = public();
    registry.misbehave(Scope::token(), Behaviour::AccessTokenOnly);
    assert!(is_present(&ask(&registry, plain(), "team/app:1")));
}

#[test]
fn of_the_two_names_of_a_token_the_first_that_is_not_empty_counts() {
    assert_eq!(shown("{\"token\":\"\",\"access_token\":\"t\"}").as_deref(), Some("t"));
    assert_eq!(shown("{\"token\":null,\"access_token\":\"t\"}").as_deref(), Some("t"));
    assert_eq!(shown("{\"token\":\"t\",\"access_token\":\"u\",\"expires_in\":\"x\"}").as_deref(), Some("t"));
}

#[test]
fn a_token_service_without_a_token_is_none() {
    for body in ["", "{}", "<html>", "{\"token\":\"\"}", "{\"token\":\"a\\nb\"}"] {
        let registry = public();
        registry.misbehave(Scope::token(), saying(200, body));
        let checked = ask(&registry, plain(), "team/app:1");
        assert!(matches!(checked, Err(Error::NotARegistry { .. })), "{body}: {checked:?}");
    }
}

#[test]
fn a_token_of_ten_megabytes_is_none() {
    let registry = public();
    registry.misbehave(Scope::token(), saying(200, &format!("{{\"token\":\"{}\"}}", "x".repeat(10_000_000))));
    let checked = ask(&registry, plain(), "team/app:1");
    assert!(matches!(checked, Err(Error::NotARegistry { .. })), "{checked:?}");
}

fn is_denied_to_anybody(checked: &Checked) -> bool {
    matches!(checked, Ok(Answer::Denied { asked_as: AskedAs::Anonymous, .. }))
}

#[test]
fn a_403_of_the_token_service_may_mean_missing_as_with_google() {
    let registry = public();
    let message = "Unauthenticated request. Unauthenticated requests do not have permission (or it may not exist)";
    registry.misbehave(Scope::token(), error_code(403, "DENIED", message));
    assert!(is_denied_to_anybody(&ask(&registry, plain(), "team/app:1")));
    assert_eq!(registry.requests().len(), 2);
}

#[test]
fn a_401_of_the_token_service_may_mean_missing_as_with_github() {
    let registry = public();
    registry.misbehave(Scope::token(), error_code(401, "UNAUTHORIZED", "authentication required"));
    assert!(is_denied_to_anybody(&ask(&registry, plain(), "team/app:1")));
    assert_eq!(registry.requests().len(), 2);
}

/// A registry that lets in who has the identity token `refresh`, and the configuration that says it.
fn with_identity(folder: &TempDir) -> (Registry, Options) {
    let users = [("alice", "s3cret"), ("<token>", "refresh")].into();
    let registry = with(Auth::Bearer { users, realm: None, service: Some("lab".to_owned()) });
    registry.push("team/app", "1");
    registry.restrict("team/app", &["<token>"]);
    let config = folder.path().join("config.json");
    let entry = "{\"identitytoken\":\"refresh\"}";
    fs::write(&config, format!("{{\"auths\":{{\"{}\":{entry}}}}}", registry.host())).unwrap();
    let options = Options { docker_config: vec![config], ..listing(&registry, plain()) };
    (registry, options)
}

#[test]
fn an_identity_token_buys_a_token_and_no_other_identity_token() {
    let folder = TempDir::new().unwrap();
    let (registry, options) = with_identity(&folder);
    assert!(is_present(&check(options, &[format!("{}/team/app:1", registry.host())])[0]));
    assert_eq!(requests(&registry)[1], "POST /token");
    let form = registry.requests().remove(1).body;
    let expected = concat!(
        "grant_type=refresh_token&client_id=pullgate&refresh_token=refresh&service=lab",
        "&scope=repository%3Ateam%2Fapp%3Apull"
    );
    assert_eq!(form, expected);
}

/// What a token service that answers a POST with this status is asked next, with which the image is found.
fn after_a_post(code: u16) -> String {
    let folder = TempDir::new().unwrap();
    let (registry, options) = with_identity(&folder);
    registry.misbehave(Scope::token().post(), Behaviour::status(code));
    assert!(is_present(&check(options, &[format!("{}/team/app:1", registry.host())])[0]));
    assert_eq!(requests(&registry)[1], "POST /token");
    requests(&registry).remove(2)
}

const PLAIN: &str = "GET /token?service=lab&scope=repository%3Ateam%2Fapp%3Apull Basic";

#[test]
fn a_token_service_that_says_404_to_a_post_is_asked_with_get() {
    assert_eq!(after_a_post(404), PLAIN);
}

#[test]
fn a_token_service_that_says_400_to_a_post_is_asked_with_get() {
    assert_eq!(after_a_post(400), PLAIN);
}

#[test]
fn a_token_service_that_says_401_to_a_post_is_asked_with_get() {
    assert_eq!(after_a_post(401), PLAIN);
}

#[test]
fn a_token_service_that_says_405_to_a_post_is_asked_with_get() {
    assert_eq!(after_a_post(405), PLAIN);
}

const WIDER: &str = "Bearer realm=\"/token\",service=\"lab\",scope=\"*\",error=\"insufficient_scope\"";

#[test]
fn a_scope_that_the_registry_finds_wanting_is_replaced_by_its_own() {
    let registry = public();
    registry.misbehave(Scope::from("team/app:1").times(1), status(401, "www-authenticate", WIDER));
    assert!(is_present(&ask(&registry, plain(), "team/app:1")));
    assert_eq!(requests(&registry)[3], "GET /token?service=lab&scope=*");
}

#[test]
fn a_scope_that_is_never_enough_is_replaced_once() {
    let registry = public();
    registry.misbehave("team/app", status(401, "www-authenticate", WIDER));
    assert!(matches!(ask(&registry, plain(), "team/app:1"), Ok(Answer::Denied { .. })));
    let tokens = requests(&registry).into_iter().filter(|line| line.contains("/token"));
    assert_eq!(tokens.count(), 2, "{:?}", requests(&registry));
}

#[test]
fn a_scope_that_is_another_one_each_time_is_replaced_once() {
    let registry = public();
    for n in 0..10 {
        let scope = format!("Bearer realm=\"/token\",service=\"lab\",scope=\"s{n}\",error=\"insufficient_scope\"");
        registry.misbehave(Scope::from("team/app").times(1), status(401, "www-authenticate", &scope));
    }
    assert!(matches!(ask(&registry, plain(), "team/app:1"), Ok(Answer::Denied { .. })));
    let tokens = requests(&registry).into_iter().filter(|line| line.contains("/token"));
    assert_eq!(tokens.count(), 2, "{:?}", requests(&registry));
}

const INVALID: &str = "Bearer realm=\"/token\",service=\"lab\",error=\"invalid_token\"";

#[test]
fn a_token_that_has_become_invalid_is_replaced() {
    let registry = public();
    registry.misbehave(Scope::from("team/app:1").times(1), status(401, "www-authenticate", INVALID));
    assert!(is_present(&ask(&registry, plain(), "team/app:1")));
    assert_eq!(registry.requests().len(), 5);
}

#[test]
fn a_token_that_is_always_invalid_is_replaced_once() {
    let registry = public();
    registry.misbehave(Scope::from("team/app:1"), status(401, "www-authenticate", INVALID));
    assert!(matches!(ask(&registry, plain(), "team/app:1"), Ok(Answer::Denied { .. })));
    let tokens = requests(&registry).into_iter().filter(|line| line.contains("/token"));
    assert_eq!(tokens.count(), 2, "{:?}", requests(&registry));
}

#[test]
fn a_token_that_has_become_invalid_for_twenty_images_is_replaced_once() {
    let registry = with(bearer());
    let images: Vec<String> = (0..20).map(|n| format!("{}/team/app:{n}", registry.host())).collect();
    (0..20).for_each(|n| drop(registry.push("team/app", &n.to_string())));
    registry.misbehave(Scope::from("team/app").times(20), status(401, "www-authenticate", INVALID));
    assert!(check(listing(&registry, plain()), &images).iter().filter(|checked| is_present(checked)).count() >= 19);
    let tokens = requests(&registry).into_iter().filter(|line| line.contains("/token"));
    assert!(tokens.count() <= 3, "{:?}", requests(&registry));
}

#[test]
fn a_token_that_has_expired_is_replaced_as_ecr_public_needs_which_says_400() {
    let registry = public();
    registry.misbehave(Scope::from("team/app:1").times(1), Behaviour::status(400));
    assert!(is_present(&ask(&registry, plain(), "team/app:1")));
    assert!(requests(&registry).iter().all(|line| !line.starts_with("GET /v2")));
    assert_eq!(registry.requests().len(), 5);
}

#[test]
fn a_400_that_stays_is_what_it_is() {
    let registry = public();
    registry.misbehave("team/app", Behaviour::status(400));
    let checked = ask(&registry, plain(), "team/app:1");
    assert!(matches!(checked, Err(Error::Server { status: 400, .. })), "{checked:?}");
    // Challenge, token, HEAD, token, HEAD, GET.
    assert_eq!(registry.requests().len(), 6, "{:?}", requests(&registry));
}

#[test]
fn a_token_service_that_is_out_of_order_says_nothing_of_the_image() {
    let registry = public();
    registry.misbehave(Scope::token(), Behaviour::status(500));
    let checked = ask(&registry, plain(), "team/app:1");
    assert!(matches!(checked, Err(Error::Server { status: 500, .. })), "{checked:?}");
    registry.behave();
    registry.misbehave(Scope::token().times(1), Behaviour::status(503));
    assert!(is_present(&ask(&registry, plain(), "team/app:1")));
}

#[test]
fn long_refusals_of_a_token_service_leave_room_for_manifests() {
    let (refusing, serving) = (with(bearer()), open());
    let headers = Vec::new();
    refusing.misbehave(Scope::token(), Behaviour::Status { code: 403, headers, body: "x".repeat(100_000) });
    let manifest =
        json!({ "schemaVersion": 2, "config": {}, "layers": [], "annotations": { "x": "y".repeat(100_000) } });
    serving.push_manifest("team/app", "1", "application/vnd.oci.image.manifest.v1+json", &manifest.to_string());
    serving.misbehave("team/app", Behaviour::Delay(Duration::from_millis(300)));
    serving.misbehave("team/app", Behaviour::HeadNotFoundButGetWorks);
    let mut images: Vec<String> = (0..8).map(|n| format!("{}/team/app-{n}:1", refusing.host())).collect();
    images.push(format!("{}/team/app:1", serving.host()));
    let hosts = [(refusing.host(), plain()), (serving.host(), plain())].into();
    let checked = check(Options { hosts, ..Options::default() }, &images);
    assert!(is_present(&checked[8]), "{checked:?}");
}
