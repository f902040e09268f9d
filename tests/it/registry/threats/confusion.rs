//! Names that look like another registry's: its credentials are not for them.
use super::{
    super::{basic, instruments::Names, plain, with},
    one,
};
use pullgate::registry::Options;
use std::{fs, net::Ipv4Addr};
use tempfile::TempDir;

/// Asks a registry of this name, and another if it says so, with credentials for `quay.example.com` at its port.
/// Whether it was shown them.
fn is_shown(name: &str) -> bool {
    let folder = TempDir::new().unwrap();
    let registry = with(basic());
    let port = registry.address().port();
    let file = folder.path().join("config.json");
    let entry = "{\"auth\":\"YWxpY2U6czNjcmV0\"}";
    let auths = format!("{{\"quay.example.com:{port}\":{entry},\"quay.example.com\":{entry}}}");
    fs::write(&file, format!("{{\"auths\":{auths}}}")).unwrap();
    let name = name.replace("PORT", &port.to_string());
    let names = Names::start(|_, _| vec![Ipv4Addr::LOCALHOST.into()]);
    let mut options =
        Options { hosts: [(name.clone(), plain())].into(), docker_config: vec![file], ..Options::default() };
    options.http.name_servers = vec![names.address];
    one(options, &format!("{name}/app:1")).unwrap();
    assert!(!registry.requests().is_empty());
    registry.requests().iter().any(|request| request.authorization.is_some())
}

#[test]
fn the_registry_itself_is_shown_its_credentials() {
    assert!(is_shown("quay.example.com:PORT"));
}

#[test]
fn a_name_that_begins_with_the_registrys_is_not() {
    assert!(!is_shown("quay.example.com.evil.example.com:PORT"));
}

#[test]
fn a_name_that_ends_with_the_registrys_is_not() {
    assert!(!is_shown("evilquay.example.com:PORT"));
}

#[test]
fn a_name_below_the_registrys_is_not() {
    assert!(!is_shown("evil.quay.example.com:PORT"));
}

#[test]
fn a_name_above_the_registrys_is_not() {
    assert!(!is_shown("example.com:PORT"));
}

#[test]
fn a_name_with_the_registrys_in_its_path_is_not() {
    let folder = TempDir::new().unwrap();
    let registry = with(basic());
    let file = folder.path().join("config.json");
    fs::write(&file, "{\"auths\":{\"quay.example.com\":{\"auth\":\"YWxpY2U6czNjcmV0\"}}}").unwrap();
    let options = Options { docker_config: vec![file], ..super::super::listing(&registry, plain()) };
    one(options, &format!("{}/quay.example.com/app:1", registry.host())).unwrap();
    assert!(registry.requests().iter().all(|request| request.authorization.is_none()));
}
