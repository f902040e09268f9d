//! The value tree that transformers change: mappings in order, sequences, scalars with their text as it is written.
use super::origin::Origin;
use crate::yaml::{Scalar as Raw, Style, resolve};
use std::rc::Rc;

/// A value.
#[derive(Clone, Debug)]
pub(in crate::kustomize) enum Node {
    /// Keys and values, in order; of a key that stands twice the first counts.
    Mapping(Vec<(Rc<str>, Node)>),
    /// Items.
    Sequence(Vec<Node>),
    /// Text, number, truth value or null.
    Scalar(Scalar),
}

/// A scalar as it is written, with where it comes from.
#[derive(Clone, Debug)]
pub(in crate::kustomize) struct Scalar {
    pub(in crate::kustomize) text: Rc<str>,
    pub(in crate::kustomize) style: Style,
    pub(in crate::kustomize) tag: Option<Rc<str>>,
    pub(in crate::kustomize) origin: Origin,
}

impl Scalar {
    /// A string.
    pub(in crate::kustomize) fn string(text: impl Into<Rc<str>>, origin: Origin) -> Self {
        Self { text: text.into(), style: Style::DoubleQuoted, tag: None, origin }
    }

    /// Without quotes: what it means depends on its text.
    pub(in crate::kustomize) fn plain(text: impl Into<Rc<str>>, origin: Origin) -> Self {
        Self { text: text.into(), style: Style::Plain, tag: None, origin }
    }

    /// Its type and value, by the rule for resources.
    pub(in crate::kustomize) fn value(&self) -> resolve::Value {
        resolve::core(Raw { text: &self.text, style: self.style, tag: self.tag.as_deref() })
    }

    /// Whether it is null.
    pub(in crate::kustomize) fn is_null(&self) -> bool {
        match self.tag {
            None => self.style == Style::Plain && matches!(&*self.text, "" | "~" | "null" | "Null" | "NULL"),
            Some(_) => self.value() == resolve::Value::Null,
        }
    }

    /// Gives it the text and origin of `other`, which has overridden it: its own steps come first in the chain.
    pub(in crate::kustomize) fn overridden_by(&self, other: &Self) -> Self {
        let origin = other.origin.after(&other.text, &self.origin, &self.text);
        Self { origin, ..other.clone() }
    }
}

impl Node {
    /// A string.
    pub(in crate::kustomize) fn string(text: impl Into<Rc<str>>) -> Self {
        Self::Scalar(Scalar::string(text, Origin::Nowhere))
    }

    /// Null.
    pub(in crate::kustomize) fn null() -> Self {
        Self::Scalar(Scalar::plain("null", Origin::Nowhere))
    }

    /// Whether it is null.
    pub(in crate::kustomize) fn is_null(&self) -> bool {
        matches!(self, Self::Scalar(scalar) if scalar.is_null())
    }

    /// Whether kyaml takes it for nothing: null, or a collection with nothing in it.
    pub(in crate::kustomize) fn is_empty(&self) -> bool {
        match self {
            Self::Mapping(entries) => entries.is_empty(),
            Self::Sequence(items) => items.is_empty(),
            Self::Scalar(scalar) => scalar.is_null(),
        }
    }

    /// The value of a key; `None` also if this is no mapping.
    pub(in crate::kustomize) fn get(&self, key: &str) -> Option<&Self> {
        let Self::Mapping(entries) = self else { return None };
        entries.iter().find(|(own, _)| **own == *key).map(|(_, value)| value)
    }

    /// The same, to be changed.
    pub(in crate::kustomize) fn get_mut(&mut self, key: &str) -> Option<&mut Self> {
        let Self::Mapping(entries) = self else { return None };
        entries.iter_mut().find(|(own, _)| **own == *key).map(|(_, value)| value)
    }

    /// What lies at the end of the keys.
    pub(in crate::kustomize) fn at(&self, keys: &[&str]) -> Option<&Self> {
        keys.iter().try_fold(self, |node, key| node.get(key))
    }

    /// The text of a scalar; `None` for null and for collections.
    pub(in crate::kustomize) fn text(&self) -> Option<&str> {
        self.scalar().filter(|scalar| !scalar.is_null()).map(|scalar| &*scalar.text)
    }

    /// The scalar; `None` for a collection.
    pub(in crate::kustomize) fn scalar(&self) -> Option<&Scalar> {
        if let Self::Scalar(scalar) = self { Some(scalar) } else { None }
    }

    /// The items of a sequence; none for anything else.
    pub(in crate::kustomize) fn items(&self) -> &[Self] {
        if let Self::Sequence(items) = self { items } else { &[] }
    }

    /// The keys and values of a mapping; none for anything else.
    pub(in crate::kustomize) fn entries(&self) -> &[(Rc<str>, Self)] {
        if let Self::Mapping(entries) = self { entries } else { &[] }
    }

    /// Sets the value of a key, behind the others if it is new. Does nothing if this is no mapping.
    pub(in crate::kustomize) fn set(&mut self, key: &str, value: Self) {
        if let Some(old) = self.get_mut(key) {
            *old = value;
        } else if let Self::Mapping(entries) = self {
            entries.push((key.into(), value));
        }
    }

    /// Takes a key out and gives its value.
    pub(in crate::kustomize) fn remove(&mut self, key: &str) -> Option<Self> {
        let Self::Mapping(entries) = self else { return None };
        let index = entries.iter().position(|(own, _)| **own == *key)?;
        Some(entries.remove(index).1)
    }

    /// The value of a key, made an empty mapping if there is none or null. `None` if this is no mapping.
    pub(in crate::kustomize) fn mapping_at(&mut self, key: &str) -> Option<&mut Self> {
        if !matches!(self, Self::Mapping(_)) {
            return None;
        }
        if self.get(key).is_none_or(Self::is_null) {
            self.set(key, Self::Mapping(Vec::new()));
        }
        self.get_mut(key)
    }

    /// Whether two values say the same.
    pub(in crate::kustomize) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Scalar(one), Self::Scalar(other)) => one.text == other.text,
            (Self::Sequence(one), Self::Sequence(other)) => {
                one.len() == other.len() && one.iter().zip(other).all(|(one, other)| one.is_same(other))
            }
            (Self::Mapping(one), Self::Mapping(other)) => {
                let mut pairs = one.iter().zip(other);
                one.len() == other.len() && pairs.all(|(one, other)| one.0 == other.0 && one.1.is_same(&other.1))
            }
            _ => false,
        }
    }

    /// How many nodes there are, this one and all below.
    pub(in crate::kustomize) fn size(&self) -> usize {
        1 + match self {
            Self::Mapping(entries) => entries.iter().map(|(_, value)| value.size()).sum(),
            Self::Sequence(items) => items.iter().map(Self::size).sum(),
            Self::Scalar(_) => 0,
        }
    }
}
