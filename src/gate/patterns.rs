//! Lists of patterns as in `.gitignore`, over paths and ref names.
use globset::{Candidate, Glob, GlobBuilder, GlobMatcher};

/// Patterns of which the last that matches decides; one that begins with `!` takes back.
#[derive(Clone, Debug, Default)]
pub struct Patterns(Vec<Pattern>);

#[derive(Clone, Debug)]
struct Pattern {
    whole: GlobMatcher,
    /// What lies below, if the pattern names a folder.
    below: GlobMatcher,
    takes_back: bool,
}

/// A pattern that does not parse.
#[derive(Debug, thiserror::Error)]
#[error("\"{pattern}\" is not a pattern: {reason}")]
pub struct Malformed {
    pattern: String,
    reason: String,
}

impl Patterns {
    /// Patterns in their order. One without a slash (but at its end) matches at any depth; one that names a folder matches
    /// all that is in it.
    pub fn new<S: AsRef<str>>(patterns: &[S]) -> Result<Self, Malformed> {
        patterns.iter().map(|pattern| Pattern::new(pattern.as_ref())).collect::<Result<_, _>>().map(Self)
    }

    /// Whether `path` (components joined by `/`) is matched.
    pub fn matches(&self, path: &[u8]) -> bool {
        // Candidate::from_bytes takes the bytes as they are: neither paths nor refs need be UTF-8.
        let candidate = Candidate::from_bytes(path);
        let last = self
            .0
            .iter()
            .rev()
            .find(|p| p.whole.is_match_candidate(&candidate) || p.below.is_match_candidate(&candidate));
        last.is_some_and(|pattern| !pattern.takes_back)
    }
}

impl Pattern {
    fn new(text: &str) -> Result<Self, Malformed> {
        let (takes_back, glob) = text.strip_prefix('!').map_or((false, text), |rest| (true, rest));
        let trimmed = glob.trim_end_matches('/');
        let anchored = match trimmed.strip_prefix('/') {
            Some(rest) => rest.to_owned(),
            None if trimmed.contains('/') => trimmed.to_owned(),
            None => format!("**/{trimmed}"),
        };
        let malformed =
            |reason: globset::Error| Malformed { pattern: text.to_owned(), reason: reason.kind().to_string() };
        let compile =
            |glob: &str| GlobBuilder::new(glob).literal_separator(true).build().map(|g: Glob| g.compile_matcher());
        Ok(Self {
            whole: compile(&anchored).map_err(malformed)?,
            below: compile(&format!("{anchored}/**")).map_err(malformed)?,
            takes_back,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Patterns;

    fn matches(patterns: &[&str], path: &str) -> bool {
        Patterns::new(patterns).unwrap().matches(path.as_bytes())
    }

    #[test]
    fn patterns_read_as_in_gitignore() {
        for (patterns, path, hit) in [
            (&["refs/heads/**"][..], "refs/heads/feature/x", true),
            (&["refs/heads/*"], "refs/heads/feature/x", true),
            (&["refs/heads/**"], "refs/tags/v1", false),
            (&["refs/heads/**", "!refs/heads/feature/**"], "refs/heads/feature/x", false),
            (&["examples"], "a/examples/b.yaml", true),
            (&["/examples/"], "a/examples/b.yaml", false),
            (&["/examples/"], "examples/b.yaml", true),
            (&["*.test.yaml"], "deep/down/x.test.yaml", true),
            (&["apps/*/test.yaml"], "apps/a/b/test.yaml", false),
            (&[], "x", false),
        ] {
            assert_eq!(matches(patterns, path), hit, "{patterns:?} on {path}");
        }
    }

    #[test]
    fn bytes_that_are_no_utf8_are_matched() {
        assert!(Patterns::new(&["refs/heads/**"]).unwrap().matches(b"refs/heads/caf\xe9"));
    }

    #[test]
    fn a_broken_pattern_is_named() {
        assert!(Patterns::new(&["a[b"]).unwrap_err().to_string().starts_with("\"a[b\" is not a pattern"));
    }
}
