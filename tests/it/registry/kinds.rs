//! What registries keep beside container images: told from one wherever the manifest was seen.
use super::{Checked, ask, check, describe, is_present, listing, open, plain};
use pullgate::{
    image::Platform,
    lab::{Behaviour, Registry},
    registry::{Answer, Kind, Options},
};
use serde_json::{Value, json};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const IMAGE_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// A manifest with a config and one layer of these types, which is fetched because HEAD does not work here.
fn ask_about(config: &str, layer: &str, artifact_type: Option<&str>) -> (Registry, Checked) {
    let digest = format!("sha256:{}", "a".repeat(64));
    let mut manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": { "mediaType": config, "digest": digest, "size": 2 },
        "layers": [{ "mediaType": layer, "digest": digest, "size": 2 }],
    });
    manifest["artifactType"] = artifact_type.map_or(Value::Null, Value::from);
    let registry = open();
    registry.push_manifest("team/app", "1", MANIFEST, &manifest.to_string());
    registry.misbehave("team/app", Behaviour::HeadNotFoundButGetWorks);
    let checked = ask(&registry, plain(), "team/app:1");
    (registry, checked)
}

fn said((registry, checked): (Registry, Checked)) -> String {
    assert!(matches!(checked, Ok(Answer::WrongKind(_))), "{checked:?}");
    describe(&checked, &registry, "team/app:1")
}

#[test]
fn a_helm_chart_is_no_image() {
    let layer = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";
    let chart = ask_about("application/vnd.cncf.helm.config.v1+json", layer, None);
    assert_eq!(said(chart), "it is a Helm chart, not a container image");
}

#[test]
fn a_helm_chart_is_named_where_platforms_are_asked_for() {
    let registry = open();
    let manifest = json!({ "schemaVersion": 2, "config": { "mediaType": "application/vnd.cncf.helm.config.v1+json" } });
    registry.push_manifest("team/app", "1", MANIFEST, &manifest.to_string());
    let platforms = Platform::parse("linux/amd64").into_iter().collect();
    let options = Options { platforms, ..listing(&registry, plain()) };
    let checked = check(options, &[format!("{}/team/app:1", registry.host())]).remove(0);
    assert_eq!(checked, Ok(Answer::WrongKind(Kind::HelmChart)));
}

#[test]
fn a_flux_artifact_is_no_image() {
    let flux =
        ask_about("application/vnd.cncf.flux.config.v1+json", "application/vnd.cncf.flux.content.v1.tar+gzip", None);
    assert_eq!(said(flux), "it is a Flux artifact, not a container image");
}

#[test]
fn a_signature_of_cosign_is_no_image_though_its_config_says_so() {
    let cosign = ask_about(IMAGE_CONFIG, "application/vnd.dev.cosign.simplesigning.v1+json", None);
    assert_eq!(said(cosign), "it is a signature, not a container image");
}

#[test]
fn a_signature_of_notation_is_no_image() {
    let empty = "application/vnd.oci.empty.v1+json";
    let notation = ask_about(empty, "application/jose+json", Some("application/vnd.cncf.notary.signature"));
    assert_eq!(said(notation), "it is a signature, not a container image");
}

#[test]
fn an_attestation_is_no_image() {
    let attestation = ask_about(IMAGE_CONFIG, "application/vnd.in-toto+json", None);
    assert_eq!(said(attestation), "it is an attestation, not a container image");
}

#[test]
fn an_artifact_is_named_by_its_type() {
    let empty = "application/vnd.oci.empty.v1+json";
    let artifact = ask_about(empty, "text/plain", Some("application/vnd.example.\u{1b}[2Jpolicy"));
    assert_eq!(
        said(artifact),
        "it is an artifact of type application/vnd.example.\u{1b}[2Jpolicy, not a container image"
    );
}

#[test]
fn an_index_of_an_artifact_is_no_image() {
    let registry = open();
    let index =
        json!({ "schemaVersion": 2, "mediaType": INDEX, "artifactType": "application/vnd.example", "manifests": [] });
    registry.push_manifest("team/app", "1", INDEX, &index.to_string());
    registry.misbehave("team/app", Behaviour::HeadNotFoundButGetWorks);
    let expected = Kind::Artifact("application/vnd.example".to_owned());
    assert_eq!(ask(&registry, plain(), "team/app:1"), Ok(Answer::WrongKind(expected)));
}

#[test]
fn an_image_from_before_configs_had_types_is_an_image() {
    assert!(is_present(&ask_about("application/octet-stream", LAYER, None).1));
}

#[test]
fn what_another_runtime_may_start_is_left_to_it() {
    assert!(is_present(&ask_about("application/vnd.wasm.config.v0+json", "application/wasm", None).1));
    assert!(is_present(&ask_about("application/vnd.fermyon.spin.application.v1+config", "application/wasm", None).1));
}
