//! Credentials and what they bought stay where the configuration lets them, however registries send us about.
use super::super::{alice, check_within, instruments::Bytes, plain};
use proptest::{
    collection::vec,
    prelude::{Just, ProptestConfig, Strategy, prop_oneof, proptest},
};
use pullgate::registry::{HostOptions, Options};
use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};
use tempfile::TempDir;

/// Servers: the registry of the push, for which there are credentials; one that the configuration lets have them for a
/// token; one that is listed without credentials, one that is listed with others, and one that is not listed.
const SERVERS: usize = 5;
const REGISTRY: usize = 0;
const TRUSTED_REALM: usize = 1;
const UNLISTED: usize = 4;

/// What a server does with requests, the other servers by number.
#[derive(Clone, Copy, Debug)]
enum Answer {
    Present,
    NotFound,
    Redirect(usize),
    Basic,
    Bearer(usize),
    Both(usize),
}

#[derive(Clone, Copy, Debug)]
enum TokenAnswer {
    Token,
    Refused,
    Redirect(usize),
    Challenge(usize),
}

#[derive(Clone, Debug)]
struct Server {
    /// To a request without authorization, and with it.
    answers: (Answer, Answer),
    token: TokenAnswer,
}

fn answer() -> impl Strategy<Value = Answer> {
    prop_oneof![
        Just(Answer::Present),
        Just(Answer::NotFound),
        (0..SERVERS).prop_map(Answer::Redirect),
        Just(Answer::Basic),
        (0..SERVERS).prop_map(Answer::Bearer),
        (0..SERVERS).prop_map(Answer::Both),
    ]
}

fn token() -> impl Strategy<Value = TokenAnswer> {
    prop_oneof![
        3 => Just(TokenAnswer::Token),
        1 => Just(TokenAnswer::Refused),
        1 => (0..SERVERS).prop_map(TokenAnswer::Redirect),
        1 => (0..SERVERS).prop_map(TokenAnswer::Challenge),
    ]
}

fn servers() -> impl Strategy<Value = Vec<Server>> {
    vec(((answer(), answer()), token()).prop_map(|(answers, token)| Server { answers, token }), SERVERS)
}

/// What a server writes; tokens say who sold them, and whether for credentials.
fn written(me: usize, server: &Server, head: &str, hosts: &[String]) -> String {
    let authorized = head.contains("authorization: ");
    let challenge =
        |realm: usize| format!("www-authenticate: Bearer realm=\"http://{}/token\",scope=\"a\"\r\n", hosts[realm]);
    let redirect =
        |to: usize| ("307 Temporary Redirect", format!("location: http://{}/v2/x/manifests/1\r\n", hosts[to]));
    let basic = "www-authenticate: Basic realm=\"x\"\r\n";
    let (status, headers) = if head.contains(" /token") {
        match server.token {
            TokenAnswer::Token => {
                let body = format!("{{\"token\":\"{}-{me}\"}}", if authorized { "bought" } else { "free" });
                return format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
            }
            TokenAnswer::Refused => ("403 Forbidden", String::new()),
            TokenAnswer::Redirect(to) => redirect(to),
            TokenAnswer::Challenge(realm) => ("401 Unauthorized", challenge(realm)),
        }
    } else {
        match if authorized { server.answers.1 } else { server.answers.0 } {
            Answer::Present => ("200 OK", "content-type: application/vnd.oci.image.manifest.v1+json\r\n".to_owned()),
            Answer::NotFound => ("404 Not Found", String::new()),
            Answer::Redirect(to) => redirect(to),
            Answer::Basic => ("401 Unauthorized", basic.to_owned()),
            Answer::Bearer(realm) => ("401 Unauthorized", challenge(realm)),
            Answer::Both(realm) => ("401 Unauthorized", format!("{basic}{}", challenge(realm))),
        }
    };
    format!("HTTP/1.1 {status}\r\n{headers}content-length: 0\r\n\r\n")
}

fn start(graph: &[Server]) -> Vec<Bytes> {
    let hosts: Arc<OnceLock<Vec<String>>> = Arc::default();
    let start = |me: usize| {
        let (server, hosts) = (graph[me].clone(), Arc::clone(&hosts));
        Bytes::answering(move |head, wire| {
            wire.write_all(written(me, &server, head, hosts.get().map_or(&[], Vec::as_slice)).as_bytes())
        })
    };
    let started: Vec<Bytes> = (0..SERVERS).map(start).collect();
    hosts.set(started.iter().map(Bytes::host).collect()).unwrap();
    started
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nobody_is_sent_an_authorization_that_the_configuration_does_not_let_have_it(graph in servers()) {
        let (folder, other) = (TempDir::new().unwrap(), TempDir::new().unwrap());
        let started = start(&graph);
        let hosts: Vec<String> = started.iter().map(Bytes::host).collect();
        let realms = vec![hosts[TRUSTED_REALM].clone()];
        let listed = [
            HostOptions { token_realms: realms, ..alice(&folder, "s3cret") },
            plain(),
            plain(),
            alice(&other, "0ther"),
        ];
        let options = Options { hosts: hosts.iter().cloned().zip(listed).collect(), ..Options::default() };
        let images: Vec<String> = (0..3).map(|n| format!("{}/app-{n}:1", hosts[REGISTRY])).collect();
        check_within(options, &images, Duration::from_secs(5));
        for (me, server) in started.iter().enumerate() {
            for head in server.heads() {
                let Some((_, rest)) = head.split_once("authorization: ") else { continue };
                let value = rest.split("\r\n").next().unwrap_or_default();
                let may = match value.split_once(' ') {
                    Some(("Basic", _)) => {
                        me == REGISTRY || (me == TRUSTED_REALM && head.contains(" /token"))
                    }
                    Some(("Bearer", token)) if token.starts_with("bought") => me == REGISTRY,
                    _ => me != UNLISTED,
                };
                assert!(may, "server {me} was sent {head}\n{graph:?}");
                // Of the other credentials nobody has any use here.
                assert!(value != "Basic YWxpY2U6MHRoZXI=", "server {me} was sent {head}\n{graph:?}");
            }
        }
        assert_eq!(started[UNLISTED].connections(), 0, "{graph:?}");
    }
}
