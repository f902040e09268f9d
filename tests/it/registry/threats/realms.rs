//! Token realms that a registry makes up.
use super::{
    super::{alice, bearer, instruments::Bytes, listing, open, plain, requests, with},
    diverted, one, refused, unverified,
};
use pullgate::{
    lab::{Auth, Behaviour, Registry, Scope},
    registry::{Answer, Refusal},
};
use tempfile::TempDir;

/// A registry that sends everybody there for a token.
fn with_realm(realm: &str) -> Registry {
    with(Auth::Bearer { users: [("alice", "s3cret")].into(), realm: Some(realm.to_owned()), service: None })
}

/// What comes of it for who has credentials.
fn asked(registry: &Registry) -> super::Checked {
    let folder = TempDir::new().unwrap();
    let checked = one(listing(registry, alice(&folder, "s3cret")), &format!("{}/app:1", registry.host()));
    let sent = registry.requests().into_iter().filter_map(|request| request.authorization);
    assert_eq!(sent.count(), 0, "nobody has asked for credentials");
    checked
}

#[test]
fn a_realm_at_the_metadata_service_is_not_asked() {
    refused(&asked(&with_realm("https://169.254.169.254/token")), Refusal::NoPublicAddress);
}

#[test]
fn a_realm_over_plain_http_is_not_asked() {
    diverted(&asked(&with_realm("http://169.254.169.254/token")));
}

#[test]
fn a_realm_over_ftp_is_not_asked() {
    diverted(&asked(&with_realm("ftp://127.0.0.1/token")));
}

#[test]
fn a_realm_that_is_a_file_is_not_asked() {
    diverted(&asked(&with_realm("file:///etc/passwd")));
}

#[test]
fn a_realm_with_a_user_in_it_is_not_asked() {
    let elsewhere = open();
    diverted(&asked(&with_realm(&format!("http://root@{}/token", elsewhere.host()))));
    assert_eq!(elsewhere.connections(), 0);
}

#[test]
fn a_realm_with_a_user_in_it_is_not_asked_though_it_is_the_registry_itself() {
    let registry = with(bearer());
    let realm = format!("Bearer realm=\"http://root:toor@{}/token\",service=\"lab\"", registry.host());
    registry.misbehave(Scope::everything(), Behaviour::Challenge(vec![realm]));
    diverted(&asked(&registry));
}

#[test]
fn a_realm_at_another_port_of_the_registry_is_not_asked() {
    let elsewhere = open();
    diverted(&asked(&with_realm(&format!("http://{}/token", elsewhere.host()))));
    assert_eq!(elsewhere.connections(), 0);
}

#[test]
fn the_fragment_of_a_realm_goes_nowhere() {
    let folder = TempDir::new().unwrap();
    let registry = with(bearer());
    registry.push("app", "1");
    registry.misbehave(
        Scope::everything(),
        Behaviour::Challenge(vec!["Bearer realm=\"/token#@evil/\",service=\"lab\"".into()]),
    );
    let checked = one(listing(&registry, alice(&folder, "s3cret")), &format!("{}/app:1", registry.host()));
    assert!(super::super::is_present(&checked), "{checked:?}");
    assert_eq!(requests(&registry)[1], "GET /token?service=lab&scope=repository%3Aapp%3Apull Basic");
}

#[test]
fn what_a_challenge_says_cannot_leave_its_place_in_the_query() {
    let registry = with(bearer());
    registry.push("app", "1");
    let challenge = "Bearer realm=\"/token\",service=\"lab&account=root\",scope=\"*&x=1\"";
    registry.misbehave(Scope::everything(), Behaviour::Challenge(vec![challenge.into()]));
    one(listing(&registry, plain()), &format!("{}/app:1", registry.host())).unwrap_err();
    assert_eq!(requests(&registry)[1], "GET /token?service=lab%26account%3Droot&scope=*%26x%3D1");
}

#[test]
fn a_redirect_of_a_token_request_is_not_followed() {
    let folder = TempDir::new().unwrap();
    let (registry, elsewhere) = (with(bearer()), open());
    registry.misbehave(Scope::token(), Behaviour::Redirect(format!("http://{}/token", elsewhere.host())));
    let mut options = listing(&registry, alice(&folder, "s3cret"));
    // Even though the place itself may be asked.
    options.hosts.insert(elsewhere.host(), plain());
    unverified(&one(options, &format!("{}/app:1", registry.host())));
    assert_eq!(elsewhere.connections(), 0);
}

#[test]
fn the_body_of_a_token_request_is_not_sent_again_after_a_redirect() {
    let folder = TempDir::new().unwrap();
    let (registry, elsewhere) = (with(bearer()), open());
    registry.misbehave(Scope::token(), Behaviour::Redirect(format!("http://{}/token", elsewhere.host())));
    let file = folder.path().join("config.json");
    let entry = format!("{{\"auths\":{{\"{}\":{{\"identitytoken\":\"refresh\"}}}}}}", registry.host());
    std::fs::write(&file, entry).unwrap();
    let mut options = listing(&registry, plain());
    options.docker_config = vec![file];
    options.hosts.insert(elsewhere.host(), plain());
    unverified(&one(options, &format!("{}/app:1", registry.host())));
    assert_eq!((requests(&registry)[1].as_str(), elsewhere.connections()), ("POST /token", 0));
}

#[test]
fn a_realm_at_another_listed_registry_gets_an_anonymous_request_and_the_message_says_so() {
    let folder = TempDir::new().unwrap();
    let elsewhere = Bytes::answering(|_, wire| wire.write_all(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n"));
    let registry = with_realm(&format!("http://{}/token", elsewhere.host()));
    let mut options = listing(&registry, alice(&folder, "s3cret"));
    options.hosts.insert(elsewhere.host(), alice(&folder, "s3cret"));
    let checked = one(options, &format!("{}/app:1", registry.host()));
    assert!(matches!(&checked, Ok(Answer::Denied { withheld: Some(realm), .. }) if *realm == elsewhere.host()));
    let heads = elsewhere.heads().join("").to_lowercase();
    assert!(heads.contains("get /token") && !heads.contains("authorization"), "{heads}");
}
