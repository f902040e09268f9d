//! Images that are there, in all the ways in which registries say so, and what only looks like one.
use super::{ask, check, describe, is_present, listing, open, plain, requests};
use pullgate::{
    lab::{self, Behaviour, Registry, Scope},
    registry::{Answer, Error},
};
use std::time::Duration;

const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
const SCHEMA_1: &str = "application/vnd.docker.distribution.manifest.v1+prettyjws";

/// With the image team/app:1, and a behaviour towards HEAD alone.
fn lying(behaviour: Behaviour) -> Registry {
    let registry = open();
    registry.push("team/app", "1");
    registry.misbehave(Scope::from("team/app:1").head(), behaviour);
    registry
}

/// team/app:1 is there, which took a HEAD and a GET.
#[track_caller]
fn is_found_by_get(registry: &Registry) {
    let checked = ask(registry, plain(), "team/app:1");
    assert!(is_present(&checked), "{checked:?}");
    assert_eq!(requests(registry), ["HEAD /v2/team/app/manifests/1", "GET /v2/team/app/manifests/1"]);
}

/// Of this media type, team/app:1 is there, which took one HEAD.
#[track_caller]
fn is_found_as(media_type: &str) {
    let registry = open();
    let digest = registry.push_manifest("team/app", "1", media_type, "{\"schemaVersion\":2}");
    assert_eq!(ask(&registry, plain(), "team/app:1"), Ok(Answer::Present { digest: Some(digest) }));
    assert_eq!(requests(&registry), ["HEAD /v2/team/app/manifests/1"]);
}

#[test]
fn an_oci_manifest_takes_one_head_with_four_types_and_our_name() {
    let registry = open();
    let digest = registry.push("team/app", "1.4.2");
    assert_eq!(ask(&registry, plain(), "team/app:1.4.2"), Ok(Answer::Present { digest: Some(digest) }));
    assert_eq!(requests(&registry), ["HEAD /v2/team/app/manifests/1.4.2"]);
    let request = registry.requests().remove(0);
    assert_eq!(request.accept.split(", ").count(), 4);
    assert!(request.user_agent.starts_with("pullgate/"));
    is_found_as(OCI_MANIFEST);
}

#[test]
fn an_oci_index_is_found() {
    let registry = open();
    let digest = registry.push_index("team/app", "1", &["linux/amd64", "linux/arm64"]);
    assert_eq!(ask(&registry, plain(), "team/app:1"), Ok(Answer::Present { digest: Some(digest) }));
    assert_eq!(registry.requests().len(), 1);
}

#[test]
fn a_docker_manifest_is_found() {
    is_found_as(DOCKER_MANIFEST);
}

#[test]
fn a_docker_list_is_found() {
    is_found_as(DOCKER_LIST);
}

#[test]
fn a_tag_beside_a_digest_is_not_asked_for() {
    let registry = open();
    let digest = registry.push("team/app", "1.4.2");
    assert!(is_present(&ask(&registry, plain(), &format!("team/app:gone@{digest}"))));
    assert_eq!(requests(&registry), [format!("HEAD /v2/team/app/manifests/{digest}")]);
}

#[test]
fn without_the_digest_header_the_media_type_is_enough() {
    let registry = open();
    registry.push("team/app", "1");
    registry.misbehave("team/app", Behaviour::NoDigestHeader);
    assert_eq!(ask(&registry, plain(), "team/app:1"), Ok(Answer::Present { digest: None }));
    assert_eq!(registry.requests().len(), 1);
}

#[test]
fn without_a_media_type_the_digest_header_is_enough() {
    let digest = format!("sha256:{}", "a".repeat(64));
    let headers = vec![("docker-content-digest".to_owned(), digest.clone())];
    let registry = lying(Behaviour::Status { code: 200, headers, body: String::new() });
    assert_eq!(ask(&registry, plain(), "team/app:1"), Ok(Answer::Present { digest: Some(digest) }));
}

#[test]
fn without_a_content_length_the_manifest_is_there_all_the_same() {
    let registry = open();
    registry.push("team/app", "1");
    registry.misbehave("team/app", Behaviour::NoContentLength);
    assert!(is_present(&ask(&registry, plain(), "team/app:1")));
    assert_eq!(registry.requests().len(), 1);
}

#[test]
fn an_html_page_is_no_manifest() {
    let registry = open();
    registry.push("team/app", "1");
    registry.misbehave("team/app", Behaviour::HtmlPage);
    let checked = ask(&registry, plain(), "team/app:1");
    assert!(matches!(checked, Err(Error::NotARegistry { .. })), "{checked:?}");
}

#[test]
fn a_long_html_page_is_none_either() {
    let registry = open();
    let headers = vec![("content-type".to_owned(), "text/html".to_owned())];
    registry.misbehave("team/app", Behaviour::Status { code: 200, headers, body: "x".repeat(5 << 20) });
    let checked = ask(&registry, plain(), "team/app:1");
    assert!(matches!(checked, Err(Error::NotARegistry { .. })), "{checked:?}");
}

#[test]
fn json_that_is_no_manifest_is_none() {
    for body in ["{}", "[]", "null", "{\"schemaVersion\":3,\"layers\":[]}", "{\"schemaVersion\":2,\"status\":\"ok\"}"] {
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        let registry = open();
        registry.misbehave("team/app", Behaviour::Status { code: 200, headers, body: body.to_owned() });
        let checked = ask(&registry, plain(), "team/app:1");
        assert!(matches!(checked, Err(Error::NotARegistry { .. })), "{body}: {checked:?}");
    }
}

#[test]
fn head_404_and_get_200_is_there() {
    is_found_by_get(&lying(Behaviour::HeadNotFoundButGetWorks));
}

#[test]
fn head_405_and_get_200_is_there() {
    is_found_by_get(&lying(Behaviour::status(405)));
}

#[test]
fn head_403_and_get_200_is_there() {
    is_found_by_get(&lying(Behaviour::status(403)));
}

#[test]
fn head_400_and_get_200_is_there() {
    is_found_by_get(&lying(Behaviour::status(400)));
}

#[test]
fn head_501_and_get_200_is_there() {
    is_found_by_get(&lying(Behaviour::status(501)));
}

#[test]
fn head_answered_with_a_page_and_get_200_is_there() {
    is_found_by_get(&lying(Behaviour::HtmlPage));
}

#[test]
fn head_cut_off_and_get_200_is_there() {
    is_found_by_get(&lying(Behaviour::CloseConnection));
}

#[test]
fn a_head_that_names_another_digest_than_the_one_asked_for_is_not_believed() {
    let registry = open();
    let digest = registry.push("team/app", "1");
    let headers = vec![("docker-content-digest".to_owned(), format!("sha256:{}", "0".repeat(64)))];
    let other = Behaviour::Status { code: 200, headers, body: String::new() };
    registry.misbehave(Scope::from(format!("team/app@{digest}").as_str()).head(), other);
    let expected = Ok(Answer::Present { digest: Some(digest.clone()) });
    assert_eq!(ask(&registry, plain(), &format!("team/app@{digest}")), expected);
    assert_eq!(registry.requests().len(), 2);
}

#[test]
fn a_manifest_fetched_by_digest_must_have_that_digest() {
    let registry = open();
    let digest = registry.push("team/app", "1");
    let image = format!("team/app@{digest}");
    registry.misbehave("team/app", Behaviour::HeadNotFoundButGetWorks);
    assert_eq!(ask(&registry, plain(), &image), Ok(Answer::Present { digest: Some(digest) }));
    registry.misbehave("team/app", Behaviour::WrongDigestBody);
    assert!(matches!(ask(&registry, plain(), &image), Err(Error::NotARegistry { .. })));
}

#[test]
fn a_digest_is_verified_by_its_own_algorithm() {
    // The SHA-512 of the body.
    let body = "{\"schemaVersion\":2,\"layers\":[]}";
    let digest = format!("sha512:{}", sha512(body));
    let registry = open();
    registry.push_manifest("team/app", &digest, OCI_MANIFEST, body);
    registry.misbehave("team/app", Behaviour::HeadNotFoundButGetWorks);
    let image = format!("team/app@{digest}");
    assert_eq!(ask(&registry, plain(), &image), Ok(Answer::Present { digest: Some(digest) }));
    registry.misbehave("team/app", Behaviour::WrongDigestBody);
    assert!(matches!(ask(&registry, plain(), &image), Err(Error::NotARegistry { .. })));
}

fn sha512(text: &str) -> String {
    use sha2::Digest;
    sha2::Sha512::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_body_without_end_is_read_no_further_than_a_manifest_may_be_long() {
    let registry = open();
    registry.push("team/app", "1");
    registry.misbehave("team/app", Behaviour::HeadNotFoundButGetWorks);
    registry.misbehave("team/app", Behaviour::EndlessBody);
    let checked = ask(&registry, plain(), "team/app:1");
    assert!(matches!(checked, Err(Error::NotARegistry { .. })), "{checked:?}");
}

#[test]
fn a_manifest_that_containerd_finds_too_large_cannot_be_pulled() {
    let registry = open();
    let size = 4 * 1048 * 1048 + 1;
    let manifest = "{\"schemaVersion\":2,\"layers\":[]}";
    let body = [manifest, &" ".repeat(size - manifest.len())].concat();
    registry.push_manifest("team/app", "1", OCI_MANIFEST, &body);
    let expected =
        "it exists, but cannot be pulled: its manifest has 4393217 bytes, and containerd takes no more than 4393216";
    assert_eq!(describe(&ask(&registry, plain(), "team/app:1"), &registry, "team/app:1"), expected);
    assert_eq!(registry.requests().len(), 1);
    registry.misbehave("team/app", Behaviour::HeadNotFoundButGetWorks);
    assert_eq!(describe(&ask(&registry, plain(), "team/app:1"), &registry, "team/app:1"), expected);
    registry.behave();
    registry.push_manifest("team/app", "1", OCI_MANIFEST, &body[..size - 1]);
    assert!(is_present(&ask(&registry, plain(), "team/app:1")));
}

#[test]
fn a_schema_1_manifest_that_is_served_unasked_cannot_be_pulled() {
    // As docker-registry 2 does.
    let headers = [("content-type", SCHEMA_1), ("docker-content-digest", &format!("sha256:{}", "a".repeat(64)))];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let body = "{\"schemaVersion\":1,\"fsLayers\":[]}".to_owned();
    let registry = open();
    registry.misbehave("old/app", Behaviour::Status { code: 200, headers, body });
    let checked = ask(&registry, plain(), "old/app:1");
    assert!(describe(&checked, &registry, "old/app:1").contains("schema 1"), "{checked:?}");
    assert!(matches!(checked, Ok(Answer::Blocked { .. })), "{checked:?}");
}

#[test]
fn a_manifest_of_schema_1_alone_that_the_registry_names_cannot_be_pulled() {
    // As Google's registries do: 404, with the type that was not asked for.
    let registry = open();
    registry.push_manifest("old/app", "1", SCHEMA_1, "{\"schemaVersion\":1}");
    let checked = ask(&registry, plain(), "old/app:1");
    assert!(matches!(checked, Ok(Answer::Blocked { .. })), "{checked:?}");
    assert_eq!(registry.requests().len(), 2);
}

#[test]
fn a_manifest_that_is_half_an_index_cannot_be_pulled() {
    let registry = open();
    let manifests = "{\"schemaVersion\":2,\"manifests\":[]}";
    for (media_type, body) in [
        (OCI_MANIFEST, manifests),
        (DOCKER_LIST, "{\"schemaVersion\":2,\"config\":{},\"layers\":[]}"),
        (OCI_MANIFEST, "{\"schemaVersion\":2,\"config\":{},\"manifests\":[]}"),
    ] {
        registry.push_manifest("team/app", "1", media_type, body);
        registry.misbehave("team/app", Behaviour::HeadNotFoundButGetWorks);
        let checked = ask(&registry, plain(), "team/app:1");
        assert!(matches!(checked, Ok(Answer::Blocked { .. })), "{body}: {checked:?}");
    }
}

#[test]
fn a_412_says_that_the_image_is_there_and_blocked_by_a_policy() {
    let registry = open();
    registry.push("team/app", "1");
    let message = "current image with 7 \u{1b}[31mcritical\nvulnerabilities cannot be pulled";
    let policy =
        Behaviour::ErrorCode { status: 412, code: "PROJECTPOLICYVIOLATION".to_owned(), message: message.to_owned() };
    registry.misbehave("team/app", policy);
    let checked = ask(&registry, plain(), "team/app:1");
    assert_eq!(checked, Ok(Answer::Blocked { message: message.to_owned() }));
}

#[test]
fn twenty_images_of_one_registry_take_twenty_requests_and_the_first_goes_alone() {
    let latency = Duration::from_millis(20);
    let registry = Registry::start(lab::Options { latency, ..lab::Options::default() }).unwrap();
    let images: Vec<String> = (0..20).map(|n| format!("{}/team/app-{n}:1", registry.host())).collect();
    (0..20).for_each(|n| drop(registry.push(&format!("team/app-{n}"), "1")));
    // The same image by three names is one manifest.
    let twice = [&images[..], &[images[0].clone(), format!("{}/team/app-1:1", registry.host())]].concat();
    assert!(check(listing(&registry, plain()), &twice).iter().all(is_present));
    assert_eq!(registry.requests().len(), 20);
    let mut connections: Vec<u64> = registry.requests().iter().map(|request| request.connection).collect();
    assert_eq!(connections[0], 1);
    connections.dedup();
    // HTTP/1.1 without TLS: the second of them already has the connection of the first.
    assert!(registry.connections() <= 20, "{connections:?}");
}
