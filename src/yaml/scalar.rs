//! A scalar as it is written.

/// How a scalar is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Without quotes: what it means depends on its text.
    Plain,
    /// `'text'`
    SingleQuoted,
    /// `"text"`
    DoubleQuoted,
    /// `|`
    Literal,
    /// `>`
    Folded,
}

/// A scalar before anyone decides on its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scalar<'a> {
    /// The text, with escapes and folding undone; empty where nothing is written.
    pub text: &'a str,
    /// How it is written.
    pub style: Style,
    /// The explicit tag: `!!str` for those of YAML itself, else as it is written.
    pub tag: Option<&'a str>,
}
