//! The keys of a docker configuration: which repositories the credentials under a key are for.
use crate::registry::canonical;
use std::{cmp::Reverse, collections::BTreeMap};

/// The name of Docker Hub in keys, and what helpers are asked for: <https://index.docker.io/v1/>.
const DOCKER_HUB: (&str, &str) = ("docker.io", "https://index.docker.io/v1/");

/// A key, read as docker, podman and the kubelet read it: `host`, `host:port`, `host/path`, or a URL. In the labels of
/// the host `*` stands for any characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key {
    /// As [`host`] gives it.
    host: String,
    /// Without slashes around it; empty for the whole host.
    path: String,
    /// The path of a URL may be a prefix of repositories (as the kubelet has it) or mean nothing (docker, podman).
    is_url: bool,
}

/// How well a key fits: the least fits best. As the kubelet has it, a host that is spelled out comes before one with
/// `*`, and then the longer path before the shorter; of keys that mean the same, the one that docker writes.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Fit {
    /// The path of a URL that means nothing.
    ignores_path: bool,
    host: Reverse<String>,
    path: Reverse<String>,
    is_unusual: bool,
}

impl Fit {
    /// Whether the key is for a part of the registry.
    pub(super) fn is_narrow(&self) -> bool {
        !self.ignores_path && !self.path.0.is_empty()
    }
}

/// The entries whose keys fit a repository, with their keys, the best first.
pub(super) fn fitting<'a, V>(
    entries: &'a BTreeMap<String, V>,
    registry: &str,
    repository: &str,
) -> Vec<(Fit, &'a String, &'a V)> {
    let fit = |key: &String| Key::parse(key).fit(key, registry, repository);
    let mut found: Vec<_> = entries.iter().filter_map(|(key, value)| Some((fit(key)?, key, value))).collect();
    found.sort_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
    found
}

impl Key {
    pub(super) fn parse(key: &str) -> Self {
        let url = key.strip_prefix("https://").or_else(|| key.strip_prefix("http://"));
        let (name, path) = split(url.unwrap_or(key));
        let path = match path.split_once('/').unwrap_or((path, "")) {
            // The API, and not a repository.
            ("v1" | "v2", rest) if url.is_some() || rest.is_empty() => rest,
            _ => path,
        };
        Self { host: host(name), path: path.to_owned(), is_url: url.is_some() }
    }

    /// Whether the key is of this registry, whatever its path. A registry that the key does not name exactly, label by
    /// label, is another one.
    pub(super) fn is_of(&self, registry: &str) -> bool {
        let registry = host(registry);
        let ((pattern, port), (name, asked)) = (port_of(&self.host), port_of(&registry));
        let labels = || pattern.split('.').zip(name.split('.'));
        port == asked
            && pattern.split('.').count() == name.split('.').count()
            && labels().all(|(pattern, label)| matches(pattern, label))
    }

    /// How well the key, which is written as `written`, fits a repository; `None` if it does not.
    fn fit(&self, written: &str, registry: &str, repository: &str) -> Option<Fit> {
        let rest = repository.strip_prefix(&self.path);
        let is_prefix = self.path.is_empty() || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        let fits = self.is_of(registry) && (is_prefix || self.is_url);
        fits.then(|| Fit {
            ignores_path: !is_prefix,
            host: Reverse(self.host.clone()),
            path: Reverse(self.path.clone()),
            is_unusual: written != server(&self.host),
        })
    }
}

/// A registry as a helper is asked for it.
pub(super) fn server(registry: &str) -> String {
    match host(registry) {
        host if host == DOCKER_HUB.0 => DOCKER_HUB.1.to_owned(),
        host => host,
    }
}

/// The name that all spellings of a host, perhaps with a port, share; Docker Hub has many.
fn host(name: &str) -> String {
    match canonical(name) {
        name if matches!(name.as_str(), "index.docker.io" | "registry-1.docker.io") => DOCKER_HUB.0.to_owned(),
        name => name,
    }
}

fn split(name: &str) -> (&str, &str) {
    let (host, path) = name.split_once('/').unwrap_or((name, ""));
    (host, path.trim_matches('/'))
}

/// A host and its port, which an IPv6 address in brackets may lack.
fn port_of(host: &str) -> (&str, Option<&str>) {
    match host.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, Some(port)),
        _ => (host, None),
    }
}

/// Whether a label is what a pattern says, in which `*` is any characters.
fn matches(pattern: &str, label: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| label.strip_prefix(first)) else { return false };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::{Key, fitting, matches, server};

    fn fits(key: &str, registry: &str, repository: &str) -> bool {
        Key::parse(key).fit(key, registry, repository).is_some()
    }

    /// The keys that fit, the best first, and whether they are for a part of the registry.
    fn order(keys: &[&str], registry: &str, repository: &str) -> Vec<(String, bool)> {
        let entries = keys.iter().map(|key| ((*key).to_owned(), ())).collect();
        let found = fitting(&entries, registry, repository).into_iter();
        found.map(|(fit, key, ())| (key.clone(), fit.is_narrow())).collect()
    }

    #[test]
    fn a_registry_has_many_spellings() {
        for (key, host, path) in [
            ("https://index.docker.io/v1/", "docker.io", ""),
            ("index.docker.io/v1/", "docker.io", ""),
            ("index.docker.io", "docker.io", ""),
            ("registry-1.docker.io", "docker.io", ""),
            ("docker.io", "docker.io", ""),
            ("docker.io/acme", "docker.io", "acme"),
            ("https://ghcr.io", "ghcr.io", ""),
            ("http://registry.example:5000/v2/", "registry.example:5000", ""),
            ("https://quay.io/v1/org", "quay.io", "org"),
            ("quay.io/org/app", "quay.io", "org/app"),
            ("quay.io/v1/app", "quay.io", "v1/app"),
            ("GHCR.io/", "ghcr.io", ""),
            ("registry.example:443", "registry.example", ""),
            ("https://registry.example:443/", "registry.example", ""),
        ] {
            let found = Key::parse(key);
            assert_eq!((found.host.as_str(), found.path.as_str()), (host, path), "{key}");
        }
    }

    #[test]
    fn a_key_is_of_no_registry_but_its_own() {
        assert!(fits("quay.io", "quay.io", "a/b"));
        assert!(fits("quay.io", "QUAY.IO", "a/b"));
        assert!(fits("quay.io:443", "quay.io", "a/b"));
        assert!(fits("quay.io", "quay.io:443", "a/b"));
        assert!(fits("[fd00::1]", "[fd00::1]:443", "a"));
        for other in
            ["quay.io.evil.example", "evil-quay.io", "x.quay.io", "quay.io:8443", "quay.iо", "quay", "io", "quay.io."]
        {
            assert!(!fits("quay.io", other, "a/b"), "{other}");
        }
        assert!(!fits("[fd00::1]:5000", "[fd00::1]", "a"));
        assert!(!fits("", "quay.io", "a"));
    }

    #[test]
    fn a_star_stands_for_a_part_of_one_label() {
        for (key, registry, expected) in [
            ("*.dkr.ecr.us-east-1.amazonaws.com", "123.dkr.ecr.us-east-1.amazonaws.com", true),
            ("*.dkr.ecr.*.amazonaws.com", "123.dkr.ecr.us-east-1.amazonaws.com", true),
            ("*.dkr.ecr.us-east-1.amazonaws.com", "123.dkr.ecr.eu-west-1.amazonaws.com", false),
            ("*.k8s.io", "a.b.k8s.io", false),
            ("*.k8s.io", "k8s.io", false),
            ("*.k8s.io", "a.k8s.io.evil.example", false),
            ("app*.k8s.io", "app2.k8s.io", true),
            ("app*.k8s.io", "my-app.k8s.io", false),
            ("*.k8s.io:5000", "a.k8s.io:5000", true),
            ("*.k8s.io:5000", "a.k8s.io", false),
            ("*.k8s.io", "a.k8s.io:5000", false),
        ] {
            assert_eq!(fits(key, registry, "a/b"), expected, "{key} {registry}");
        }
        for (pattern, label, expected) in [("a*b*c", "a-b-c", true), ("a*b*c", "a-c-b", false), ("a*a", "a", false)] {
            assert_eq!(matches(pattern, label), expected, "{pattern} {label}");
        }
    }

    #[test]
    fn a_path_ends_at_a_slash() {
        assert!(fits("quay.io/org", "quay.io", "org"));
        assert!(fits("quay.io/org/", "quay.io", "org/app"));
        assert!(!fits("quay.io/org", "quay.io", "organ/app"));
        assert!(!fits("quay.io/org/app", "quay.io", "org"));
    }

    #[test]
    fn the_longest_path_comes_first_and_a_star_last() {
        let keys = [
            "*.io",
            "*.io/org",
            "https://quay.io/other",
            "https://quay.io/v1/",
            "qu*.io",
            "quay.io",
            "quay.io/org",
            "quay.io/org/app",
        ];
        let expected = [
            ("quay.io/org/app", true),
            ("quay.io/org", true),
            ("quay.io", false),
            ("https://quay.io/v1/", false),
            ("qu*.io", false),
            ("*.io/org", true),
            ("*.io", false),
            ("https://quay.io/other", false),
        ];
        let expected = expected.map(|(key, is_narrow)| (key.to_owned(), is_narrow));
        assert_eq!(order(&keys, "quay.io", "org/app"), expected);
        let hub = ["docker.io", "https://index.docker.io/v1/", "index.docker.io", "docker.io/library"];
        let expected = ["docker.io/library", "https://index.docker.io/v1/", "docker.io", "index.docker.io"];
        let found = order(&hub, "docker.io", "library/nginx");
        assert!(found.iter().map(|(key, _)| key).eq(expected.iter()), "{found:?}");
    }

    #[test]
    fn a_helper_is_asked_as_docker_asks_it() {
        assert_eq!(server("docker.io"), "https://index.docker.io/v1/");
        assert_eq!(server("GHCR.io:443"), "ghcr.io");
        assert_eq!(server("registry.example:5000"), "registry.example:5000");
    }
}
