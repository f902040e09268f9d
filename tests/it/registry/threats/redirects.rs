//! Redirects: where they lead, and what goes along.
use super::{
    super::{
        alice, basic,
        instruments::{Bytes, Ca},
        is_present, listing, open, plain, requests, with,
    },
    diverted, one, refused, unverified,
};
use pullgate::{
    lab::{Auth, Behaviour, Registry, Scope},
    registry::{Options, Refusal},
};
use std::time::Duration;
use tempfile::TempDir;

/// A registry for alice that sends everybody there who may ask for `app:1`.
fn redirecting(to: &str) -> Registry {
    let registry = with(basic());
    registry.misbehave("app", Behaviour::Redirect(to.to_owned()));
    registry
}

/// Asks as alice, where the other places are listed too.
fn asked(registry: &Registry, others: &[(String, pullgate::registry::HostOptions)]) -> super::Checked {
    let folder = TempDir::new().unwrap();
    let mut options = listing(registry, alice(&folder, "s3cret"));
    options.hosts.extend(others.iter().cloned());
    one(options, &format!("{}/app:1", registry.host()))
}

#[test]
fn inside_the_registry_the_credentials_go_along() {
    let registry = redirecting("/v2/library/app/manifests/1");
    registry.push("library/app", "1");
    assert!(is_present(&asked(&registry, &[])));
    assert_eq!(requests(&registry).last().unwrap(), "HEAD /v2/library/app/manifests/1 Basic");
}

#[test]
fn to_another_port_of_the_same_machine_they_do_not() {
    let target = open();
    target.push("app", "1");
    let registry = redirecting(&format!("http://{}/v2/app/manifests/1", target.host()));
    assert!(is_present(&asked(&registry, &[(target.host(), plain())])));
    assert_eq!(requests(&target), ["HEAD /v2/app/manifests/1"]);
}

#[test]
fn to_another_name_of_the_same_machine_they_do_not() {
    let folder = TempDir::new().unwrap();
    let registry = with(basic());
    let port = registry.address().port();
    registry.misbehave("app", Behaviour::Redirect(format!("http://localhost:{port}/v2/library/app/manifests/1")));
    let mut options = listing(&registry, alice(&folder, "s3cret"));
    options.hosts.insert(format!("localhost:{port}"), plain());
    one(options, &format!("{}/app:1", registry.host())).unwrap();
    assert!(requests(&registry).contains(&"HEAD /v2/library/app/manifests/1".to_owned()), "{:?}", requests(&registry));
}

#[test]
fn to_another_scheme_they_do_not() {
    let ca = Ca::new();
    let target = ca.registry(Auth::None, Duration::ZERO);
    target.push("app", "1");
    let registry = redirecting(&format!("https://{}/v2/app/manifests/1", target.host()));
    assert!(is_present(&asked(&registry, &[(target.host(), ca.listed())])));
    assert_eq!(requests(&target), ["HEAD /v2/app/manifests/1"]);
}

#[test]
fn out_of_tls_nobody_is_followed() {
    let (ca, target) = (Ca::new(), open());
    target.push("app", "1");
    let registry = ca.registry(Auth::None, Duration::ZERO);
    registry
        .misbehave(Scope::everything(), Behaviour::Redirect(format!("http://{}/v2/app/manifests/1", target.host())));
    let hosts = [(registry.host(), ca.listed()), (target.host(), plain())].into();
    diverted(&one(Options { hosts, ..Options::default() }, &format!("{}/app:1", registry.host())));
    assert_eq!(target.connections(), 0);
}

#[test]
fn to_the_loopback_address_nobody_is_followed() {
    refused(&asked(&redirecting("https://127.0.0.1/v2/app/manifests/1"), &[]), Refusal::NoPublicAddress);
}

#[test]
fn to_an_unlisted_port_nobody_is_followed() {
    let target = open();
    diverted(&asked(&redirecting(&format!("https://{}/v2/app/manifests/1", target.host())), &[]));
    assert_eq!(target.connections(), 0);
}

#[test]
fn to_a_place_with_a_user_in_it_nobody_is_followed() {
    let target = open();
    diverted(&asked(&redirecting(&format!("http://root@{}/", target.host())), &[(target.host(), plain())]));
    assert_eq!(target.connections(), 0);
}

#[test]
fn a_circle_ends() {
    let registry = redirecting("/v2/app/manifests/1");
    unverified(&asked(&registry, &[]));
    assert!(registry.requests().len() <= 20, "{}", registry.requests().len());
}

/// A registry that has `app:1` behind so many redirects.
fn behind(redirects: usize) -> Registry {
    let registry = open();
    registry.push(&format!("app{redirects}"), "1");
    for n in 0..redirects {
        let name = if n == 0 { "app".to_owned() } else { format!("app{n}") };
        registry.misbehave(name.as_str(), Behaviour::Redirect(format!("/v2/app{}/manifests/1", n + 1)));
    }
    registry
}

#[test]
fn five_redirects_are_followed() {
    let registry = behind(5);
    assert!(is_present(&one(listing(&registry, plain()), &format!("{}/app:1", registry.host()))));
}

#[test]
fn six_are_not() {
    let registry = behind(6);
    unverified(&one(listing(&registry, plain()), &format!("{}/app:1", registry.host())));
}

#[test]
fn a_redirect_to_nowhere_is_no_answer() {
    let registry = open();
    registry.misbehave(Scope::everything(), Behaviour::status(307));
    unverified(&one(listing(&registry, plain()), &format!("{}/app:1", registry.host())));
}

#[test]
fn where_we_are_sent_gets_a_token_of_its_own_that_nobody_has_paid_for() {
    let folder = TempDir::new().unwrap();
    let target = Bytes::answering(|head, wire| {
        let anonymous = head.contains("authorization: Bearer anonymous");
        match () {
            () if head.contains("/token") => {
                wire.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 21\r\n\r\n{\"token\":\"anonymous\"}")
            }
            () if anonymous => wire.write_all(
                b"HTTP/1.1 200 OK\r\ncontent-type: application/vnd.oci.image.manifest.v1+json\r\ncontent-length: 9\r\n\r\n",
            ),
            () => wire.write_all(
                b"HTTP/1.1 401 Unauthorized\r\nwww-authenticate: Bearer realm=\"/token\"\r\ncontent-length: 0\r\n\r\n",
            ),
        }
    });
    let registry = redirecting(&format!("http://{}/v2/app/manifests/1", target.host()));
    // Even though there are credentials for that place: it is not the one that the push named.
    let checked = asked(&registry, &[(target.host(), alice(&folder, "s3cret"))]);
    assert!(is_present(&checked), "{checked:?}");
    let heads = target.heads().join("");
    assert!(!heads.contains("Basic"), "{heads}");
}
