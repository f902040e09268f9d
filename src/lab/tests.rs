//! The registry as a client on the wire sees it.
use super::{Auth, Behaviour, Options, Registry, Scope};
use std::{
    io::{ErrorKind, Read, Write},
    net::TcpStream,
    process::Command,
    time::{Duration, Instant},
};

const OCI: &str = "Accept: application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json";

/// An answer as it came over the wire.
struct Raw {
    status: u16,
    head: String,
    body: String,
}

impl Raw {
    fn header(&self, wanted: &str) -> Option<&str> {
        let fields = self.head.lines().filter_map(|line| line.split_once(": "));
        fields.into_iter().find_map(|(name, value)| name.eq_ignore_ascii_case(wanted).then_some(value))
    }

    /// The first error's code.
    fn code(&self) -> String {
        let body: serde_json::Value = serde_json::from_str(&self.body).unwrap();
        body["errors"][0]["code"].as_str().unwrap().to_owned()
    }
}

fn ask(registry: &Registry, method: &str, target: &str, headers: &[&str]) -> Raw {
    let mut stream = TcpStream::connect(registry.address()).unwrap();
    let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
    write!(stream, "{method} {target} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{headers}\r\n", registry.host())
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").expect("an answer has a head");
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Raw { status, head: head.to_owned(), body: body.to_owned() }
}

fn plain() -> Registry {
    Registry::start(Options::default()).unwrap()
}

fn with(auth: Auth) -> Registry {
    Registry::start(Options { auth, ..Options::default() }).unwrap()
}

#[test]
fn a_head_has_the_headers_of_the_get_and_no_body() {
    let registry = plain();
    let digest = registry.push("team/app", "1");
    let get = ask(&registry, "GET", "/v2/team/app/manifests/1", &[OCI]);
    let head = ask(&registry, "HEAD", "/v2/team/app/manifests/1", &[OCI]);
    assert_eq!((get.status, head.status), (200, 200));
    assert_eq!(super::image::digest(get.body.as_bytes()), digest);
    for name in ["content-type", "content-length", "docker-content-digest", "docker-distribution-api-version"] {
        assert!(get.header(name).is_some() && get.header(name) == head.header(name), "{name}: {}", head.head);
    }
    assert_eq!(get.header("docker-content-digest"), Some(digest.as_str()));
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

// "alice:s3cret" and "alice:guess"
const ALICE: &str = "Authorization: Basic YWxpY2U6czNjcmV0";
const MALLORY: &str = "Authorization: Basic YWxpY2U6Z3Vlc3M=";

#[test]
fn basic_credentials_are_wanted_at_every_request() {
    let registry = with(Auth::Basic { users: [("alice", "s3cret")].into() });
    registry.push("app", "1");
    let anonymous = ask(&registry, "GET", "/v2/app/manifests/1", &[OCI]);
    assert_eq!((anonymous.status, anonymous.header("www-authenticate")), (401, Some("Basic realm=\"lab\"")));
    assert_eq!(ask(&registry, "GET", "/v2/app/manifests/1", &[OCI, MALLORY]).status, 401);
    assert_eq!(ask(&registry, "GET", "/v2/app/manifests/1", &[OCI, ALICE]).status, 200);
    registry.restrict("app", &["bob"]);
    assert_eq!(ask(&registry, "GET", "/v2/app/manifests/1", &[OCI, ALICE]).code(), "DENIED");
}

#[test]
fn a_token_opens_the_repositories_of_its_scopes_that_its_user_may_read() {
    let service = Some("lab".to_owned());
    let registry = with(Auth::Bearer { users: [("alice", "s3cret")].into(), realm: None, service });
    registry.push("open", "1");
    registry.push("closed", "1");
    registry.restrict("closed", &["alice"]);

    let host = registry.host();
    let challenge = |name: &str, error: &str| {
        format!("Bearer realm=\"http://{host}/token\",service=\"lab\",scope=\"repository:{name}:pull\"{error}")
    };
    let refused = ask(&registry, "GET", "/v2/closed/manifests/1", &[OCI]);
    assert_eq!((refused.status, refused.code().as_str()), (401, "UNAUTHORIZED"));
    assert_eq!(refused.header("www-authenticate"), Some(challenge("closed", "").as_str()));

    let both = "/token?service=lab&scope=repository:open:pull&scope=repository%3Aclosed%3Apull";
    let token = |headers: &[&str]| {
        let answer: serde_json::Value = serde_json::from_str(&ask(&registry, "GET", both, headers).body).unwrap();
        format!("Authorization: Bearer {}", answer["token"].as_str().unwrap())
    };
    let (alices, anybodys) = (token(&[ALICE]), token(&[]));
    let get = |name: &str, token: &str| ask(&registry, "GET", &format!("/v2/{name}/manifests/1"), &[OCI, token]);
    assert_eq!([get("open", &alices).status, get("closed", &alices).status, get("open", &anybodys).status], [200; 3]);
    let insufficient = challenge("closed", ",error=\"insufficient_scope\"");
    assert_eq!(get("closed", &anybodys).header("www-authenticate"), Some(insufficient.as_str()));
    registry.revoke_tokens();
    let invalid = challenge("open", ",error=\"invalid_token\"");
    assert_eq!(get("open", &alices).header("www-authenticate"), Some(invalid.as_str()));

    assert_eq!(ask(&registry, "GET", both, &[MALLORY]).status, 401);
    assert_eq!(ask(&registry, "GET", "/token?service=other", &[ALICE]).status, 400);
}

#[test]
fn an_identity_token_buys_an_access_token() {
    let registry = with(Auth::Bearer { users: [("<token>", "refresh-me")].into(), realm: None, service: None });
    registry.push("app", "1");
    registry.restrict("app", &["<token>"]);
    let buy = |identity: &str| {
        let form = format!("grant_type=refresh_token&refresh_token={identity}&scope=repository:app:pull");
        let length = format!("Content-Length: {}\r\n\r\n{form}", form.len());
        ask(&registry, "POST", "/token", &[&length])
    };
    let bought: serde_json::Value = serde_json::from_str(&buy("refresh-me").body).unwrap();
    let token = format!("Authorization: Bearer {}", bought["access_token"].as_str().unwrap());
    assert_eq!(ask(&registry, "GET", "/v2/app/manifests/1", &[OCI, &token]).status, 200);
    assert_eq!(buy("wrong").status, 401);
}

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
    let digest = registry.push("app", "1");
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
    assert_eq!(wrong.header("docker-content-digest"), Some(digest.as_str()));
    assert_ne!(super::image::digest(wrong.body.as_bytes()), digest);
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

#[test]
fn skopeo_copies_an_image_and_an_index() {
    if Command::new("skopeo").arg("--version").output().is_err() {
        println!("skopeo is not installed: passed over");
        return;
    }
    let users = [("alice", "s3cret")].into();
    let registry = with(Auth::Bearer { users, realm: None, service: Some("lab".into()) });
    registry.push("team/app", "one");
    registry.push_index("team/app", "many", &["linux/amd64", "linux/arm64/v8"]);
    registry.restrict("team/app", &["alice"]);
    let folder = tempfile::tempdir().unwrap();
    for tag in ["one", "many"] {
        let from = format!("docker://{}/team/app:{tag}", registry.host());
        let to = format!("oci:{}:{tag}", folder.path().display());
        let mut skopeo = Command::new("skopeo");
        skopeo.args(["--insecure-policy", "copy", "--all", "--src-tls-verify=false", "--src-creds=alice:s3cret"]);
        let done = skopeo.args([from, to]).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }
    let copied = std::fs::read_to_string(folder.path().join("index.json")).unwrap();
    assert!(copied.contains(r#""org.opencontainers.image.ref.name":"many""#), "{copied}");
}
