//! Which places are asked at all: what a push may make the server connect to.
use super::{Checked, alice, ask, check, is_present, listing, open, plain, requests};
use pullgate::{
    lab::{Behaviour, Registry, Scope},
    registry::{Answer, Error, HostOptions, Options, Refusal, Unlisted},
};
use tempfile::TempDir;

fn refusal(checked: Checked) -> Refusal {
    match checked {
        Ok(Answer::NotAllowed { refusal, .. }) => refusal,
        other => panic!("{other:?}"),
    }
}

fn unlisted(image: &str) -> Refusal {
    refusal(check(Options::default(), &[image.to_owned()]).remove(0))
}

#[test]
fn an_unlisted_registry_is_asked_at_the_usual_port_of_a_public_address_only() {
    let registry = open();
    assert_eq!(unlisted(&format!("{}/team/app:1", registry.host())), Refusal::Port);
    for host in ["127.0.0.1", "169.254.169.254", "10.0.0.1", "[::1]", "[::ffff:7f00:1]", "0x7f.1", "localhost/x"] {
        assert_eq!(unlisted(&format!("{host}/app:1")), Refusal::NoPublicAddress, "{host}");
    }
    assert_eq!(registry.connections(), 0);
}

#[test]
fn a_listed_registry_has_a_private_address_only_if_the_configuration_says_so() {
    let registry = open();
    let public = HostOptions { private: false, ..plain() };
    let checked = ask(&registry, public, "team/app:1");
    let Ok(Answer::NotAllowed { refusal: Refusal::Private, configuration, .. }) = checked else {
        panic!("{checked:?}")
    };
    assert_eq!(configuration, [format!("[registries.\"{}\"]", registry.host()), "private = true".to_owned()]);
    assert_eq!(registry.connections(), 0);
    // A name is judged by what it resolves to.
    let name = format!("localhost:{}", registry.address().port());
    let options =
        |private| Options { hosts: [(name.clone(), HostOptions { private, ..plain() })].into(), ..Options::default() };
    registry.push("team/app", "1");
    let image = [format!("{name}/team/app:1")];
    assert_eq!(refusal(check(options(false), &image).remove(0)), Refusal::Private);
    assert_eq!(registry.connections(), 0);
    assert!(is_present(&check(options(true), &image)[0]));
}

#[test]
fn a_host_is_the_same_in_capital_letters() {
    let folder = TempDir::new().unwrap();
    let registry = super::with(super::basic());
    registry.push("team/app", "1");
    let port = registry.address().port();
    let hosts = [(format!("localhost:{port}"), alice(&folder, "s3cret"))].into();
    let options = Options { hosts, ..Options::default() };
    assert!(is_present(&check(options, &[format!("LocalHost:{port}/team/app:1")])[0]));
    let checked = check(Options::default(), &["Registry.example:5000/app:1".to_owned()]).remove(0);
    let Ok(Answer::NotAllowed { configuration, .. }) = checked else { panic!("{checked:?}") };
    assert_eq!(configuration, ["[registries.\"registry.example:5000\"]"]);
}

#[test]
fn where_only_listed_registries_are_asked_the_others_are_named_with_what_would_allow_them() {
    let registry = open();
    let options = Options { unlisted: Unlisted::None, ..Options::default() };
    let image = format!("{}/team/app:1", registry.host());
    let checked = check(options, &[image]).remove(0);
    let Ok(Answer::NotAllowed { refusal: Refusal::Unlisted, configuration, host }) = checked else { panic!() };
    let lines = vec![format!("[registries.\"{}\"]", registry.host()), "private = true".to_owned()];
    assert_eq!((configuration, host), (lines, registry.host()));
    assert_eq!(registry.connections(), 0);
}

#[test]
fn where_clouds_keep_secrets_nobody_is_advised_to_ask() {
    for image in ["169.254.169.254/team/app:1", "[fe80::1]/team/app:1", "169.254.169.254:80/team/app:1"] {
        let checked = check(Options::default(), &[image.to_owned()]).remove(0);
        let Ok(Answer::NotAllowed { configuration, .. }) = checked else { panic!("{image}: {checked:?}") };
        assert!(configuration.is_empty(), "{image}: {configuration:?}");
    }
}

fn redirecting(to: &str) -> Registry {
    let registry = open();
    registry.misbehave(Scope::everything(), Behaviour::Redirect(to.to_owned()));
    registry
}

#[test]
fn a_redirect_is_followed_to_a_listed_place_without_the_credentials() {
    let folder = TempDir::new().unwrap();
    let target = open();
    target.push("team/app", "1");
    let registry = super::with(super::basic());
    registry.misbehave("team/app", Behaviour::Redirect(format!("http://{}/v2/team/app/manifests/1", target.host())));
    let mut options = listing(&registry, alice(&folder, "s3cret"));
    options.hosts.insert(target.host(), plain());
    assert!(is_present(&check(options, &[format!("{}/team/app:1", registry.host())])[0]));
    assert_eq!(requests(&registry).last().unwrap(), "HEAD /v2/team/app/manifests/1 Basic");
    assert_eq!(requests(&target), ["HEAD /v2/team/app/manifests/1"]);
}

#[test]
fn a_redirect_inside_the_registry_keeps_the_credentials() {
    let folder = TempDir::new().unwrap();
    let registry = super::with(super::basic());
    registry.push("library/app", "1");
    registry.misbehave("app", Behaviour::Redirect("/v2/library/app/manifests/1".to_owned()));
    assert!(is_present(&ask(&registry, alice(&folder, "s3cret"), "app:1")));
}

#[test]
fn a_redirect_to_a_place_that_may_not_be_asked_is_not_followed() {
    let target = open();
    for to in [format!("http://{}/", target.host()), format!("https://{}/", target.host()), "ftp://example.com/".into()]
    {
        let checked = ask(&redirecting(&to), plain(), "team/app:1");
        assert!(matches!(checked, Err(Error::Diverted { .. })), "{to}: {checked:?}");
    }
    assert_eq!(refusal(ask(&redirecting("https://169.254.169.254/"), plain(), "team/app:1")), Refusal::NoPublicAddress);
    assert_eq!(target.connections(), 0);
}

#[test]
fn a_page_that_is_not_found_where_we_were_redirected_to_says_nothing_of_the_image() {
    let target = open();
    target.misbehave(Scope::everything(), Behaviour::status(404));
    let registry = redirecting(&format!("http://{}/login", target.host()));
    let mut options = listing(&registry, plain());
    options.hosts.insert(target.host(), plain());
    let checked = check(options, &[format!("{}/team/app:1", registry.host())]).remove(0);
    assert!(matches!(checked, Err(Error::NotARegistry { .. })), "{checked:?}");
}

#[test]
fn redirects_without_end_end() {
    let registry = redirecting("/v2/team/app/manifests/1");
    let checked = ask(&registry, plain(), "team/app:1");
    assert!(matches!(checked, Err(Error::NotARegistry { .. })), "{checked:?}");
    assert_eq!(registry.requests().len(), 6);
}

#[test]
fn a_listed_registry_is_asked_through_the_proxy_and_an_unlisted_one_is_not() {
    // The lab does for a proxy: what it is sent for another host, it answers itself.
    let proxy = open();
    proxy.push("team/app", "1");
    let mut options = Options {
        hosts: [("registry.invalid".to_owned(), HostOptions { plain_http: true, ..HostOptions::default() })].into(),
        ..Options::default()
    };
    options.http.proxies.http = Some(format!("http://{}", proxy.host()));
    options.http.proxies.https = options.http.proxies.http.clone();
    let images = ["registry.invalid/team/app:1".to_owned(), "other.invalid/team/app:1".to_owned()];
    let mut checked = check(options, &images);
    assert_eq!(refusal(checked.remove(1)), Refusal::Proxied);
    assert!(is_present(&checked[0]), "{checked:?}");
}

#[test]
fn a_place_that_we_are_redirected_to_may_ask_for_a_token_but_not_for_ours() {
    let folder = TempDir::new().unwrap();
    let target = super::with(super::bearer());
    target.push("team/app", "1");
    let registry = super::with(super::basic());
    registry.misbehave("team/app", Behaviour::Redirect(format!("http://{}/v2/team/app/manifests/1", target.host())));
    let mut options = listing(&registry, alice(&folder, "s3cret"));
    options.hosts.insert(target.host(), plain());
    assert!(is_present(&check(options, &[format!("{}/team/app:1", registry.host())])[0]));
    assert!(requests(&target).iter().all(|line| !line.ends_with(" Basic")));
}

#[test]
fn an_answer_with_too_many_headers_is_no_answer() {
    let registry = open();
    let headers = vec![("x-padding".to_owned(), "x".repeat(1024)); 40];
    registry.misbehave(Scope::everything(), Behaviour::Status { code: 404, headers, body: String::new() });
    let checked = ask(&registry, plain(), "team/app:1");
    let Err(Error::Unreachable { failure, .. }) = checked else { panic!("{checked:?}") };
    assert!(failure.to_string().contains("32 KiB"), "{failure}");
}

#[test]
fn a_registry_that_sends_every_image_to_another_host_gets_us_to_no_more_than_fifty() {
    let registry = open();
    let images: Vec<String> = (0..200).map(|n| format!("{}/app{n}:1", registry.host())).collect();
    for n in 0..200 {
        // Addresses for documentation: none of them is connected to, but all are judged.
        registry.misbehave(format!("app{n}").as_str(), Behaviour::Redirect(format!("https://192.0.2.{n}/v2/")));
    }
    let checked = check(listing(&registry, plain()), &images);
    let asked = checked.iter().filter(|checked| matches!(checked, Ok(Answer::NotAllowed { .. }))).count();
    let diverted = checked.iter().filter(|checked| matches!(checked, Err(Error::Diverted { .. }))).count();
    assert_eq!((asked, diverted), (50, 150));
}

#[test]
fn nothing_is_asked_for_in_packed_form() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let head = std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let lines = std::io::BufRead::lines(std::io::BufReader::new(stream)).map_while(Result::ok);
        lines.take_while(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
    });
    let options = Options { hosts: [(host.clone(), plain())].into(), ..Options::default() };
    drop(check(options, &[format!("{host}/team/app:1")]));
    assert!(head.join().unwrap().to_lowercase().contains("accept-encoding: identity"));
}
