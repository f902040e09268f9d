//! Who we are, where that is said, and where not.
use super::{alice, ask, basic, bearer, check, describe, error_code, is_present, listing, open, plain, requests, with};
use pullgate::{
    lab::{Auth, Behaviour, Registry, Scope},
    registry::{Answer, AskedAs, CredentialChoice, Error, HostOptions, Options},
};
use std::{fs, path::PathBuf};
use tempfile::TempDir;

/// A docker configuration with one key for alice.
fn docker_config(folder: &TempDir, key: &str, entry: &str) -> PathBuf {
    let path = folder.path().join("config.json");
    fs::write(&path, format!("{{\"auths\":{{\"{key}\":{entry}}}}}")).unwrap();
    path
}

const ALICE: &str = "{\"auth\":\"YWxpY2U6czNjcmV0\"}";

/// What came with credentials, as `METHOD path`.
fn with_credentials(registry: &Registry) -> Vec<String> {
    let is_secret = |line: &String| line.ends_with(" Basic");
    requests(registry).into_iter().filter(is_secret).collect()
}

fn private(auth: Auth) -> Registry {
    let registry = with(auth);
    registry.push("team/app", "1");
    registry.restrict("team/app", &["alice"]);
    registry
}

#[test]
fn basic_credentials_are_shown_when_they_are_asked_for() {
    let folder = TempDir::new().unwrap();
    let registry = private(basic());
    assert!(is_present(&ask(&registry, alice(&folder, "s3cret"), "team/app:1")));
    assert_eq!(requests(&registry), ["HEAD /v2/team/app/manifests/1", "HEAD /v2/team/app/manifests/1 Basic"]);
}

#[test]
fn wrong_credentials_are_the_administrators_trouble() {
    let folder = TempDir::new().unwrap();
    for auth in [basic(), bearer()] {
        let registry = private(auth);
        let checked = ask(&registry, alice(&folder, "wrong"), "team/app:1");
        assert!(matches!(checked, Err(Error::RefusedCredentials { .. })), "{checked:?}");
        let message = describe(&checked, &registry, "team/app:1");
        assert!(message.starts_with("HOST refused the credentials of /") && !message.contains("wrong"), "{message}");
    }
}

#[test]
fn wrong_credentials_do_not_hide_a_public_image() {
    let folder = TempDir::new().unwrap();
    let registry = with(bearer());
    registry.push("team/app", "1");
    assert!(is_present(&ask(&registry, alice(&folder, "expired"), "team/app:1")));
}

#[test]
fn a_token_is_bought_with_the_credentials_and_shown_instead_of_them() {
    let folder = TempDir::new().unwrap();
    let registry = private(bearer());
    assert!(is_present(&ask(&registry, alice(&folder, "s3cret"), "team/app:1")));
    let expected = [
        "HEAD /v2/team/app/manifests/1",
        "GET /token?service=lab&scope=repository%3Ateam%2Fapp%3Apull Basic",
        "HEAD /v2/team/app/manifests/1 Bearer",
    ];
    assert_eq!(requests(&registry), expected);
}

#[test]
fn without_credentials_a_private_image_may_as_well_be_missing() {
    let registry = private(bearer());
    let checked = ask(&registry, plain(), "team/app:1");
    assert_eq!(
        describe(&checked, &registry, "team/app:1"),
        "does not exist or is private: HOST was asked without credentials and does not say which (401 UNAUTHORIZED)"
    );
    assert!(with_credentials(&registry).is_empty());
}

#[test]
fn with_credentials_the_message_names_who_asked_and_who_says_so() {
    let folder = TempDir::new().unwrap();
    for auth in [basic(), bearer()] {
        let registry = with(auth);
        registry.restrict("team/app", &["bob"]);
        let Ok(Answer::Denied { asked_as, .. }) = ask(&registry, alice(&folder, "s3cret"), "team/app:1") else {
            panic!();
        };
        let AskedAs::Credentials { user, source } = asked_as else { panic!() };
        assert_eq!(user.as_deref(), Some("alice"));
        assert_eq!(source, folder.path().join("password").display().to_string());
    }
}

#[test]
fn an_absent_tag_is_told_from_a_private_one_when_we_may_read() {
    let folder = TempDir::new().unwrap();
    let registry = private(bearer());
    let checked = ask(&registry, alice(&folder, "s3cret"), "team/app:2");
    assert!(matches!(checked, Ok(Answer::Absent { .. })), "{checked:?}");
    // The token that HEAD took serves GET and the list of tags.
    assert_eq!(with_credentials(&registry).len(), 1);
}

#[test]
fn a_foreign_realm_is_not_sent_credentials_even_if_it_may_be_asked() {
    let folder = TempDir::new().unwrap();
    let elsewhere = with(bearer());
    let realm = Some(format!("http://{}/token", elsewhere.host()));
    let registry =
        private(Auth::Bearer { users: [("alice", "s3cret")].into(), realm, service: Some("lab".to_owned()) });
    let mut options = listing(&registry, alice(&folder, "s3cret"));
    options.hosts.insert(elsewhere.host(), plain());
    let image = format!("{}/team/app:1", registry.host());
    let checked = check(options, std::slice::from_ref(&image)).remove(0);
    let Ok(Answer::Denied { withheld, asked_as, .. }) = checked else { panic!("{checked:?}") };
    assert_eq!((withheld, asked_as), (Some(elsewhere.host()), AskedAs::Anonymous));
    assert!(!elsewhere.requests().is_empty());
    assert!(with_credentials(&elsewhere).is_empty() && with_credentials(&registry).is_empty());
}

#[test]
fn a_realm_in_a_private_network_is_not_asked_at_all() {
    let folder = TempDir::new().unwrap();
    let elsewhere = with(bearer());
    let realm = Some(format!("http://{}/token", elsewhere.host()));
    let registry = private(Auth::Bearer { users: [].into(), realm, service: None });
    let checked = ask(&registry, alice(&folder, "s3cret"), "team/app:1");
    assert!(matches!(checked, Err(Error::Diverted { .. })), "{checked:?}");
    assert!(elsewhere.requests().is_empty());
}

#[test]
fn a_realm_that_the_configuration_lets_have_them_is_sent_credentials() {
    let folder = TempDir::new().unwrap();
    let elsewhere = with(bearer());
    let realm = Some(format!("http://{}/token", elsewhere.host()));
    let registry = private(Auth::Bearer { users: [].into(), realm, service: Some("lab".to_owned()) });
    let options = HostOptions { token_realms: vec![elsewhere.host()], ..alice(&folder, "s3cret") };
    // The registry of the lab does not take the token of the other, but asks for it all the same.
    assert!(!is_present(&ask(&registry, options, "team/app:1")));
    assert!(!with_credentials(&elsewhere).is_empty() && with_credentials(&registry).is_empty());
}

#[test]
fn docker_credentials_are_bound_to_their_key() {
    let folder = TempDir::new().unwrap();
    let registry = private(basic());
    let image = format!("{}/team/app:1", registry.host());
    let host = registry.host();
    for (key, found) in [
        (host.clone(), true),
        (format!("http://{host}/v1/"), true),
        (format!("{host}/team"), true),
        (format!("{host}/team/app"), true),
        (format!("{host}/tea"), false),
        (format!("{host}/team/app/x"), false),
        ("127.0.0.1".to_owned(), false),
        (format!("{host}1"), false),
        (format!("x.{host}"), false),
    ] {
        registry.clear();
        let config = docker_config(&folder, &key, ALICE);
        let options = Options { docker_config: vec![config], ..listing(&registry, plain()) };
        let checked = check(options, std::slice::from_ref(&image)).remove(0);
        assert_eq!(is_present(&checked), found, "{key}");
        assert_eq!(with_credentials(&registry).is_empty(), !found, "{key}");
    }
}

#[test]
fn who_has_no_credentials_shows_none_though_the_docker_configuration_has_some() {
    let folder = TempDir::new().unwrap();
    let registry = private(basic());
    let config = docker_config(&folder, &registry.host(), ALICE);
    let none = HostOptions { credentials: CredentialChoice::None, ..plain() };
    let options = Options { docker_config: vec![config], ..listing(&registry, none) };
    let checked = check(options, &[format!("{}/team/app:1", registry.host())]).remove(0);
    assert!(matches!(checked, Ok(Answer::Denied { asked_as: AskedAs::Anonymous, .. })));
    assert!(with_credentials(&registry).is_empty());
}

#[test]
fn a_broken_docker_configuration_is_said_without_its_content() {
    let folder = TempDir::new().unwrap();
    let registry = open();
    let config = docker_config(&folder, &registry.host(), "\"s3cret");
    let options = Options { docker_config: vec![config], ..listing(&registry, plain()) };
    let checked = check(options, &[format!("{}/team/app:1", registry.host())]).remove(0);
    let Err(Error::Local(message)) = checked else { panic!("{checked:?}") };
    assert!(message.contains("config.json") && !message.contains("s3cret"), "{message}");
}

#[test]
fn wrong_credentials_are_tried_once_however_many_images_there_are() {
    let folder = TempDir::new().unwrap();
    for auth in [basic(), bearer()] {
        let registry = with(auth);
        let images: Vec<String> = (0..20).map(|n| format!("{}/team/app-{n}:1", registry.host())).collect();
        for n in 0..20 {
            registry.push(&format!("team/app-{n}"), "1");
            registry.restrict(&format!("team/app-{n}"), &["alice"]);
        }
        let checked = check(listing(&registry, alice(&folder, "wrong")), &images);
        assert!(checked.iter().all(|checked| matches!(checked, Err(Error::RefusedCredentials { .. }))), "{checked:?}");
        assert_eq!(with_credentials(&registry).len(), 1);
    }
}

#[test]
fn a_token_for_the_registry_itself_is_shown_as_it_is() {
    let folder = TempDir::new().unwrap();
    let registry = with(bearer());
    registry.push("team/app", "1");
    let config = docker_config(&folder, &registry.host(), "{\"registrytoken\":\"t0ken\"}");
    let options = Options { docker_config: vec![config], ..listing(&registry, plain()) };
    // The lab did not issue it, so the image is asked for once more as anybody.
    assert!(is_present(&check(options, &[format!("{}/team/app:1", registry.host())])[0]));
    let shown = registry.requests().into_iter().filter_map(|request| request.authorization);
    assert!(shown.map(|authorization| authorization.value).any(|value| value == "t0ken"));
}

#[test]
fn wrong_credentials_are_tried_once_also_if_the_first_image_needed_none() {
    let folder = TempDir::new().unwrap();
    let registry = with(basic());
    let digest = ("docker-content-digest".to_owned(), format!("sha256:{}", "0".repeat(64)));
    let public = Behaviour::Status { code: 200, headers: vec![digest], body: String::new() };
    registry.misbehave(Scope::everything().times(1), public);
    let images: Vec<String> = (0..20).map(|n| format!("{}/team/app-{n}:1", registry.host())).collect();
    let checked = check(listing(&registry, alice(&folder, "wrong")), &images);
    let refused = checked.iter().filter(|checked| matches!(checked, Err(Error::RefusedCredentials { .. })));
    assert_eq!((refused.count(), with_credentials(&registry).len()), (19, 1));
}

#[test]
fn credentials_that_did_for_one_image_are_not_called_wrong_for_another() {
    let folder = TempDir::new().unwrap();
    let registry = with(basic());
    registry.push("a", "1");
    registry.misbehave("b", error_code(401, "UNAUTHORIZED", "not you"));
    let images = [format!("{}/a:1", registry.host()), format!("{}/b:1", registry.host())];
    let checked = check(listing(&registry, alice(&folder, "s3cret")), &images);
    assert!(is_present(&checked[0]));
    let Ok(Answer::Denied { asked_as: AskedAs::Credentials { user, .. }, .. }) = &checked[1] else {
        panic!("{checked:?}");
    };
    assert_eq!(user.as_deref(), Some("alice"));
}

#[test]
fn a_password_that_has_expired_is_said_by_its_source_as_ecr_does_with_403() {
    let folder = TempDir::new().unwrap();
    let registry = private(basic());
    let message = "Your authorization token has expired. Reauthenticate and try again.";
    registry.misbehave("team/app", error_code(403, "DENIED", message));
    let checked = ask(&registry, alice(&folder, "s3cret"), "team/app:1");
    let origin = folder.path().join("password").display().to_string();
    assert_eq!(checked, Err(Error::RefusedCredentials { host: registry.host(), origin }));
}

#[test]
fn what_nobody_sees_who_has_wrong_credentials_is_not_called_missing() {
    let folder = TempDir::new().unwrap();
    let registry = with(bearer());
    registry.push("team/app", "1");
    let checked = ask(&registry, alice(&folder, "expired"), "team/app:2");
    assert!(matches!(checked, Err(Error::RefusedCredentials { .. })), "{checked:?}");
}
