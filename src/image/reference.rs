//! Image references by the grammar of `distribution/reference`, the one that the kubelet and containerd use.
use std::fmt;

/// The registry that a name without a host belongs to.
const DEFAULT_REGISTRY: &str = "docker.io";
/// Its old name, which the grammar still reads as the same registry.
const LEGACY_REGISTRY: &str = "index.docker.io";
/// Where the default registry keeps names without a slash.
const OFFICIAL: &str = "library/";
/// The longest repository, in bytes.
const MAX_REPOSITORY: usize = 255;
/// The longest tag, in bytes.
const MAX_TAG: usize = 128;

/// A valid reference in canonical form: with a registry, and with a tag, a digest or both.
///
/// Two references are equal if they are written alike once they are canonical. Use [`Reference::identity`] to ask
/// whether two references pull the same image.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reference {
    registry: String,
    repository: String,
    tag: Option<String>,
    digest: Option<String>,
}

/// Why a text is not a reference.
#[derive(Clone, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Invalid {
    /// It is a template that nobody rendered: `${TAG}`, `$(TAG)`, `{{ .Values.tag }}`, `<tag>`, `%TAG%`.
    #[error("unrendered variable: this is a template, not an image reference")]
    Template,
    /// It begins with a scheme, which is kept with its slashes.
    #[error("looks like a URL: drop \"{0}\"")]
    Url(String),
    /// The repository has upper-case letters.
    #[error("the repository must be lower case")]
    UpperCase,
    /// It contains white space, perhaps only at its end.
    #[error("contains white space")]
    Whitespace,
    /// It is empty.
    #[error("the image reference is empty")]
    Empty,
    /// It is 64 hexadecimal digits, which is the id of an image and not a name.
    #[error("this is the id of an image, not a name: write repository@sha256:...")]
    BareHexId,
    /// The part after the colon is no tag.
    #[error(
        "the tag is not 1 to 128 letters, digits, underscores, dots and hyphens, beginning with none of the last two"
    )]
    Tag,
    /// The part after the at sign is no digest.
    #[error("the digest is not sha256: and 64 lower-case hexadecimal digits (or sha384: and 96, or sha512: and 128)")]
    Digest,
    /// The name breaks the grammar in another way.
    #[error("{0}")]
    Grammar(&'static str),
}

impl Reference {
    /// Reads a reference as it stands in a manifest. `latest` is assumed where there is neither tag nor digest.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        refuse_what_was_never_a_reference(text)?;
        let (name, digest) = match text.split_once('@') {
            Some((name, digest)) => (name, Some(digest)),
            None => (text, None),
        };
        let (registry, rest) = split_registry(name);
        let (path, tag) = match rest.split_once(':') {
            Some((path, tag)) => (path, Some(tag)),
            None => (rest, None),
        };
        if !is_registry(registry) {
            return Err(Invalid::Grammar("the registry is not a host name or address with an optional port"));
        }
        let repository = repository(registry, path)?;
        if tag.is_some_and(|tag| !is_tag(tag)) {
            return Err(Invalid::Tag);
        }
        if digest.is_some_and(|digest| !is_digest(digest)) {
            return Err(Invalid::Digest);
        }
        let tag = tag.or(digest.is_none().then_some("latest"));
        Ok(Self {
            registry: registry.to_owned(),
            repository,
            tag: tag.map(str::to_owned),
            digest: digest.map(str::to_owned),
        })
    }

    /// The registry: `docker.io`, or the host as it was written, with its port if it has one.
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The repository in the registry, such as `library/nginx`.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The tag; `None` if there is only a digest.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The digest, such as `sha256:` and 64 hexadecimal digits.
    pub fn digest(&self) -> Option<&str> {
        self.digest.as_deref()
    }

    /// What a cluster asks the repository for: the digest if there is one, for then the tag is not looked at; else the
    /// tag.
    pub fn manifest_reference(&self) -> &str {
        self.digest().or(self.tag()).unwrap_or("latest")
    }

    /// What is pulled: registry, repository, and digest or tag. References with equal identities are the same image.
    pub fn identity(&self) -> (&str, &str, &str) {
        (&self.registry, &self.repository, self.manifest_reference())
    }
}

/// The canonical form, such as `docker.io/library/nginx:1.27`.
impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        match &self.digest {
            Some(digest) => write!(f, "@{digest}"),
            None => Ok(()),
        }
    }
}

/// The faults that deserve an answer of their own, because the grammar would only say "no".
fn refuse_what_was_never_a_reference(text: &str) -> Result<(), Invalid> {
    if text.is_empty() {
        return Err(Invalid::Empty);
    }
    // A percent sign in brackets is the zone of an address, not a variable.
    let percent = text.contains('%') && !text.starts_with('[');
    if percent || text.contains(['$', '<']) || text.contains("{{") {
        return Err(Invalid::Template);
    }
    if text.contains(char::is_whitespace) {
        return Err(Invalid::Whitespace);
    }
    if let Some((scheme, _)) = text.split_once("://") {
        return Err(Invalid::Url(format!("{scheme}://")));
    }
    if text.len() == 64 && is_lower_hex(text) {
        return Err(Invalid::BareHexId);
    }
    Ok(())
}

/// The first segment is a registry if it cannot be a namespace: it has a dot, a colon or an upper-case letter, or is
/// `localhost`.
fn split_registry(name: &str) -> (&str, &str) {
    match name.split_once('/') {
        Some((LEGACY_REGISTRY, rest)) => (DEFAULT_REGISTRY, rest),
        Some((first, rest))
            if first == "localhost" || first.contains(['.', ':']) || first.chars().any(char::is_uppercase) =>
        {
            (first, rest)
        }
        _ => (DEFAULT_REGISTRY, name),
    }
}

fn repository(registry: &str, path: &str) -> Result<String, Invalid> {
    if path.chars().any(char::is_uppercase) {
        return Err(Invalid::UpperCase);
    }
    if !path.split('/').all(is_path_component) {
        return Err(Invalid::Grammar(
            "the repository is not lower-case letters and digits, joined by one '.', one or two '_', or any number of '-', \
             between single slashes",
        ));
    }
    let official = registry == DEFAULT_REGISTRY && !path.contains('/');
    let repository = if official { format!("{OFFICIAL}{path}") } else { path.to_owned() };
    if repository.len() > MAX_REPOSITORY {
        return Err(Invalid::Grammar("the repository is longer than 255 characters"));
    }
    Ok(repository)
}

fn is_registry(text: &str) -> bool {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let Some((address, port)) = rest.split_once(']') else { return false };
            let hexadecimal = address.bytes().all(|b| b.is_ascii_hexdigit() || b == b':');
            return !address.is_empty()
                && hexadecimal
                && (port.is_empty() || port.strip_prefix(':').is_some_and(is_port));
        }
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    host.split('.').all(is_host_label) && port.is_none_or(is_port)
}

fn is_host_label(label: &str) -> bool {
    !label.is_empty()
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

fn is_port(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

fn is_path_component(component: &str) -> bool {
    let alphanumeric = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let ends = |b: Option<&u8>| b.is_some_and(|&b| alphanumeric(b));
    let bytes = component.as_bytes();
    ends(bytes.first())
        && ends(bytes.last())
        && bytes
            .split(|&b| alphanumeric(b))
            .all(|separator| matches!(separator, b"" | b"." | b"_" | b"__") || separator.iter().all(|&b| b == b'-'))
}

/// Whether the text has the form of a tag.
pub(crate) fn is_tag(text: &str) -> bool {
    text.len() <= MAX_TAG
        && !text.is_empty()
        && !text.starts_with(['.', '-'])
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
}

/// Whether the text is a digest of an algorithm that registries and runtimes know.
pub(crate) fn is_digest(text: &str) -> bool {
    let digits = match text.split_once(':') {
        Some(("sha256", hex)) => (hex, 64),
        Some(("sha384", hex)) => (hex, 96),
        Some(("sha512", hex)) => (hex, 128),
        _ => return false,
    };
    digits.0.len() == digits.1 && is_lower_hex(digits.0)
}

fn is_lower_hex(text: &str) -> bool {
    text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::{Invalid, Reference};
    use proptest::prelude::{ProptestConfig, any, prop_assert_eq, proptest};

    const HEX: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    fn canonical(text: &str) -> String {
        Reference::parse(text).unwrap_or_else(|invalid| panic!("{text}: {invalid}")).to_string()
    }

    fn invalid(text: &str) -> Invalid {
        Reference::parse(text).expect_err(text)
    }

    #[test]
    fn names_are_completed_as_the_kubelet_completes_them() {
        for (text, expected) in [
            ("nginx", "docker.io/library/nginx:latest"),
            ("nginx:1.27", "docker.io/library/nginx:1.27"),
            ("docker.io/nginx", "docker.io/library/nginx:latest"),
            ("index.docker.io/nginx:1", "docker.io/library/nginx:1"),
            ("docker.io/library/nginx", "docker.io/library/nginx:latest"),
            ("acme/api:1.2", "docker.io/acme/api:1.2"),
            ("localhost/foo", "localhost/foo:latest"),
            ("localhost:5000", "docker.io/library/localhost:5000"),
            ("localhost:5000/foo", "localhost:5000/foo:latest"),
            ("Foo/bar", "Foo/bar:latest"),
            ("registry-1.docker.io/nginx", "registry-1.docker.io/nginx:latest"),
            ("[::1]:5000/foo:1", "[::1]:5000/foo:1"),
            ("[2001:db8::1]/foo", "[2001:db8::1]/foo:latest"),
            ("127.0.0.1/a", "127.0.0.1/a:latest"),
            ("0x7f.1/a", "0x7f.1/a:latest"),
            ("2130706433/a", "docker.io/2130706433/a:latest"),
            ("xn--n3h.com/myimage:xn--n3h.com", "xn--n3h.com/myimage:xn--n3h.com"),
            ("a-b.example.com:5000/x__y/a--b.c_d:v1.0-rc_1", "a-b.example.com:5000/x__y/a--b.c_d:v1.0-rc_1"),
            ("foo:__TAG__", "docker.io/library/foo:__TAG__"),
        ] {
            assert_eq!(canonical(text), expected, "{text}");
        }
    }

    #[test]
    fn a_digest_decides_and_a_tag_beside_it_is_kept_but_not_pulled() {
        let both = Reference::parse(&format!("foo:tag@sha256:{HEX}")).unwrap();
        let only = Reference::parse(&format!("foo@sha256:{HEX}")).unwrap();
        assert_eq!((both.tag(), only.tag()), (Some("tag"), None));
        assert_eq!(both.manifest_reference(), format!("sha256:{HEX}"));
        assert_eq!(both.identity(), only.identity());
        assert_ne!(both, only);
        assert_eq!(canonical(&format!("foo@sha512:{HEX}{HEX}")), format!("docker.io/library/foo@sha512:{HEX}{HEX}"));
        assert_eq!(Reference::parse("foo").unwrap().manifest_reference(), "latest");
    }

    #[test]
    fn a_variable_that_nobody_rendered_is_told_from_a_typo() {
        for text in [
            "nginx:${TAG}",
            "$(REGISTRY)/nginx",
            "{{ .Values.image }}",
            "nginx:<tag>",
            "%IMAGE%",
            "$IMAGE",
            "${R}/nginx:1",
            "%s/nginx",
        ] {
            assert_eq!(invalid(text), Invalid::Template, "{text}");
        }
    }

    #[test]
    fn the_common_mistakes_have_an_answer_of_their_own() {
        for (text, expected) in [
            ("", Invalid::Empty),
            ("http://example.com/a:1", Invalid::Url("http://".into())),
            ("docker://nginx", Invalid::Url("docker://".into())),
            ("nginx ", Invalid::Whitespace),
            ("nginx :1", Invalid::Whitespace),
            ("\tnginx", Invalid::Whitespace),
            ("Nginx", Invalid::UpperCase),
            ("docker.io/library/Nginx:1", Invalid::UpperCase),
            ("acme/API", Invalid::UpperCase),
            (HEX, Invalid::BareHexId),
            ("foo:", Invalid::Tag),
            ("foo:-bad", Invalid::Tag),
            ("foo:1:2", Invalid::Tag),
            ("foo:a+b", Invalid::Tag),
            ("foo:größe", Invalid::Tag),
            ("foo@sha256:abc", Invalid::Digest),
            ("foo@", Invalid::Digest),
            ("foo@sha256", Invalid::Digest),
        ] {
            assert_eq!(invalid(text), expected, "{text}");
        }
        assert_eq!(invalid(&format!("foo@sha256:{}", HEX.to_uppercase())), Invalid::Digest);
        assert_eq!(invalid(&format!("foo@md5:{}", &HEX[..32])), Invalid::Digest);
        assert_eq!(invalid(&format!("foo@sha256:{HEX}@sha256:{HEX}")), Invalid::Digest);
        assert_eq!(invalid(&format!("foo:{}", "t".repeat(129))), Invalid::Tag);
        assert_eq!(invalid("https://ghcr.io/a").to_string(), "looks like a URL: drop \"https://\"");
    }

    #[test]
    fn what_breaks_the_grammar_is_refused() {
        for text in [
            "a//b:1",
            "a/../b:1",
            "a___b/c",
            "exa_mple.com/a",
            "exa_mple.com:5000/a",
            "/a",
            "a/",
            ":1",
            "-a",
            "a-",
            "a..b",
            "a.-b",
            "-docker.io/docker/docker",
            "docker.io-/x",
            "[fc00::1]",
            "[fc00::1]:5000",
            "[]/a",
            "[::1]x/a",
            "fc00::1:5000/debian",
            "[fe80::1%eth0]:5000/debian",
            "[2001:db8:3:4::192.0.2.33]:5000/debian",
            "host:port/a",
            "host:/a",
            "käse/a",
            "a/käse",
        ] {
            assert!(matches!(invalid(text), Invalid::Grammar(_)), "{text}");
        }
    }

    #[test]
    fn a_repository_has_at_most_255_characters_without_its_registry() {
        let longest = "a".repeat(253);
        assert!(Reference::parse(&format!("example.com/b/{longest}")).is_ok());
        assert!(matches!(invalid(&format!("example.com/b/{longest}c")), Invalid::Grammar(_)));
        // The repository of an official image begins with "library/".
        assert!(Reference::parse(&"a".repeat(247)).is_ok());
        assert!(matches!(invalid(&"a".repeat(248)), Invalid::Grammar(_)));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_text_panics_and_what_is_read_reads_the_same_again(text in any::<String>()) {
            if let Ok(reference) = Reference::parse(&text) {
                prop_assert_eq!(Reference::parse(&reference.to_string()), Ok(reference));
            }
        }

        #[test]
        fn the_canonical_form_of_what_looks_like_a_reference_reads_the_same(
            host in "((localhost|Foo|[a-z]{1,3}\\.io|index\\.docker\\.io|docker\\.io|\\[[0-9a-f:]{1,5}\\])(:[0-9]{1,4})?/)?",
            path in "[a-z0-9]{1,3}([._/-][a-z0-9]{1,3}){0,3}",
            tag in "(:[\\w.-]{1,4})?",
            digest in "(@sha256:[0-9a-f]{64})?",
        ) {
            if let Ok(reference) = Reference::parse(&format!("{host}{path}{tag}{digest}")) {
                prop_assert_eq!(Reference::parse(&reference.to_string()), Ok(reference));
            }
        }
    }
}
