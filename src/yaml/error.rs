//! What is wrong with a stream, and where.
use super::lines::Position;

/// A document, or the whole stream, could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {}, column {}: {kind}", .position.line, .position.column)]
pub struct Error {
    /// Where it was noticed.
    pub position: Position,
    /// What it is.
    pub kind: ErrorKind,
}

/// Sorted by what can be done: correct the text, let something else render it, or make it smaller.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ErrorKind {
    /// Not YAML; the document is lost, the others are not.
    #[error("{0}")]
    Syntax(String),
    /// Not UTF-8 or UTF-16 (read all the same, with U+FFFD), or no text at all (then there are no documents).
    #[error("{0}")]
    Encoding(&'static str),
    /// A template, which is not YAML before it is rendered; the document is lost, the others are not.
    #[error("a template expression that is not YAML")]
    Template,
    /// More bytes than [`Limits::bytes`](super::Limits::bytes); nothing was read.
    #[error("larger than {0} bytes")]
    TooLarge(usize),
    /// Deeper than [`Limits::depth`](super::Limits::depth); the document is lost, the others are not.
    #[error("nested more than {0} levels deep")]
    TooDeep(usize),
    /// More than [`Limits::nodes`](super::Limits::nodes), with what merge keys add; reading stopped here.
    #[error("more than {0} nodes")]
    TooManyNodes(usize),
    /// More than [`Limits::documents`](super::Limits::documents); reading stopped here.
    #[error("more than {0} documents")]
    TooManyDocuments(usize),
    /// Longer than [`Limits::time`](super::Limits::time); reading stopped here.
    #[error("not read within {0:?}")]
    TimedOut(std::time::Duration),
}

impl ErrorKind {
    pub(super) fn at(self, position: Position) -> Error {
        Error { position, kind: self }
    }

    /// Whether the limit that was met holds for the stream, so that there is no sense in going on.
    pub(super) fn ends_the_stream(&self) -> bool {
        matches!(self, Self::TooManyNodes(_) | Self::TooManyDocuments(_) | Self::TimedOut(_))
    }
}
