//! What is said of a push: findings, notices, the report, and how text of strangers is made printable.
use crate::image::{ImageUse, Place, Reference};
use std::fmt::{self, Write as _};

/// What a finding does to the push.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing: the image can be pulled.
    Ok,
    /// Said, but the push goes through.
    Warn,
    /// The push is rejected.
    Reject,
}

/// What is known of an image: the verdict table of the gate, without the policy.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// The registry has it.
    Present,
    /// The registry says that there is no such image.
    Missing,
    /// Missing, or no permission: the registry gives the same answer for both.
    Denied,
    /// It exists, but the registry refuses to serve it.
    Blocked,
    /// It exists, but not for every platform that the configuration asks for.
    WrongPlatform,
    /// It exists, but is no container image.
    WrongKind,
    /// Not a reference that a cluster could pull.
    Invalid,
    /// The configuration does not allow this registry to be asked.
    NotAllowed,
    /// The registry could not tell: time-out, 5xx, 429, TLS, DNS, refused credentials.
    Unverified,
}

impl Verdict {
    /// The word of the JSON schema.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Present => "present",
            Self::Missing => "missing",
            Self::Denied => "denied",
            Self::Blocked => "blocked",
            Self::WrongPlatform => "wrong-platform",
            Self::WrongKind => "wrong-kind",
            Self::Invalid => "invalid",
            Self::NotAllowed => "not-allowed",
            Self::Unverified => "unverified",
        }
    }
}

/// One image that the push would newly deploy, with what is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The place that a person would edit first.
    pub image: ImageUse,
    /// The other places that use the same reference, in order of path.
    pub also: Vec<Place>,
    /// The reference in its canonical form, unless it is invalid.
    pub canonical: Option<Reference>,
    /// What is known.
    pub verdict: Verdict,
    /// What that does to the push.
    pub severity: Severity,
    /// Why, in one or more sentences without a full stop; escaped when it is printed.
    pub detail: String,
    /// What to do.
    pub hints: Vec<Hint>,
    /// Tags that exist and look alike, the most likely first.
    pub suggestions: Vec<String>,
}

/// A piece of advice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    /// One sentence without a full stop.
    pub text: String,
    /// Lines of configuration that it speaks of.
    pub configuration: Vec<String>,
}

impl From<&str> for Hint {
    fn from(text: &str) -> Self {
        Self { text: text.to_owned(), configuration: Vec::new() }
    }
}

/// Something at a place: what was not checked, and why; or what is worth knowing.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Notice {
    /// A short name of the reason, such as `remote-base`; stable.
    pub code: &'static str,
    /// Where.
    pub place: Place,
    /// What was not checked and why, or what there is to know; escaped when it is printed.
    pub message: String,
}

/// All that is said of one push or one range of commits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// What was found, worst first, then in order of path and line.
    pub findings: Vec<Finding>,
    /// What was not checked.
    pub notices: Vec<Notice>,
    /// Whether a notice rejects (`on-unresolved = "reject"`), warns, or is not said.
    pub notice_severity: Option<Severity>,
    /// What is worth knowing and is nobody's fault: said beside the rest, and no reason to speak or to reject.
    pub notes: Vec<Notice>,
}

/// What happens to the push.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It goes through.
    Accept,
    /// It does not.
    Reject,
}

impl Report {
    /// Rejects if anything in the report does.
    pub fn decision(&self) -> Decision {
        let notices = !self.notices.is_empty() && self.notice_severity == Some(Severity::Reject);
        if notices || self.findings.iter().any(|f| f.severity == Severity::Reject) {
            Decision::Reject
        } else {
            Decision::Accept
        }
    }
}

/// Text of a stranger (a path, a ref, a registry's message), made safe to print on a terminal, in a web page's log, on
/// one line: control characters, bidirectional overrides, zero-width and line-separating characters are written as
/// escapes, and what is longer than `limit` characters is cut.
pub fn escape(text: &str, limit: usize) -> String {
    let mut out = String::with_capacity(text.len().min(limit) + 3);
    for (count, c) in text.chars().enumerate() {
        if count == limit {
            out.push_str("...");
            break;
        }
        match c {
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if is_unprintable(c) => {
                // Writing to a String does not fail.
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}

fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffd}' | '\u{e0000}'..='\u{e0fff}')
}

/// A place as `path:line:column`, escaped. A path with a colon stands in quotes: it begins a line, and git and GitLab
/// read `hint:` and `GL-HOOK-ERR:` at the beginning of a line as ours.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = escape(&self.path.to_string(), 300);
        let quote = if path.contains(':') { "\"" } else { "" };
        write!(f, "{quote}{path}{quote}:{}:{}", self.line, self.column)
    }
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn what_could_move_a_cursor_or_forge_a_line_is_escaped() {
        assert_eq!(escape("a\x1b[31mb\nGL-HOOK-ERR: x", 99), "a\\u{1b}[31mb\\nGL-HOOK-ERR: x");
        assert_eq!(escape("evil\u{202e}gnp.exe\u{200b}\u{2028}", 99), "evil\\u{202e}gnp.exe\\u{200b}\\u{2028}");
        assert_eq!(escape("\u{9b}31m", 99), "\\u{9b}31m");
        assert_eq!(escape("Größe 東京", 99), "Größe 東京");
    }

    #[test]
    fn what_is_too_long_is_cut_by_characters() {
        assert_eq!(escape("äöüß", 3), "äöü...");
        assert_eq!(escape("äöü", 3), "äöü");
    }
}
