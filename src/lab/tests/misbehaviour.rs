//! Misbehaviour on command.
use super::client::{ALICE, OCI, ask, plain, with};
use crate::lab::{Auth, Behaviour, Scope, image::digest};
use std::{
    io::{ErrorKind, Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

#[test]
fn rules_act_on_what_they_cover_as_often_as_they_say() {
    let registry = plain();
    registry.push("app", "1");
    registry.push("app", "2");
    let status = |method: &str, tag: &str| ask(&registry, method, &format!("/v2/app/manifests/{tag}"), &[OCI]).status;
    registry.misbehave(Scope::from("app:1").times(1), Behaviour::status(503));
    registry.misbehave(Scope::from("app:1").head(), Behaviour::status(429));
    assert_eq!((status("GET", "2"), status("GET", "1"), status("GET", "1")), (200, 503, 200));
    assert_eq!((status("HEAD", "1"), status("GET", "1")), (429, 200));
    registry.behave();
    registry.misbehave("app", Behaviour::HeadNotFoundButGetWorks);
    assert_eq!((status("HEAD", "1"), status("GET", "1")), (404, 200));
    registry.misbehave(Scope::everything(), Behaviour::Redirect("http://elsewhere.example/".into()));
    let redirect = ask(&registry, "GET", "/v2/", &[]);
    assert_eq!((redirect.status, redirect.header("location")), (307, Some("http://elsewhere.example/")));
}

#[test]
fn what_is_narrower_than_everything_acts_only_behind_the_door() {
    let registry = with(Auth::Basic { users: [("alice", "s3cret")].into() });
    registry.misbehave("app", Behaviour::RateLimited { retry_after: Some("1".into()) });
    registry.misbehave("app", Behaviour::Challenge(vec!["Negotiate".into(), "Basic realm=\"a, b\"".into()]));
    let refused = ask(&registry, "GET", "/v2/app/manifests/1", &[OCI]);
    assert_eq!(refused.status, 401);
    assert!(refused.head.contains("www-authenticate: Negotiate\r\nwww-authenticate: Basic realm=\"a, b\""));
    let limited = ask(&registry, "GET", "/v2/app/manifests/1", &[OCI, ALICE]);
    assert_eq!((limited.status, limited.header("retry-after")), (429, Some("1")));
    registry.misbehave(Scope::everything(), Behaviour::status(502));
    assert_eq!(ask(&registry, "GET", "/v2/app/manifests/1", &[OCI]).status, 502);
}

#[test]
fn an_answer_can_be_right_and_yet_spoilt() {
    let registry = plain();
    let pushed = registry.push("app", "1");
    let get = || ask(&registry, "GET", "/v2/app/manifests/1", &[OCI]);
    registry.misbehave("app", Behaviour::NoDigestHeader);
    registry.misbehave("app", Behaviour::NoContentLength);
    let spoilt = get();
    assert_eq!((spoilt.header("docker-content-digest"), spoilt.header("content-length")), (None, None));
    let head = ask(&registry, "HEAD", "/v2/app/manifests/1", &[OCI]);
    assert_eq!((head.status, head.header("content-length")), (200, None), "{}", head.head);
    registry.behave();
    registry.misbehave("app", Behaviour::WrongDigestBody);
    let wrong = get();
    assert_eq!(wrong.header("docker-content-digest"), Some(pushed.as_str()));
    assert_ne!(digest(wrong.body.as_bytes()), pushed);
    registry.behave();
    let escape = Behaviour::ErrorCode { status: 404, code: "TAG_EXPIRED".into(), message: "\x1b[31m\n".into() };
    registry.misbehave("app", escape);
    let expired = get();
    assert_eq!((expired.status, expired.code().as_str()), (404, "TAG_EXPIRED"));
    assert!(expired.body.contains(r"\u001b[31m\n"));
}

#[test]
fn bodies_and_connections_can_hang_drip_break_and_never_end() {
    let registry = plain();
    registry.push("app", "1");
    let open = || {
        let mut stream = TcpStream::connect(registry.address()).unwrap();
        write!(stream, "GET /v2/app/manifests/1 HTTP/1.1\r\nHost: lab\r\n{OCI}\r\n\r\n").unwrap();
        stream.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
        stream
    };
    let mut buffer = vec![0; 1 << 20];
    registry.misbehave("app", Behaviour::CloseConnection);
    assert_eq!(open().read(&mut buffer).unwrap(), 0, "end of file before any answer");
    registry.behave();
    registry.misbehave("app", Behaviour::Hang);
    assert_eq!(open().read(&mut buffer).unwrap_err().kind(), ErrorKind::WouldBlock);
    registry.behave();
    registry.misbehave("app", Behaviour::EndlessBody);
    open().read_exact(&mut buffer).unwrap();
    registry.behave();
    registry.misbehave("app", Behaviour::SlowBody(Duration::from_millis(40)));
    let (start, mut slow, mut read) = (Instant::now(), open(), Vec::new());
    while start.elapsed() < Duration::from_millis(250) {
        let size = slow.read(&mut buffer).unwrap();
        read.extend_from_slice(&buffer[..size]);
    }
    let (_, body) = std::str::from_utf8(&read).unwrap().split_once("\r\n\r\n").unwrap();
    assert!((1..10).contains(&body.len()), "{body}");
}

#[tokio::test]
async fn a_registry_starts_inside_a_runtime_and_stops_with_a_request_hanging() {
    let registry = plain();
    registry.misbehave(Scope::everything(), Behaviour::Hang);
    let mut stream = TcpStream::connect(registry.address()).unwrap();
    write!(stream, "GET /v2/ HTTP/1.1\r\nHost: lab\r\n\r\n").unwrap();
    let start = Instant::now();
    while registry.requests().is_empty() && start.elapsed() < Duration::from_secs(5) {
        std::thread::yield_now();
    }
    drop(registry);
    assert_eq!(stream.read(&mut [0]).unwrap(), 0);
}
