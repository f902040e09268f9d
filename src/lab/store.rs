//! What the registry holds, and who may read it.
use super::image::digest;
use axum::body::Bytes;
use std::collections::{BTreeMap, BTreeSet};

/// All repositories by name.
#[derive(Debug, Default)]
pub(super) struct Store {
    repositories: BTreeMap<String, Repository>,
    readers: BTreeMap<String, BTreeSet<String>>,
}

/// One repository; manifests and blobs by digest.
#[derive(Debug, Default)]
pub(super) struct Repository {
    pub(super) tags: BTreeMap<String, String>,
    manifests: BTreeMap<String, Manifest>,
    pub(super) blobs: BTreeMap<String, Bytes>,
}

/// The bytes as they were put, and what they were said to be.
#[derive(Clone, Debug)]
pub(super) struct Manifest {
    pub(super) media_type: String,
    pub(super) body: Bytes,
}

impl Store {
    pub(super) fn repository(&self, name: &str) -> Option<&Repository> {
        self.repositories.get(name)
    }

    /// The manifest that a tag or digest names, with its digest.
    pub(super) fn manifest(&self, name: &str, reference: &str) -> Option<(&str, &Manifest)> {
        let repository = self.repositories.get(name)?;
        let digest = repository.tags.get(reference).map_or(reference, String::as_str);
        repository.manifests.get_key_value(digest).map(|(digest, manifest)| (digest.as_str(), manifest))
    }

    /// Keeps a manifest and returns its digest.
    pub(super) fn put_manifest(&mut self, name: &str, media_type: &str, body: impl Into<Bytes>) -> String {
        let body = body.into();
        let digest = digest(&body);
        let repository = self.repositories.entry(name.to_owned()).or_default();
        repository.manifests.insert(digest.clone(), Manifest { media_type: media_type.to_owned(), body });
        digest
    }

    /// Keeps a blob and returns its digest.
    pub(super) fn put_blob(&mut self, name: &str, body: impl Into<Bytes>) -> String {
        let body = body.into();
        let digest = digest(&body);
        self.repositories.entry(name.to_owned()).or_default().blobs.insert(digest.clone(), body);
        digest
    }

    /// Points a tag at a digest.
    pub(super) fn tag(&mut self, name: &str, tag: &str, digest: &str) {
        self.repositories.entry(name.to_owned()).or_default().tags.insert(tag.to_owned(), digest.to_owned());
    }

    /// Removes a tag, or the manifest of a digest with the tags that point at it.
    pub(super) fn remove(&mut self, name: &str, reference: &str) {
        if let Some(repository) = self.repositories.get_mut(name) {
            repository.manifests.remove(reference);
            repository.tags.retain(|tag, digest| tag != reference && digest != reference);
        }
    }

    /// From now on only these users may read the repository, whether it exists or not.
    pub(super) fn restrict(&mut self, name: &str, users: &[&str]) {
        self.readers.insert(name.to_owned(), users.iter().map(ToString::to_string).collect());
    }

    /// Whether this user, or everybody if there is none, may read the repository.
    pub(super) fn may_read(&self, name: &str, user: Option<&str>) -> bool {
        self.readers.get(name).is_none_or(|readers| user.is_some_and(|user| readers.contains(user)))
    }
}
