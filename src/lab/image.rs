//! Small but real images: a config, one layer, a manifest, and an index over several.
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

pub(super) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub(super) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";

/// A tar archive without members: two blocks of zeros.
const EMPTY_TAR: [u8; 1024] = [0; 1024];

/// An image for one platform.
pub(super) struct Image {
    pub(super) manifest: Vec<u8>,
    /// The config and the layer.
    pub(super) blobs: [Vec<u8>; 2],
}

impl Image {
    /// The image of `name:tag` for a platform such as `linux/arm64` or `linux/arm/v7`; each has a digest of its own.
    pub(super) fn new(name: &str, tag: &str, platform: &str) -> Self {
        let layer = EMPTY_TAR.to_vec();
        let mut config = platform_of(platform);
        config["rootfs"] = json!({ "type": "layers", "diff_ids": [digest(&layer)] });
        config["config"] = json!({ "Labels": {
            "org.opencontainers.image.title": name,
            "org.opencontainers.image.version": tag,
        }});
        let config = config.to_string().into_bytes();
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": descriptor(CONFIG, &config),
            "layers": [descriptor(LAYER, &layer)],
        });
        Self { manifest: manifest.to_string().into_bytes(), blobs: [config, layer] }
    }
}

/// An index over manifests, each with its platform.
pub(super) fn index<'a>(manifests: impl Iterator<Item = (&'a str, &'a [u8])>) -> Vec<u8> {
    let entry = |(platform, manifest): (&str, &[u8])| {
        let mut entry = descriptor(MANIFEST, manifest);
        entry["platform"] = platform_of(platform);
        entry
    };
    let entries: Vec<Value> = manifests.map(entry).collect();
    json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": entries }).to_string().into_bytes()
}

/// `sha256:` and the digest in hexadecimal.
pub(super) fn digest(content: &[u8]) -> String {
    Sha256::digest(content).iter().fold(String::from("sha256:"), |mut text, byte| {
        // Writing to a String does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn descriptor(media_type: &str, content: &[u8]) -> Value {
    json!({ "mediaType": media_type, "digest": digest(content), "size": content.len() })
}

/// `os/architecture` or `os/architecture/variant` as an object.
fn platform_of(platform: &str) -> Value {
    let mut parts = platform.splitn(3, '/');
    let mut value = json!({ "os": parts.next(), "architecture": parts.next() });
    if let Some(variant) = parts.next() {
        value["variant"] = variant.into();
    }
    value
}
