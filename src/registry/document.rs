//! The JSON of a manifest: what it says it is. Pure.
//!
//! The shapes are those of <https://github.com/opencontainers/image-spec> and Docker's schema 2; what is refused here is
//! what containerd refuses.
use super::answer::Kind;
use crate::image::Platform;
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, SeqAccess, Visitor},
};
use std::{fmt, marker::PhantomData};

/// Entries of one index, and layers of one manifest, that are looked at.
const ENTRIES: usize = 1000;

const SCHEMA_1: &str = "application/vnd.docker.distribution.manifest.v1";
const MANIFESTS: [&str; 2] =
    ["application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json"];
const INDEXES: [&str; 2] =
    ["application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json"];
const EMPTY: &str = "application/vnd.oci.empty.v1+json";

/// Things that no runtime can start, by how the media type of config, artifact or first layer begins.
const KINDS: [(&str, Kind); 10] = [
    ("application/vnd.cncf.helm.", Kind::HelmChart),
    ("application/vnd.cncf.flux.", Kind::FluxArtifact),
    ("application/vnd.dev.cosign.", Kind::Signature),
    ("application/vnd.dev.sigstore.bundle", Kind::Signature),
    ("application/vnd.cncf.notary.signature", Kind::Signature),
    ("application/vnd.in-toto+json", Kind::Attestation),
    ("application/vnd.cyclonedx", Kind::Attestation),
    ("application/spdx", Kind::Attestation),
    ("text/spdx", Kind::Attestation),
    ("application/vnd.docker.plugin.", Kind::DockerPlugin),
];

/// What a 200 holds that is meant to be a manifest.
#[derive(Debug)]
pub(super) enum Document {
    Index(Vec<Entry>),
    /// The digest of its config, if it names one as it should.
    Manifest {
        config: Option<String>,
    },
    /// Not a container image.
    Artifact(Kind),
    /// A manifest that runtimes refuse.
    Refused(&'static str),
    /// No manifest at all.
    Nothing,
}

/// A manifest that an index names.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) digest: String,
    pub(super) platform: Option<Platform>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Raw {
    schema_version: u64,
    #[serde(default, deserialize_with = "text")]
    media_type: String,
    #[serde(default, deserialize_with = "text")]
    artifact_type: String,
    config: Option<Descriptor>,
    #[serde(default, deserialize_with = "first::<_, _, ENTRIES>")]
    layers: Option<Vec<Descriptor>>,
    #[serde(default, deserialize_with = "first::<_, _, ENTRIES>")]
    manifests: Option<Vec<Descriptor>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    #[serde(default, deserialize_with = "text")]
    media_type: String,
    #[serde(default, deserialize_with = "text")]
    digest: String,
    platform: Option<RawPlatform>,
    annotations: Option<Annotations>,
}

#[derive(Deserialize)]
struct Annotations {
    #[serde(rename = "vnd.docker.reference.type")]
    reference_type: Option<String>,
}

/// Of an index entry, and of a config.
#[derive(Deserialize)]
struct RawPlatform {
    #[serde(default, deserialize_with = "text")]
    os: String,
    #[serde(default, deserialize_with = "text")]
    architecture: String,
    #[serde(default, deserialize_with = "text")]
    variant: String,
}

impl Document {
    /// Reads a body that came with this media type, if it came with any.
    pub(super) fn read(body: &[u8], content_type: Option<&str>) -> Self {
        let Ok(raw) = serde_json::from_slice::<Raw>(body) else { return Self::Nothing };
        match raw.schema_version {
            1 => return Self::Refused("it has only a manifest of the retired schema 1, which runtimes no longer take"),
            2 => {}
            _ => return Self::Nothing,
        }
        let is = |types: &[&str]| {
            types.contains(&raw.media_type.as_str()) || content_type.is_some_and(|given| types.contains(&given))
        };
        let (is_index, is_manifest) = (raw.manifests.is_some(), raw.config.is_some() || raw.layers.is_some());
        if is_index && (is_manifest || is(&MANIFESTS)) || is_manifest && is(&INDEXES) {
            return Self::Refused("it is half a manifest and half an index, which runtimes refuse");
        }
        if !is_index && !is_manifest && !is(&MANIFESTS) {
            return Self::Nothing;
        }
        match raw {
            Raw { manifests: Some(_), artifact_type, .. } if !artifact_type.is_empty() => {
                Self::Artifact(kind(&artifact_type).unwrap_or(Kind::Artifact(artifact_type)))
            }
            Raw { manifests: Some(entries), .. } => Self::Index(entries.into_iter().filter_map(Entry::of).collect()),
            raw => raw.into_manifest(),
        }
    }
}

impl Raw {
    fn into_manifest(self) -> Document {
        let config = self.config.as_ref().map_or("", |config| &config.media_type);
        let layer = self.layers.iter().flatten().next().map_or("", |layer| &layer.media_type);
        let is_empty = config == EMPTY && !self.artifact_type.is_empty();
        let known = [config, &self.artifact_type, layer].into_iter().find_map(kind);
        match known {
            Some(kind) => Document::Artifact(kind),
            None if is_empty => Document::Artifact(Kind::Artifact(self.artifact_type)),
            // Configs of other types are not ours to judge: there are runtimes for WebAssembly, and there were images
            // before there were media types.
            None => Document::Manifest { config: self.config.map(|config| config.digest) },
        }
    }
}

fn kind(media_type: &str) -> Option<Kind> {
    KINDS.iter().find(|(prefix, _)| media_type.starts_with(prefix)).map(|(_, kind)| kind.clone())
}

impl Entry {
    /// `None` for what BuildKit hangs on an index beside the images.
    fn of(descriptor: Descriptor) -> Option<Self> {
        let beside = descriptor.annotations.and_then(|annotations| annotations.reference_type);
        let platform = descriptor.platform.as_ref().map(RawPlatform::read);
        let nobodys = platform.as_ref().is_some_and(Platform::is_unknown);
        (beside.as_deref() != Some("attestation-manifest") && !nobodys)
            .then_some(Self { digest: descriptor.digest, platform })
    }
}

impl RawPlatform {
    fn read(&self) -> Platform {
        Platform::new(&self.os, &self.architecture, &self.variant)
    }
}

/// The platform that a config names; `None` if it names no processor, as old ones do.
pub(super) fn platform_of_config(body: &[u8]) -> Option<Platform> {
    let raw = serde_json::from_slice::<RawPlatform>(body).ok()?;
    (!raw.os.is_empty() && !raw.architecture.is_empty()).then(|| raw.read())
}

/// Whether a media type or a message speaks of schema 1.
pub(super) fn names_schema_1(text: &str) -> bool {
    text.contains(SCHEMA_1)
}

/// Text, or nothing in its place.
fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// The first entries of a list: a few bytes of JSON can be many in memory.
pub(super) fn first<'de, D, T, const MOST: usize>(deserializer: D) -> Result<Option<Vec<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    struct First<T, const MOST: usize>(PhantomData<T>);
    impl<'de, T: Deserialize<'de>, const MOST: usize> Visitor<'de> for First<T, MOST> {
        type Value = Option<Vec<T>>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list")
        }

        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            let mut kept = Vec::new();
            while kept.len() < MOST
                && let Some(entry) = list.next_element()?
            {
                kept.push(entry);
            }
            while list.next_element::<IgnoredAny>()?.is_some() {}
            Ok(Some(kept))
        }
    }
    deserializer.deserialize_any(First::<T, MOST>(PhantomData))
}
