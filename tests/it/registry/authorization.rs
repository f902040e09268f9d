//! Who we are, where that is said, and where not.
use super::{alice, ask, basic, bearer, check, describe, is_present, listing, open, plain, requests, with};
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
fn challenges_come_in_many_forms() {
    for challenge in [
        vec!["Bearer realm=\"/token\",service=\"lab\",scope=\"*\""],
        vec!["bearer realm=\"/token\", Service=lab"],
        vec!["Negotiate", "Basic realm=\"a, b\"", "Bearer realm=\"token\",service=\"lab\""],
        vec!["Basic, Bearer realm=\"/token?service=lab&x=1\",scope=\"aws\""],
    ] {
        let challenge: Vec<String> = challenge.into_iter().map(str::to_owned).collect();
        let registry = with(bearer());
        registry.push("a", "1");
        registry.push("b", "1");
        registry.misbehave(Scope::everything(), Behaviour::Challenge(challenge.clone()));
        let images = [format!("{}/a:1", registry.host()), format!("{}/b:1", registry.host())];
        let relative = challenge.iter().any(|header| header.contains("realm=\"token\""));
        if relative {
            // Relative to /v2/a/manifests/1: not where the lab has its tokens.
            assert!(!is_present(&check(listing(&registry, plain()), &images)[0]));
        } else {
            assert!(check(listing(&registry, plain()), &images).iter().all(is_present), "{challenge:?}");
        }
    }
}

#[test]
fn twenty_images_take_one_challenge_and_a_token_each() {
    let registry = with(bearer());
    let images: Vec<String> = (0..20).map(|n| format!("{}/team/app-{n}:1", registry.host())).collect();
    (0..20).for_each(|n| drop(registry.push(&format!("team/app-{n}"), "1")));
    assert!(check(listing(&registry, plain()), &images).iter().all(is_present));
    assert_eq!(registry.requests().len(), 1 + 20 + 20);
}

#[test]
fn twenty_tags_of_one_repository_take_one_token() {
    let registry = with(bearer());
    let images: Vec<String> = (0..20).map(|n| format!("{}/team/app:{n}", registry.host())).collect();
    (0..20).for_each(|n| drop(registry.push("team/app", &n.to_string())));
    assert!(check(listing(&registry, plain()), &images).iter().all(is_present));
    assert_eq!(registry.requests().len(), 1 + 1 + 20);
}

#[test]
fn a_token_for_the_whole_registry_is_taken_once() {
    let registry = with(bearer());
    let header = "Bearer realm=\"/token\",service=\"lab\",scope=\"*\"".to_owned();
    registry.misbehave(Scope::everything(), Behaviour::Challenge(vec![header]));
    let images: Vec<String> = (0..20).map(|n| format!("{}/team/app-{n}:1", registry.host())).collect();
    (0..20).for_each(|n| drop(registry.push(&format!("team/app-{n}"), "1")));
    assert!(check(listing(&registry, plain()), &images).iter().all(is_present));
    assert_eq!(registry.requests().len(), 1 + 1 + 20);
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
fn an_identity_token_buys_a_token() {
    let folder = TempDir::new().unwrap();
    let registry = private(Auth::Bearer {
        users: [("alice", "s3cret"), ("<token>", "refresh")].into(),
        realm: None,
        service: Some("lab".to_owned()),
    });
    registry.restrict("team/app", &["<token>"]);
    let config = docker_config(&folder, &registry.host(), "{\"identitytoken\":\"refresh\"}");
    let image = format!("{}/team/app:1", registry.host());
    let options = Options { docker_config: vec![config], ..listing(&registry, plain()) };
    assert!(is_present(&check(options.clone(), std::slice::from_ref(&image))[0]));
    assert_eq!(requests(&registry)[1], "POST /token");
    // Where the endpoint does not know that way, the other is tried.
    registry.clear();
    registry.misbehave(Scope::token().times(1), Behaviour::status(404));
    assert!(is_present(&check(options, &[image])[0]));
    assert_eq!(requests(&registry)[2].split('?').next(), Some("GET /token"));
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
fn a_token_that_has_become_invalid_is_replaced_once() {
    let registry = with(bearer());
    registry.push("team/app", "1");
    let invalid = Behaviour::Status {
        code: 401,
        headers: vec![(
            "www-authenticate".into(),
            "Bearer realm=\"/token\",service=\"lab\",error=\"invalid_token\"".into(),
        )],
        body: String::new(),
    };
    registry.misbehave(Scope::from("team/app:1").times(1), invalid.clone());
    assert!(is_present(&ask(&registry, plain(), "team/app:1")));
    assert_eq!(registry.requests().len(), 5);

    registry.clear();
    registry.misbehave(Scope::from("team/app:1"), invalid);
    assert!(matches!(ask(&registry, plain(), "team/app:1"), Ok(Answer::Denied { .. })));
    assert!(registry.requests().len() <= 7, "{:?}", requests(&registry));
}

#[test]
fn a_scope_that_the_registry_finds_wanting_is_widened_once() {
    let registry = with(bearer());
    registry.push("team/app", "1");
    let challenge = "Bearer realm=\"/token\",service=\"lab\",scope=\"*\",error=\"insufficient_scope\"";
    let wanting = Behaviour::Status {
        code: 401,
        headers: vec![("www-authenticate".into(), challenge.into())],
        body: String::new(),
    };
    registry.misbehave(Scope::from("team/app:1").times(1), wanting.clone());
    assert!(is_present(&ask(&registry, plain(), "team/app:1")));
    assert!(
        requests(&registry).iter().any(|line| line == "GET /token?service=lab&scope=*"),
        "{:?}",
        requests(&registry)
    );

    registry.clear();
    registry.misbehave(Scope::from("team/app:1"), wanting);
    assert!(matches!(ask(&registry, plain(), "team/app:1"), Ok(Answer::Denied { .. })));
    assert!(registry.requests().len() <= 7, "{:?}", requests(&registry));
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
