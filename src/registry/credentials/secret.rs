//! A password or token: text that is sent, and never shown.
use std::fmt;

/// A password or token. It cannot be printed.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::registry) struct Secret(String);

impl Secret {
    pub(in crate::registry) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, to be sent to who asked for it.
    pub(in crate::registry) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}
