//! Decoding as kustomize does it: YAML 1.1 to JSON to Go structures. Keys match without regard to case, null is absent,
//! and a number where a string is wanted is an error.
use crate::{
    kustomize::object::{Copier, Scalar, Source},
    yaml::{Kind, Node, Position, resolve},
};
use std::{cell::Cell, rc::Rc};

/// Why kustomize refuses a file: where, and what it says of it.
pub(in crate::kustomize) type Refusal = (Position, String);

/// A path, URL or name and where it is written.
#[derive(Clone, Debug, Default)]
pub(in crate::kustomize) struct Named {
    pub(in crate::kustomize) text: String,
    pub(in crate::kustomize) at: Option<Position>,
}

impl Named {
    /// Where it is written.
    pub(in crate::kustomize) fn position(&self) -> Position {
        self.at.unwrap_or(Position::START)
    }
}

/// What is decoded, and how.
#[derive(Clone, Copy, Debug)]
pub(in crate::kustomize) struct Decoder<'d> {
    /// Where the text stands.
    pub(in crate::kustomize) source: &'d Source,
    /// Whether a key that nobody knows is an error.
    pub(in crate::kustomize) is_strict: bool,
}

impl Decoder<'_> {
    /// Hands every field of a mapping to `take`, by its name in lower case; `take` says whether it knows the name.
    pub(in crate::kustomize) fn fields<'n>(
        &self,
        node: Node<'n>,
        mut take: impl FnMut(&str, Node<'n>) -> Result<bool, Refusal>,
    ) -> Result<(), Refusal> {
        if is_null(node) {
            return Ok(());
        }
        if node.kind() != Kind::Mapping {
            return Err((node.position(), "kustomize wants a mapping here".to_owned()));
        }
        for (key, value) in in_order(node) {
            let name = key.scalar().map_or("", |scalar| scalar.text);
            if !take(&name.to_lowercase(), value)? && self.is_strict {
                return Err((key.position(), format!("kustomize knows no field \"{name}\"")));
            }
        }
        Ok(())
    }

    /// A string that keeps where it comes from; `None` for null and for the empty one, which kustomize takes for absent.
    pub(in crate::kustomize) fn scalar(&self, key: &str, node: Node<'_>) -> Result<Option<Scalar>, Refusal> {
        let text = match node.scalar().map(resolve::yaml_1_1) {
            // Only a kustomization file must have quotes around a number.
            Some(resolve::Value::Int(value)) if !self.is_strict => Some(value.to_string()),
            Some(resolve::Value::Float(value)) if !self.is_strict => Some(value.to_string()),
            Some(resolve::Value::Bool(value)) if !self.is_strict => Some(value.to_string()),
            _ => string(node)?.map(str::to_owned),
        };
        let source = Source { step: step(key), ..self.source.clone() };
        let left = Cell::new(0);
        let scalar = |text: String| {
            let written = Copier::new(&source, &left).scalar(node, Some(&Rc::from(key)));
            Scalar { text: text.into(), ..written }
        };
        Ok(text.filter(|text| !text.is_empty()).map(scalar))
    }
}

/// The entries in the order in which kustomize decodes them: JSON objects are sorted on the way, so that of `newTag` and
/// `NewTag` the first counts.
pub(in crate::kustomize) fn in_order(node: Node<'_>) -> Vec<(Node<'_>, Node<'_>)> {
    let mut entries: Vec<_> = node.entries().collect();
    entries.sort_by_key(|(key, _)| key.scalar().map_or("", |scalar| scalar.text));
    entries
}

/// The word of the chain for a field of a kustomization.
fn step(key: &str) -> &'static str {
    match key {
        "newName" => "newName",
        "newTag" => "newTag",
        "digest" => "digest",
        "tagSuffix" => "tagSuffix",
        "sourceValue" => "replacement",
        _ => "generator",
    }
}

/// Whether it is null.
pub(in crate::kustomize) fn is_null(node: Node<'_>) -> bool {
    node.scalar().is_some_and(|scalar| resolve::yaml_1_1(scalar) == resolve::Value::Null)
}

/// The items of a list; null is an empty one.
pub(in crate::kustomize) fn list<'n>(value: Node<'n>) -> Result<impl Iterator<Item = Node<'n>>, Refusal> {
    if value.kind() == Kind::Sequence || is_null(value) {
        return Ok(value.items());
    }
    Err((value.position(), "kustomize wants a list here".to_owned()))
}

/// Every item of a list, decoded.
pub(in crate::kustomize) fn each<'n, T>(
    value: Node<'n>,
    decode: impl FnMut(Node<'n>) -> Result<T, Refusal>,
) -> Result<Vec<T>, Refusal> {
    list(value)?.map(decode).collect()
}

/// The text of a scalar that YAML 1.1 reads as a string; `None` for null. kustomize refuses anything else where it wants
/// a string, so an unquoted `newTag: 1.10` fails the build instead of deploying 1.1.
pub(in crate::kustomize) fn string(node: Node<'_>) -> Result<Option<&str>, Refusal> {
    let Some(scalar) = node.scalar() else {
        return Err((node.position(), "kustomize wants a string here".to_owned()));
    };
    match resolve::yaml_1_1(scalar) {
        resolve::Value::Null => Ok(None),
        resolve::Value::Str => Ok(Some(scalar.text)),
        _ => {
            let text = scalar.text;
            let why = format!("kustomize refuses {text} without quotes where it wants a string: write \"{text}\"");
            Err((node.position(), why))
        }
    }
}

/// The same as a text of its own, empty for null.
pub(in crate::kustomize) fn text(node: Node<'_>) -> Result<String, Refusal> {
    Ok(string(node)?.unwrap_or_default().to_owned())
}

/// The same with its place.
pub(in crate::kustomize) fn named(node: Node<'_>) -> Result<Named, Refusal> {
    Ok(Named { text: text(node)?, at: Some(node.position()) })
}

/// A list of strings.
pub(in crate::kustomize) fn names(node: Node<'_>) -> Result<Vec<Named>, Refusal> {
    each(node, named)
}

/// Pairs of strings.
pub(in crate::kustomize) fn pairs(node: Node<'_>) -> Result<Vec<(String, String)>, Refusal> {
    if !is_null(node) && node.kind() != Kind::Mapping {
        return Err((node.position(), "kustomize wants a mapping here".to_owned()));
    }
    let pair = |(key, value): (Node<'_>, Node<'_>)| {
        Ok((key.scalar().map_or("", |scalar| scalar.text).to_owned(), text(value)?))
    };
    node.entries().map(pair).collect()
}

/// A truth value; null is `false`.
pub(in crate::kustomize) fn boolean(node: Node<'_>) -> Result<bool, Refusal> {
    match node.scalar().map(resolve::yaml_1_1) {
        Some(resolve::Value::Bool(value)) => Ok(value),
        Some(resolve::Value::Null) => Ok(false),
        _ => Err((node.position(), "kustomize wants true or false here".to_owned())),
    }
}

/// A whole number; null is 0.
pub(in crate::kustomize) fn integer(node: Node<'_>) -> Result<i64, Refusal> {
    let wrong = || (node.position(), "kustomize wants a whole number here".to_owned());
    match node.scalar().map(resolve::yaml_1_1) {
        Some(resolve::Value::Int(value)) => i64::try_from(value).map_err(|_| wrong()),
        Some(resolve::Value::Null) => Ok(0),
        _ => Err(wrong()),
    }
}
