//! What the specification says, and what the log tells of it.
use super::client::{ALICE, OCI, ask, plain};
use crate::lab::image::digest;
use std::{
    io::{Read, Write},
    net::TcpStream,
};

#[test]
fn a_head_has_the_headers_of_the_get_and_no_body() {
    let registry = plain();
    let pushed = registry.push("team/app", "1");
    let get = ask(&registry, "GET", "/v2/team/app/manifests/1", &[OCI]);
    let head = ask(&registry, "HEAD", "/v2/team/app/manifests/1", &[OCI]);
    assert_eq!((get.status, head.status), (200, 200));
    assert_eq!(digest(get.body.as_bytes()), pushed);
    for name in ["content-type", "content-length", "docker-content-digest", "docker-distribution-api-version"] {
        assert!(get.header(name).is_some() && get.header(name) == head.header(name), "{name}: {}", head.head);
    }
    assert_eq!(get.header("docker-content-digest"), Some(pushed.as_str()));
    assert_eq!(get.header("content-length"), Some(get.body.len().to_string().as_str()));
    assert_eq!(head.body, "");
}

#[test]
fn what_is_not_there_or_not_accepted_is_unknown() {
    let registry = plain();
    registry.push_index("team/app", "1", &["linux/amd64", "linux/arm/v7"]);
    for (target, accept, code) in [
        ("/v2/team/app/manifests/2", OCI, "MANIFEST_UNKNOWN"),
        ("/v2/none/manifests/1", OCI, "MANIFEST_UNKNOWN"),
        ("/v2/team/app/manifests/1", "Accept: */*", "MANIFEST_UNKNOWN"),
        ("/v2/team/app/manifests/1", "Accept: application/vnd.oci.image.manifest.v1+json", "MANIFEST_UNKNOWN"),
        ("/v2/none/tags/list", OCI, "NAME_UNKNOWN"),
        ("/v2/_catalog", OCI, "UNSUPPORTED"),
        ("/token", OCI, "UNSUPPORTED"),
    ] {
        let answer = ask(&registry, "GET", target, &[accept]);
        assert_eq!((answer.status, answer.code().as_str()), (404, code), "{target} {accept}");
    }
    assert_eq!(ask(&registry, "GET", "/v2/team/app/manifests/1", &[OCI]).status, 200);
    registry.remove("team/app", "1");
    assert_eq!(ask(&registry, "GET", "/v2/team/app/manifests/1", &[OCI]).status, 404);
}

#[test]
fn what_is_outside_the_grammar_is_a_bad_request() {
    let registry = plain();
    for (target, code) in [
        ("/v2/Team/app/manifests/1", "NAME_INVALID"),
        ("/v2/team//app/manifests/1", "NAME_INVALID"),
        ("/v2/a%20b/tags/list", "NAME_INVALID"),
        ("/v2/app/manifests/-1", "TAG_INVALID"),
        ("/v2/app/manifests/sha256:abc", "DIGEST_INVALID"),
        ("/v2/app/blobs/1", "DIGEST_INVALID"),
    ] {
        let answer = ask(&registry, "GET", target, &[]);
        assert_eq!((answer.status, answer.code().as_str()), (400, code), "{target}");
    }
    let answer = ask(&registry, "DELETE", "/v2/app/manifests/1", &[]);
    assert_eq!((answer.status, answer.header("allow")), (405, Some("GET, HEAD")));
}

#[test]
fn tags_come_in_pages_with_a_link_to_the_next() {
    let registry = plain();
    for tag in ["1.2", "1.10", "latest"] {
        registry.push("app", tag);
    }
    let first = ask(&registry, "GET", "/v2/app/tags/list?n=2", &[]);
    assert_eq!(first.body, r#"{"name":"app","tags":["1.10","1.2"]}"#);
    assert_eq!(first.header("link"), Some("</v2/app/tags/list?last=1.2&n=2>; rel=\"next\""));
    let last = ask(&registry, "GET", "/v2/app/tags/list?last=1.2&n=2", &[]);
    assert_eq!((last.body.as_str(), last.header("link")), (r#"{"name":"app","tags":["latest"]}"#, None));
    assert_eq!(ask(&registry, "GET", "/v2/app/tags/list?n=x", &[]).code(), "PAGINATION_NUMBER_INVALID");
}

#[test]
fn the_log_tells_requests_and_connections() {
    let registry = plain();
    registry.push("app", "1");
    ask(&registry, "GET", "/v2/", &["Accept: a/b", "Accept: c/d", ALICE, "User-Agent: test/1"]);
    let mut stream = TcpStream::connect(registry.address()).unwrap();
    for connection in ["keep-alive", "close"] {
        write!(stream, "HEAD /v2/app/manifests/1?ns=x HTTP/1.1\r\nHost: lab\r\nConnection: {connection}\r\n\r\n")
            .unwrap();
    }
    stream.read_to_end(&mut Vec::new()).unwrap();
    let log = registry.requests();
    let lines: Vec<_> = log.iter().map(|r| (r.connection, r.method.as_str(), r.target.as_str())).collect();
    let twice = (2, "HEAD", "/v2/app/manifests/1?ns=x");
    assert_eq!(lines, [(1, "GET", "/v2/"), twice, twice]);
    let authorization = log[0].authorization.as_ref().unwrap();
    assert_eq!((authorization.scheme.as_str(), authorization.value.as_str()), ("Basic", "YWxpY2U6czNjcmV0"));
    assert_eq!((log[0].accept.as_str(), log[0].user_agent.as_str()), ("a/b, c/d", "test/1"));
    assert_eq!(registry.connections(), 2);
    registry.clear();
    assert_eq!(registry.requests(), []);
}
