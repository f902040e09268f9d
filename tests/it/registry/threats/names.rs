//! Names that lead into private networks, at once or at the second look.
use super::{
    super::{
        check,
        instruments::{Bytes, Names},
        listing, open, plain,
    },
    diverted, one, refused, unverified,
};
use pullgate::{
    lab::{Auth, Behaviour, Scope},
    registry::{HostOptions, Options, Refusal},
};
use std::{
    net::{IpAddr, TcpListener},
    time::Duration,
};

/// Public, but nobody's: this network was given back in 2006.
const PUBLIC: &str = "3ffe::1";

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

/// With a name server that says these addresses, each name the same.
fn resolving(options: Options, addresses: &'static [&'static str]) -> Options {
    told(options, &Names::start(|_, _| addresses.iter().map(|text| ip(text)).collect()))
}

fn told(mut options: Options, names: &Names) -> Options {
    options.http.name_servers = vec![names.address];
    options
}

fn unlisted(addresses: &'static [&'static str]) {
    refused(&one(resolving(Options::default(), addresses), "registry.example.com/app:1"), Refusal::NoPublicAddress);
}

#[test]
fn a_name_of_the_loopback_address_is_not_asked() {
    unlisted(&["127.0.0.1"]);
}

#[test]
fn a_name_of_the_metadata_service_is_not_asked() {
    unlisted(&["169.254.169.254"]);
}

#[test]
fn a_name_of_a_private_address_is_not_asked() {
    unlisted(&["10.1.2.3", "192.168.0.1"]);
}

#[test]
fn a_name_of_a_unique_local_address_is_not_asked() {
    unlisted(&["fd00::1"]);
}

#[test]
fn a_name_of_a_mapped_address_is_not_asked() {
    unlisted(&["::ffff:127.0.0.1"]);
}

/// A registry at a port of the loopback address, by a name that the configuration lists as public.
fn public_name(port: u16, names: &Names) -> Options {
    let host = HostOptions { plain_http: true, ..HostOptions::default() };
    let options = Options { hosts: [(format!("registry.example.com:{port}"), host)].into(), ..Options::default() };
    told(Options { request_timeout: Duration::from_millis(500), ..options }, names)
}

#[test]
fn of_several_addresses_the_private_ones_are_not_connected_to() {
    let server = Bytes::answering(|_, _| Ok(()));
    let names = Names::start(|_, _| vec![ip("::ffff:127.0.0.1"), ip(PUBLIC)]);
    let image = format!("registry.example.com:{}/app:1", server.port());
    unverified(&one(public_name(server.port(), &names), &image));
    assert_eq!((server.connections(), names.asked() > 0), (0, true));
}

#[test]
fn a_name_that_is_public_at_the_first_look_and_private_at_the_second_is_not_connected_to() {
    let server = Bytes::answering(|_, wire| wire.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"));
    let names = Names::start(|_, number| vec![if number == 0 { ip(PUBLIC) } else { ip("127.0.0.1") }]);
    // The first image is asked for alone, so the others look again after it has found nobody.
    let registry = open();
    let to = format!("http://registry.example.com:{}/v2/app/manifests/1", server.port());
    registry.misbehave(Scope::everything(), Behaviour::Redirect(to));
    let mut options = public_name(server.port(), &names);
    options.hosts.insert(registry.host(), plain());
    let images = ["a:1", "b:1"].map(|image| format!("{}/{image}", registry.host()));
    let checked = check(options, &images);
    unverified(&checked[0]);
    refused(&checked[1], Refusal::Private);
    assert_eq!((server.connections(), names.asked()), (0, 2));
}

#[test]
fn the_address_that_was_judged_is_the_one_that_is_connected_to() {
    let registry = open();
    registry.push("app", "1");
    let port = registry.address().port();
    // Where a second look would lead.
    let elsewhere = TcpListener::bind(("127.0.0.2", port)).unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let names = Names::start(|_, number| vec![if number == 0 { ip("127.0.0.1") } else { ip("127.0.0.2") }]);
    let name = format!("registry.example.com:{port}");
    let options = Options { hosts: [(name.clone(), plain())].into(), ..Options::default() };
    assert!(super::super::is_present(&one(told(options, &names), &format!("{name}/app:1"))));
    assert!(elsewhere.accept().is_err());
    assert_eq!(names.asked(), 1);
}

#[test]
fn a_redirect_to_a_name_of_the_metadata_service_is_not_followed() {
    let registry = open();
    registry.misbehave(Scope::everything(), Behaviour::Redirect("https://storage.example.com/latest/meta-data".into()));
    let options = resolving(listing(&registry, plain()), &["169.254.169.254"]);
    refused(&one(options, &format!("{}/app:1", registry.host())), Refusal::NoPublicAddress);
}

#[test]
fn a_realm_that_is_a_name_of_the_metadata_service_is_not_asked() {
    let realm = Some("https://auth.example.com/token".to_owned());
    let registry = super::super::with(Auth::Bearer { users: [].into(), realm, service: None });
    let options = resolving(listing(&registry, plain()), &["169.254.169.254"]);
    refused(&one(options, &format!("{}/app:1", registry.host())), Refusal::NoPublicAddress);
}

#[test]
fn a_redirect_to_a_name_at_another_port_is_not_even_looked_up() {
    let registry = open();
    registry.misbehave(Scope::everything(), Behaviour::Redirect("https://storage.example.com:6443/".into()));
    let names = Names::start(|_, _| vec![ip("127.0.0.1")]);
    diverted(&one(told(listing(&registry, plain()), &names), &format!("{}/app:1", registry.host())));
    assert_eq!(names.asked(), 0);
}
