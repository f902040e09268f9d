//! Registries that cannot tell: slow, broken, busy or not there.
use super::{Checked, ask, check, check_within, is_present, listing, open, plain};
use pullgate::{
    http::Failure,
    lab::{Behaviour, Scope},
    registry::{Answer, Error, HostOptions, Options, Refusal, Unlisted},
};
use std::{
    io::{Read, Write},
    net::TcpListener,
    thread,
    time::{Duration, Instant},
};

#[test]
fn at_the_deadline_what_is_answered_is_kept_and_the_rest_is_named() {
    let (registry, hanging) = (open(), open());
    registry.push("team/app", "1");
    hanging.misbehave(Scope::everything(), Behaviour::Hang);
    let mut options = listing(&registry, plain());
    options.hosts.insert(hanging.host(), plain());
    let images = [format!("{}/team/app:1", registry.host()), format!("{}/a:1", hanging.host())];
    let start = Instant::now();
    let checked = check_within(options, &images, Duration::from_millis(300));
    assert!(start.elapsed() < Duration::from_secs(2));
    assert!(is_present(&checked[0]));
    assert_eq!(checked[1], Err(Error::Deadline));
}

#[test]
fn thousands_of_hanging_hosts_take_no_more_connections_than_one_and_no_time_from_a_listed_one() {
    let registry = open();
    registry.push("team/app", "1");
    let tarpit = TcpListener::bind("0.0.0.0:0").unwrap();
    let port = tarpit.local_addr().unwrap().port();
    let hosts = (0..5000).map(|n| format!("127.1.{}.{}:{port}/app:1", n / 250, n % 250 + 1));
    let images: Vec<String> = hosts.chain([format!("{}/team/app:1", registry.host())]).collect();
    let options = Options { unlisted: Unlisted::Any, ..listing(&registry, plain()) };
    let start = Instant::now();
    let checked = check_within(options, &images, Duration::from_millis(2800));
    assert!(start.elapsed() < Duration::from_secs(6), "{:?}", start.elapsed());
    assert!(is_present(&checked[5000]));
    let asked = checked[..5000].iter().filter(|checked| **checked == Err(Error::Deadline)).count();
    let one_too_many = |checked: &&Checked| matches!(checked, Ok(Answer::NotAllowed { refusal: Refusal::TooMany, .. }));
    assert_eq!((asked, checked.iter().filter(one_too_many).count()), (50, 4950), "every host is named all the same");
    tarpit.set_nonblocking(true).unwrap();
    let connections = tarpit.incoming().take_while(Result::is_ok).count();
    assert!((1..=64).contains(&connections), "{connections}");
}

#[test]
fn one_request_has_a_limit_of_its_own_and_does_not_condemn_the_others() {
    let registry = open();
    for name in ["a", "b", "c"] {
        registry.push(name, "1");
    }
    registry.misbehave("a", Behaviour::Hang);
    let mut options = listing(&registry, plain());
    options.request_timeout = Duration::from_millis(200);
    let images = ["a:1", "b:1", "c:1"].map(|image| format!("{}/{image}", registry.host()));
    let checked = check(options, &images);
    assert_eq!(checked[0], Err(Error::Timeout { host: registry.host() }));
    assert!(is_present(&checked[1]) && is_present(&checked[2]));
}

#[test]
fn a_server_that_is_briefly_out_of_order_is_asked_again() {
    for code in [408, 500, 502, 504] {
        let registry = open();
        registry.push("team/app", "1");
        registry.misbehave(Scope::from("team/app:1").times(1), Behaviour::status(code));
        assert!(is_present(&ask(&registry, plain(), "team/app:1")), "{code}");
        assert_eq!(registry.requests().len(), 2);
    }
}

#[test]
fn a_503_once_is_forgotten() {
    let registry = open();
    registry.push("team/app", "1");
    registry.misbehave(Scope::from("team/app:1").times(1), Behaviour::status(503));
    assert!(is_present(&ask(&registry, plain(), "team/app:1")));
    assert_eq!(registry.requests().len(), 2);
}

#[test]
fn a_server_that_knows_nothing_of_head_is_asked_with_get() {
    let registry = open();
    registry.push("team/app", "1");
    registry.misbehave(Scope::from("team/app:1").head(), Behaviour::status(501));
    assert!(is_present(&ask(&registry, plain(), "team/app:1")));
    assert_eq!(registry.requests().len(), 2);
}

#[test]
fn a_connection_that_is_refused_once_is_tried_again() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let late = thread::spawn(move || {
        thread::sleep(Duration::from_millis(100));
        let (mut stream, _) = TcpListener::bind(address).unwrap().accept().unwrap();
        let _ = stream.read(&mut [0; 4096]).unwrap();
        let digest = "0".repeat(64);
        write!(stream, "HTTP/1.1 200 OK\r\nDocker-Content-Digest: sha256:{digest}\r\n\r\n").unwrap();
    });
    let options = Options { hosts: [(address.to_string(), plain())].into(), ..Options::default() };
    let checked = check(options, &[format!("{address}/app:1")]).remove(0);
    assert!(is_present(&checked), "{checked:?}");
    late.join().unwrap();
}

#[test]
fn a_server_that_stays_out_of_order_cannot_tell() {
    let registry = open();
    registry.misbehave(Scope::everything(), Behaviour::status(503));
    let expected = Error::Server { host: registry.host(), status: 503, message: None };
    assert_eq!(ask(&registry, plain(), "team/app:1"), Err(expected));
    assert_eq!(registry.requests().len(), 2);
}

#[test]
fn a_registry_that_is_not_there_is_unreachable_for_all_its_images_at_once() {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let images: Vec<String> = (0..20).map(|n| format!("{address}/app:{n}")).collect();
    let options = Options { hosts: [(address.to_string(), plain())].into(), ..Options::default() };
    for checked in check(options, &images) {
        let Err(Error::Unreachable { failure: Failure::Connect(_), .. }) = checked else { panic!("{checked:?}") };
    }
}

#[test]
fn what_no_registry_says_is_not_taken_for_absent() {
    let registry = open();
    registry.misbehave(Scope::everything(), Behaviour::status(418));
    let checked = ask(&registry, plain(), "team/app:1");
    assert!(matches!(checked, Err(Error::Server { status: 418, .. })), "{checked:?}");
    registry.behave();
    registry.misbehave(Scope::everything(), Behaviour::CloseConnection);
    let checked = ask(&registry, plain(), "team/app:1");
    assert!(matches!(checked, Err(Error::Unreachable { failure: Failure::Broken(_), .. })), "{checked:?}");
}

#[test]
fn an_absent_image_stays_absent_when_the_deadline_comes_while_tags_are_listed() {
    let registry = open();
    registry.push("team/app", "1");
    let unknown = Behaviour::ErrorCode { status: 404, code: "MANIFEST_UNKNOWN".into(), message: "unknown".into() };
    registry.misbehave("team/app:2", unknown);
    registry.misbehave("team/app", Behaviour::Hang);
    let image = format!("{}/team/app:2", registry.host());
    let checked = check_within(listing(&registry, plain()), &[image], Duration::from_millis(500)).remove(0);
    assert!(matches!(checked, Ok(Answer::Absent { .. })), "{checked:?}");
}

#[test]
fn a_name_that_does_not_exist_is_an_outage_of_a_listed_registry() {
    let options =
        Options { hosts: [("registry.invalid".to_owned(), HostOptions::default())].into(), ..Options::default() };
    let checked = check(options, &["registry.invalid/app:1".to_owned()]).remove(0);
    assert_eq!(checked, Err(Error::Unreachable { host: "registry.invalid".to_owned(), failure: Failure::NoSuchHost }));
}

#[test]
fn of_an_unlisted_registry_it_is_not_said_whether_its_name_exists() {
    let checked = check(Options::default(), &["registry.invalid/app:1".to_owned()]).remove(0);
    assert!(matches!(checked, Ok(Answer::NotAllowed { refusal: Refusal::NoPublicAddress, .. })), "{checked:?}");
}
