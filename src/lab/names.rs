//! The grammar of repository names, tags and digests, and of the paths that hold them.

/// What a path asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// `/v2/`: is this a registry, and may I come in?
    Base,
    /// A manifest, by tag or digest.
    Manifest { name: String, reference: String },
    /// A config or layer.
    Blob { name: String, digest: String },
    /// The list of tags.
    Tags { name: String },
    /// The token endpoint, which the specification leaves to others.
    Token,
    /// Nothing that a registry has.
    Unknown,
}

impl Target {
    /// From the path as it was sent: nothing that could stand in a name needs to be percent-encoded.
    pub(super) fn of(path: &str) -> Self {
        let split = |rest: &str, by: &str| rest.rsplit_once(by).map(|(name, last)| (name.to_owned(), last.to_owned()));
        match (path, path.strip_prefix("/v2/")) {
            ("/token", _) => Self::Token,
            (_, Some("")) => Self::Base,
            (_, Some(rest)) => {
                if let Some((name, _)) = split(rest, "/tags/list").filter(|(_, after)| after.is_empty()) {
                    Self::Tags { name }
                } else if let Some((name, reference)) = split(rest, "/manifests/") {
                    Self::Manifest { name, reference }
                } else if let Some((name, digest)) = split(rest, "/blobs/") {
                    Self::Blob { name, digest }
                } else {
                    Self::Unknown
                }
            }
            _ => Self::Unknown,
        }
    }

    /// The repository, where there is one.
    pub(super) fn repository(&self) -> Option<&str> {
        match self {
            Self::Manifest { name, .. } | Self::Blob { name, .. } | Self::Tags { name } => Some(name),
            Self::Base | Self::Token | Self::Unknown => None,
        }
    }
}

/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*`, at most 255 bytes.
pub(super) fn is_repository(name: &str) -> bool {
    name.len() <= 255 && name.split('/').all(is_component)
}

fn is_component(component: &str) -> bool {
    let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    component.starts_with(is_word)
        && component.ends_with(is_word)
        && component
            .split(is_word)
            .all(|between| matches!(between, "" | "." | "_" | "__") || between.bytes().all(|b| b == b'-'))
}

/// `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}`
pub(super) fn is_tag(tag: &str) -> bool {
    let is_word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    tag.len() <= 128
        && tag.bytes().next().is_some_and(is_word)
        && tag.bytes().all(|b| is_word(b) || matches!(b, b'.' | b'-'))
}

/// The registered algorithms: `sha256:` and 64, or `sha512:` and 128 lower-case hexadecimal digits.
pub(super) fn is_digest(digest: &str) -> bool {
    let is_hex = |hex: &str| hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    match digest.split_once(':') {
        Some(("sha256", hex)) => hex.len() == 64 && is_hex(hex),
        Some(("sha512", hex)) => hex.len() == 128 && is_hex(hex),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{Target, is_digest, is_repository, is_tag};

    #[test]
    fn names_and_tags_follow_the_grammar() {
        for good in ["a", "team/app", "a.b_c__d---e/f0", &"a".repeat(255)] {
            assert!(is_repository(good), "{good}");
        }
        for bad in ["", "/a", "a/", "a//b", "A", "a..b", "a___b", "a._b", "-a", "a-", "a%20b", &"a".repeat(256)] {
            assert!(!is_repository(bad), "{bad}");
        }
        assert!(is_tag("_1.4-RC2") && is_tag(&"a".repeat(128)));
        assert!(!is_tag("") && !is_tag("-a") && !is_tag(".a") && !is_tag("a+b") && !is_tag(&"a".repeat(129)));
        assert!(is_digest(&format!("sha256:{}", "0a".repeat(32))) && is_digest(&format!("sha512:{}", "0a".repeat(64))));
        assert!(!is_digest("sha256:abc") && !is_digest(&format!("sha256:{}", "0A".repeat(32))));
    }

    #[test]
    fn a_path_is_read_from_its_end_because_names_have_slashes() {
        let manifest = |name: &str| Target::Manifest { name: name.into(), reference: "1".into() };
        assert_eq!(Target::of("/v2/team/manifests/app/manifests/1"), manifest("team/manifests/app"));
        assert_eq!(Target::of("/v2/team/app/tags/list"), Target::Tags { name: "team/app".into() });
        assert_eq!(Target::of("/v2/"), Target::Base);
        for unknown in ["/", "/v2", "/v1/_ping", "/v2/_catalog", "/v2/app/tags/list/"] {
            assert_eq!(Target::of(unknown), Target::Unknown, "{unknown}");
        }
    }
}
