//! Platforms: what an image offers, against what the configuration asks for.
use super::{Checked, alice, basic, check, describe, is_present, listing, open, plain, requests, with};
use pullgate::{
    image::Platform,
    lab::{Behaviour, Registry, Scope},
    registry::{Answer, Error, HostOptions, Options},
};
use serde_json::{Value, json};
use tempfile::TempDir;

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

fn wanting(options: Options, platforms: &[&str]) -> Options {
    Options { platforms: platforms.iter().map(|text| Platform::parse(text).unwrap()).collect(), ..options }
}

/// The answer about an image that must offer these platforms.
fn ask_for(registry: &Registry, platforms: &[&str], image: &str) -> Checked {
    let options = wanting(listing(registry, plain()), platforms);
    check(options, &[format!("{}/{image}", registry.host())]).remove(0)
}

fn said(registry: &Registry, platforms: &[&str], image: &str) -> String {
    let checked = ask_for(registry, platforms, image);
    assert!(matches!(checked, Ok(Answer::WrongPlatform { .. })), "{checked:?}");
    describe(&checked, registry, image)
}

fn is_no_registry(checked: &Checked) -> bool {
    matches!(checked, Err(Error::NotARegistry { .. }))
}

fn entry(digest: &str, platform: &Value) -> Value {
    json!({ "mediaType": MANIFEST, "digest": digest, "size": 7, "platform": platform })
}

fn index(entries: &[Value]) -> String {
    json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": entries }).to_string()
}

fn amd64() -> Value {
    json!({ "os": "linux", "architecture": "amd64" })
}

fn unknown() -> Value {
    json!({ "os": "unknown", "architecture": "unknown" })
}

fn digest() -> String {
    format!("sha256:{}", "a".repeat(64))
}

#[test]
fn without_platforms_in_the_configuration_nothing_is_fetched() {
    let registry = open();
    registry.push_index("team/app", "1", &["linux/arm64"]);
    assert!(is_present(&ask_for(&registry, &[], "team/app:1")));
    assert_eq!(requests(&registry), ["HEAD /v2/team/app/manifests/1"]);
}

#[test]
fn an_index_takes_one_request_more_and_is_fetched_by_its_digest() {
    let registry = open();
    let digest = registry.push_index("team/app", "1", &["linux/amd64", "linux/arm64"]);
    let checked = ask_for(&registry, &["linux/amd64", "linux/arm64"], "team/app:1");
    assert_eq!(checked, Ok(Answer::Present { digest: Some(digest.clone()) }));
    let expected = ["HEAD /v2/team/app/manifests/1".to_owned(), format!("GET /v2/team/app/manifests/{digest}")];
    assert_eq!(requests(&registry), expected);
}

#[test]
fn an_index_without_the_platform_is_told_by_what_it_offers() {
    let registry = open();
    registry.push_index("team/app", "1", &["linux/arm64", "linux/s390x"]);
    let words = said(&registry, &["linux/amd64"], "team/app:1");
    assert_eq!(words, "it offers linux/arm64 and linux/s390x, but not linux/amd64");
    let words = said(&registry, &["linux/arm64", "linux/amd64", "windows/amd64"], "team/app:1");
    assert_eq!(words, "it offers linux/arm64 and linux/s390x, but not linux/amd64 or windows/amd64");
}

#[test]
fn a_docker_list_is_an_index_too() {
    let registry = open();
    let body = index(&[entry(&digest(), &amd64())]).replace(INDEX, LIST);
    registry.push_manifest("team/app", "1", LIST, &body);
    assert!(is_present(&ask_for(&registry, &["linux/amd64"], "team/app:1")));
    assert_eq!(said(&registry, &["linux/arm64"], "team/app:1"), "it offers linux/amd64, but not linux/arm64");
}

#[test]
fn an_index_of_one_platform_and_an_attestation_is_of_one_platform() {
    let registry = open();
    let mut attestation = entry(&digest(), &unknown());
    attestation["annotations"] = json!({ "vnd.docker.reference.type": "attestation-manifest" });
    let body = index(&[entry(&digest(), &json!({ "os": "linux", "architecture": "arm64" })), attestation]);
    registry.push_manifest("team/app", "1", INDEX, &body);
    assert!(is_present(&ask_for(&registry, &["linux/arm64"], "team/app:1")));
    assert_eq!(said(&registry, &["linux/amd64"], "team/app:1"), "it offers linux/arm64, but not linux/amd64");
}

#[test]
fn an_index_of_attestations_alone_offers_nothing() {
    let registry = open();
    let mut by_annotation = entry(&digest(), &amd64());
    by_annotation["annotations"] = json!({ "vnd.docker.reference.type": "attestation-manifest" });
    registry.push_manifest("team/app", "1", INDEX, &index(&[entry(&digest(), &unknown()), by_annotation]));
    let words = said(&registry, &["linux/amd64", "linux/arm64"], "team/app:1");
    assert_eq!(words, "it offers nothing that runs, so not linux/amd64 or linux/arm64");
}

#[test]
fn a_single_manifest_says_its_platform_in_its_config() {
    let registry = open();
    let digest = registry.push_for("team/app", "1", "linux/arm/v6");
    assert!(is_present(&ask_for(&registry, &["linux/arm/v7"], "team/app:1")));
    let asked = requests(&registry);
    assert_eq!(
        asked[..2],
        ["HEAD /v2/team/app/manifests/1".to_owned(), format!("GET /v2/team/app/manifests/{digest}")]
    );
    assert!(asked.len() == 3 && asked[2].starts_with("GET /v2/team/app/blobs/sha256:"), "{asked:?}");
    assert_eq!(said(&registry, &["linux/amd64"], "team/app:1"), "it offers linux/arm/v6, but not linux/amd64");
}

#[test]
fn a_config_that_names_no_platform_is_taken_anywhere() {
    let registry = open();
    let config = registry.push_blob("team/app", "{\"rootfs\":{}}");
    let manifest = json!({ "schemaVersion": 2, "config": { "digest": config }, "layers": [] });
    registry.push_manifest("team/app", "1", MANIFEST, &manifest.to_string());
    assert!(is_present(&ask_for(&registry, &["linux/amd64", "windows/amd64"], "team/app:1")));
}

#[test]
fn an_index_in_an_index_is_looked_into() {
    let registry = open();
    let inner = registry.push_index("team/app", "inner", &["linux/arm64"]);
    let middle = json!({ "mediaType": INDEX, "digest": inner });
    let middle = registry.push_manifest("team/app", "middle", INDEX, &index(&[middle]));
    let outer = [entry(&digest(), &json!({ "os": "linux", "architecture": "s390x" })), json!({ "digest": middle })];
    registry.push_manifest("team/app", "1", INDEX, &index(&outer));
    assert!(is_present(&ask_for(&registry, &["linux/arm64"], "team/app:1")));
    let words = said(&registry, &["linux/amd64"], "team/app:1");
    assert_eq!(words, "it offers linux/arm64 and linux/s390x, but not linux/amd64");
    // What the outer one offers need not be looked for in the inner.
    registry.clear();
    assert!(is_present(&ask_for(&registry, &["linux/s390x"], "team/app:1")));
    assert_eq!(registry.requests().len(), 2);
}

#[test]
fn indexes_in_each_other_are_not_followed_for_ever() {
    let registry = open();
    let mut inner = registry.push_index("team/app", "inner", &["linux/amd64"]);
    for depth in 0..8 {
        inner = registry.push_manifest("team/app", &depth.to_string(), INDEX, &index(&[json!({ "digest": inner })]));
    }
    assert!(is_no_registry(&ask_for(&registry, &["linux/amd64"], "team/app:7")));
    assert_eq!(registry.requests().len(), 5);
}

#[test]
fn an_entry_without_a_platform_is_what_its_config_says() {
    let registry = open();
    let image = registry.push_for("team/app", "arm", "linux/arm64");
    registry.push_manifest("team/app", "1", INDEX, &index(&[json!({ "mediaType": MANIFEST, "digest": image })]));
    assert!(is_present(&ask_for(&registry, &["linux/arm64"], "team/app:1")));
    assert_eq!(said(&registry, &["linux/amd64"], "team/app:1"), "it offers linux/arm64, but not linux/amd64");
}

#[test]
fn an_index_of_another_digest_than_the_one_asked_for_is_not_believed() {
    let registry = open();
    let digest = registry.push_index("team/app", "1", &["linux/amd64"]);
    registry.misbehave(Scope::from("team/app").get(), Behaviour::WrongDigestBody);
    assert!(is_no_registry(&ask_for(&registry, &["linux/amd64"], "team/app:1")));
    assert!(is_no_registry(&ask_for(&registry, &["linux/amd64"], &format!("team/app@{digest}"))));
}

#[test]
fn a_config_of_another_digest_than_its_manifest_names_is_not_believed() {
    let registry = open();
    registry.push("team/app", "1");
    registry.misbehave(Scope::blobs("team/app"), Behaviour::WrongDigestBody);
    assert!(is_no_registry(&ask_for(&registry, &["linux/amd64"], "team/app:1")));
}

#[test]
fn a_config_that_is_not_there_cannot_be_pulled() {
    let registry = open();
    let manifest = json!({ "schemaVersion": 2, "config": { "digest": digest() }, "layers": [] });
    registry.push_manifest("team/app", "1", MANIFEST, &manifest.to_string());
    let checked = ask_for(&registry, &["linux/amd64"], "team/app:1");
    let expected = format!(
        "it exists, but cannot be pulled: its manifest names {}, which the registry does not have (404)",
        digest()
    );
    assert_eq!(describe(&checked, &registry, "team/app:1"), expected);
}

#[test]
fn what_a_manifest_calls_a_digest_and_is_none_is_never_asked_for() {
    let registry = open();
    let manifest = json!({ "schemaVersion": 2, "config": { "digest": "../../../admin/delete?all" }, "layers": [] });
    registry.push_manifest("team/app", "1", MANIFEST, &manifest.to_string());
    assert!(is_no_registry(&ask_for(&registry, &["linux/amd64"], "team/app:1")));
    assert_eq!(registry.requests().len(), 2);
}

#[test]
fn a_config_elsewhere_is_fetched_without_the_registrys_credentials() {
    let (registry, elsewhere, folder) = (with(basic()), open(), TempDir::new().unwrap());
    registry.push("team/app", "1");
    elsewhere.push("team/app", "1");
    let mut options = wanting(listing(&registry, alice(&folder, "s3cret")), &["linux/amd64"]);
    options.hosts.insert(elsewhere.host(), plain());
    let image = format!("{}/team/app:1", registry.host());
    assert!(is_present(&check(options.clone(), std::slice::from_ref(&image))[0]));
    let blob = registry.requests().pop().unwrap().target;
    let there = Behaviour::Redirect(format!("http://{}{blob}", elsewhere.host()));
    registry.misbehave(Scope::blobs("team/app"), there);
    assert!(is_present(&check(options, &[image])[0]));
    assert_eq!(requests(&elsewhere), [format!("GET {blob}")]);
    assert_eq!(requests(&registry).pop().unwrap(), format!("GET {blob} Basic"));
}

#[test]
fn a_registry_that_names_no_digest_is_asked_for_the_tag_again() {
    let registry = open();
    let digest = registry.push_index("team/app", "1", &["linux/amd64"]);
    registry.misbehave("team/app", Behaviour::NoDigestHeader);
    let checked = ask_for(&registry, &["linux/amd64"], "team/app:1");
    assert_eq!(checked, Ok(Answer::Present { digest: Some(digest) }));
    assert_eq!(requests(&registry), ["HEAD /v2/team/app/manifests/1", "GET /v2/team/app/manifests/1"]);
}

#[test]
fn a_registry_that_limits_pulls_cannot_tell_what_is_offered() {
    let registry = open();
    registry.push_index("team/app", "1", &["linux/amd64"]);
    registry.misbehave(Scope::from("team/app").get(), Behaviour::RateLimited { retry_after: None });
    let checked = ask_for(&registry, &["linux/amd64"], "team/app:1");
    assert!(matches!(checked, Err(Error::Busy { .. })), "{checked:?}");
}

#[test]
fn an_index_of_a_million_entries_is_read_within_reason() {
    let registry = open();
    let body = format!("{{\"schemaVersion\":2,\"manifests\":[{}{{}}]}}", "{},".repeat(1_000_000));
    registry.push_manifest("team/app", "1", INDEX, &body);
    assert!(is_no_registry(&ask_for(&registry, &["linux/amd64"], "team/app:1")));
}

#[test]
fn a_mirror_without_the_platform_is_passed_over() {
    let (origin, mirror) = (open(), open());
    mirror.push_index("team/app", "1", &["linux/arm64"]);
    mirror.push("team/app", "2");
    origin.push_index("team/app", "1", &["linux/amd64"]);
    let mut options = wanting(listing(&origin, plain()), &["linux/amd64"]);
    options.hosts.insert(mirror.host(), HostOptions { mirror_of: Some(origin.host()), ..plain() });
    let images = ["team/app:1", "team/app:2"].map(|image| format!("{}/{image}", origin.host()));
    assert!(check(options, &images).iter().all(is_present));
    assert!(requests(&origin).iter().all(|line| !line.contains("manifests/2")), "{:?}", requests(&origin));
    let asked = requests(&mirror);
    assert!(asked.len() == 5 && asked.iter().all(|line| line.contains("?ns=")), "{asked:?}");
}
