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

#[cfg(test)]
mod tests {
    use super::{DockerConfig, Entry, File, Proof, Secret, Source, normal};
    use std::sync::OnceLock;

    fn config(auths: &str) -> DockerConfig {
        let file: File = serde_json::from_str(&format!("{{\"auths\":{{{auths}}}}}")).unwrap();
        DockerConfig { path: "/etc/docker.json".into(), read: OnceLock::from(Ok(file.auths)) }
    }

    #[test]
    fn keys_are_hosts_with_an_optional_path_and_urls_lose_theirs() {
        for (key, expected) in [
            ("https://index.docker.io/v1/", "docker.io"),
            ("index.docker.io", "docker.io"),
            ("registry-1.docker.io", "docker.io"),
            ("docker.io", "docker.io"),
            ("docker.io/acme", "docker.io/acme"),
            ("https://ghcr.io", "ghcr.io"),
            ("http://registry.example:5000/v2/", "registry.example:5000"),
            ("quay.io/org/app", "quay.io/org/app"),
            ("GHCR.io/", "ghcr.io"),
        ] {
            assert_eq!(normal(key), expected, "{key}");
        }
    }

    #[test]
    fn the_longest_path_wins_and_of_equal_keys_the_first() {
        let entry = |key: &str, password: &str| format!("\"{key}\":{{\"username\":\"u\",\"password\":\"{password}\"}}");
        let auths = [
            entry("https://quay.io/v1/", "url"),
            entry("quay.io", "host"),
            entry("quay.io/org", "org"),
            entry("quay.io/org/app", "app"),
            "\"ghcr.io\":{}".to_owned(),
        ];
        let config = config(&auths.join(","));
        let password = |registry: &str, repository: &str| {
            let found = config.find(registry, repository).unwrap()?;
            match found.proof {
                Proof::Password { password, .. } => Some(password.expose().to_owned()),
                other => panic!("{other:?}"),
            }
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(password("quay.io", "org/app"), some("app"));
        assert_eq!(password("quay.io", "org/app/sub"), some("app"));
        assert_eq!(password("quay.io", "org/app2"), some("org"));
        assert_eq!(password("quay.io", "organ/app"), some("url"));
        assert_eq!(password("quay.io.evil.example", "org/app"), None);
        assert_eq!(password("ghcr.io", "org/app"), None);
        assert!(config.names("ghcr.io").unwrap() && !config.names("io").unwrap());
    }

    #[test]
    fn credentials_come_in_several_shapes() {
        let user = |user: &str, password: &str| {
            Some(Proof::Password { user: user.to_owned(), password: Secret::new(password) })
        };
        let proof = |json: &str| serde_json::from_str::<Entry>(json).unwrap().proof();
        assert_eq!(proof("{\"auth\":\"YWxpY2U6czNjcmV0\"}"), user("alice", "s3cret"));
        // a:b:c, with and without padding; a:b and a NUL
        assert_eq!(proof("{\"auth\":\"YTpiOmM=\"}"), user("a", "b:c"));
        assert_eq!(proof("{\"auth\":\"YTpiOmM\"}"), user("a", "b:c"));
        assert_eq!(proof("{\"auth\":\"YTpiAA==\"}"), user("a", "b"));
        assert_eq!(proof("{\"username\":\"a\",\"password\":\"b\"}"), user("a", "b"));
        assert_eq!(proof("{\"identitytoken\":\"t\"}"), Some(Proof::Identity(Secret::new("t"))));
        assert_eq!(proof("{\"username\":\"<token>\",\"password\":\"t\"}"), Some(Proof::Identity(Secret::new("t"))));
        assert_eq!(proof("{\"registrytoken\":\"t\"}"), Some(Proof::Registry(Secret::new("t"))));
        assert_eq!(proof("{\"auth\":\"!\"}"), None);
    }

    #[test]
    fn nothing_secret_is_shown() {
        let config = config("\"a.io\":{\"username\":\"u\",\"password\":\"hunter2\"}");
        let found = config.find("a.io", "x").unwrap();
        assert!(!format!("{config:?} {found:?}").contains("hunter2"));
        assert_eq!(found.unwrap().source, "/etc/docker.json, key \"a.io\"");
    }
}
