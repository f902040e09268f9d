//! A source: the `auths` of docker's `config.json` and podman's `auth.json`.
use super::{
    Secret,
    source::{Credentials, Proof, Source},
};
use crate::registry::error::Error;
use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::OnceLock,
};

/// Some tools pad, some do not.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A file, read when it is first asked.
#[derive(Debug)]
pub(super) struct DockerConfig {
    path: PathBuf,
    read: OnceLock<Result<BTreeMap<String, Entry>, Error>>,
}

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    auths: BTreeMap<String, Entry>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Entry {
    auth: String,
    username: String,
    password: String,
    identitytoken: String,
    registrytoken: String,
}

/// Shows nothing: every field may be a secret.
impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Entry([redacted])")
    }
}

impl DockerConfig {
    pub(super) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), read: OnceLock::new() }
    }

    fn entries(&self) -> Result<&BTreeMap<String, Entry>, Error> {
        self.read.get_or_init(|| self.load()).as_ref().map_err(Clone::clone)
    }

    fn load(&self) -> Result<BTreeMap<String, Entry>, Error> {
        let path = self.path.display();
        let text = fs::read(&self.path).map_err(|error| Error::Local(format!("cannot read {path}: {error}")))?;
        // The parser's message may quote the file, so only the position is kept.
        let file: File = serde_json::from_slice(&text).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            Error::Local(format!("cannot read {path}: not a docker configuration at line {line}, column {column}"))
        })?;
        Ok(file.auths)
    }
}

impl Source for DockerConfig {
    fn find(&self, registry: &str, repository: &str) -> Result<Option<Credentials>, Error> {
        let wanted = format!("{}/{repository}", normal(registry));
        let entries = self.entries()?.iter().filter(|(_, entry)| !entry.is_empty());
        // The longest prefix wins; of keys that mean the same, the first in order.
        let best = entries
            .map(|(key, entry)| (normal(key), key, entry))
            .filter(|(name, ..)| {
                wanted.strip_prefix(name.as_str()).is_some_and(|rest| rest.starts_with('/') || rest.is_empty())
            })
            .min_by_key(|(name, key, _)| (std::cmp::Reverse(name.len()), *key));
        best.map(|(_, key, entry)| {
            let source = format!("{}, key \"{key}\"", self.path.display());
            match entry.proof() {
                Some(proof) => Ok(Credentials { proof, source }),
                None => Err(Error::Local(format!("the entry of {source} is not user:password in base64"))),
            }
        })
        .transpose()
    }

    fn names(&self, registry: &str) -> Result<bool, Error> {
        let wanted = normal(registry);
        let host = |key: &str| normal(key).split('/').next().is_some_and(|host| host == wanted);
        Ok(self.entries()?.keys().any(|key| host(key)))
    }
}

impl Entry {
    /// An entry whose secret lies in a helper.
    fn is_empty(&self) -> bool {
        [&self.auth, &self.password, &self.identitytoken, &self.registrytoken].iter().all(|field| field.is_empty())
    }

    fn proof(&self) -> Option<Proof> {
        if !self.registrytoken.is_empty() {
            return Some(Proof::Registry(Secret::new(&self.registrytoken)));
        }
        if !self.identitytoken.is_empty() {
            return Some(Proof::Identity(Secret::new(&self.identitytoken)));
        }
        let decoded;
        let (user, password) = if self.auth.is_empty() {
            (self.username.as_str(), self.password.as_str())
        } else {
            decoded = String::from_utf8(BASE64.decode(self.auth.trim()).ok()?).ok()?;
            decoded.trim_end_matches('\0').split_once(':')?
        };
        Some(match user {
            "<token>" => Proof::Identity(Secret::new(password)),
            user => Proof::Password { user: user.to_owned(), password: Secret::new(password) },
        })
    }
}

/// A key as `host` or `host/path`: without a scheme, and a URL without its path. Docker Hub has many names.
fn normal(key: &str) -> String {
    let url = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://"));
    let name = url.map_or(key, |url| url.split('/').next().unwrap_or_default()).trim_end_matches('/');
    let (host, path) = name.split_at(name.find('/').unwrap_or(name.len()));
    let host = match host.to_ascii_lowercase().as_str() {
        "index.docker.io" | "registry-1.docker.io" => "docker.io".to_owned(),
        host => host.to_owned(),
    };
    host + path
}
