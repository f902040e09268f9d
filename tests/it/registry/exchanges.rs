//! How many requests twenty images take, and how many of them one after the other.
use super::{alice, basic, bearer, check, is_present, listing, plain, requests};
use pullgate::{
    lab::{self, Auth, Behaviour, Registry, Scope},
    registry::HostOptions,
};
use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// How long the registry takes for an answer: long enough to tell exchanges from computing.
const LATENCY: Duration = Duration::from_millis(300);

fn slow(auth: Auth) -> Registry {
    let registry = Registry::start(lab::Options { auth, latency: LATENCY, ..lab::Options::default() }).unwrap();
    for n in 0..20 {
        registry.push("team/app", &n.to_string());
        registry.push(&format!("team/app-{n}"), "1");
    }
    registry
}

fn repositories(registry: &Registry) -> Vec<String> {
    (0..20).map(|n| format!("{}/team/app-{n}:1", registry.host())).collect()
}

fn tags(registry: &Registry) -> Vec<String> {
    (0..20).map(|n| format!("{}/team/app:{n}", registry.host())).collect()
}

/// Asserts that all can be pulled; the requests, and how many of them were made one after the other.
fn cost(registry: &Registry, options: HostOptions, images: &[String]) -> (usize, u128) {
    let start = Instant::now();
    let checked = check(listing(registry, options), images);
    let exchanges = start.elapsed().as_millis() / LATENCY.as_millis();
    assert!(checked.iter().all(is_present), "{checked:?}");
    let requests = requests(registry);
    let tokens: Vec<_> = requests.iter().filter(|line| line.contains("/token")).collect();
    assert_eq!(tokens.iter().collect::<BTreeSet<_>>().len(), tokens.len(), "a token is asked for once: {tokens:?}");
    (requests.len(), exchanges)
}

#[test]
fn twenty_repositories_for_anybody_take_20_requests_the_first_alone() {
    let registry = slow(Auth::None);
    assert_eq!(cost(&registry, plain(), &repositories(&registry)), (20, 2));
}

#[test]
fn twenty_repositories_with_a_token_each_take_41_requests_in_three_exchanges() {
    let registry = slow(bearer());
    assert_eq!(cost(&registry, plain(), &repositories(&registry)), (1 + 20 + 20, 3));
}

#[test]
fn twenty_repositories_with_a_token_for_all_take_22_requests_in_three_exchanges() {
    let registry = slow(bearer());
    let header = "Bearer realm=\"/token\",service=\"lab\",scope=\"*\"".to_owned();
    registry.misbehave(Scope::everything(), Behaviour::Challenge(vec![header]));
    assert_eq!(cost(&registry, plain(), &repositories(&registry)), (1 + 1 + 20, 3));
}

#[test]
fn twenty_tags_of_one_repository_take_22_requests_in_three_exchanges() {
    let registry = slow(bearer());
    assert_eq!(cost(&registry, plain(), &tags(&registry)), (1 + 1 + 20, 3));
}

#[test]
fn twenty_tags_of_one_repository_with_credentials_take_22_requests_in_three_exchanges() {
    let folder = TempDir::new().unwrap();
    let registry = slow(bearer());
    assert_eq!(cost(&registry, alice(&folder, "s3cret"), &tags(&registry)), (1 + 1 + 20, 3));
}

#[test]
fn twenty_repositories_with_credentials_take_one_exchange_more_for_their_first_use_goes_alone() {
    let folder = TempDir::new().unwrap();
    let registry = slow(bearer());
    assert_eq!(cost(&registry, alice(&folder, "s3cret"), &repositories(&registry)), (1 + 20 + 20, 4));
}

#[test]
fn twenty_repositories_with_a_password_take_21_requests_in_three_exchanges() {
    let folder = TempDir::new().unwrap();
    let registry = slow(basic());
    assert_eq!(cost(&registry, alice(&folder, "s3cret"), &repositories(&registry)), (1 + 20, 3));
}

#[test]
fn twenty_repositories_with_a_foreign_token_host_take_as_many() {
    let registry = slow(bearer());
    let other = format!("localhost:{}", registry.address().port());
    let realm = format!("Bearer realm=\"http://{other}/token\",service=\"lab\"");
    registry.misbehave(Scope::everything(), Behaviour::Challenge(vec![realm]));
    let options = HostOptions { token_realms: vec![other], ..plain() };
    assert_eq!(cost(&registry, options, &repositories(&registry)), (1 + 20 + 20, 3));
}
