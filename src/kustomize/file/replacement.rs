//! What an entry of `replacements` says.
use super::{
    decode::{Decoder, Named, Refusal, boolean, each, integer, is_null, named, string, text},
    selector::{Selector, take_id},
};
use crate::{
    kustomize::object::{Copier, Id, Scalar, Source},
    yaml::{Node, Position},
};

/// An entry of `replacements`: a file with more of them, or one.
#[derive(Clone, Debug, Default)]
pub(in crate::kustomize) struct Replacement {
    pub(in crate::kustomize) at: Option<Position>,
    pub(in crate::kustomize) path: Named,
    pub(in crate::kustomize) source: Option<ReplacementSource>,
    pub(in crate::kustomize) source_value: Option<Scalar>,
    pub(in crate::kustomize) targets: Option<Vec<ReplacementTarget>>,
}

/// Where the value comes from.
#[derive(Clone, Debug, Default)]
pub(in crate::kustomize) struct ReplacementSource {
    pub(in crate::kustomize) id: Id,
    pub(in crate::kustomize) field: String,
    pub(in crate::kustomize) options: FieldOptions,
}

/// Where it goes.
#[derive(Clone, Debug, Default)]
pub(in crate::kustomize) struct ReplacementTarget {
    pub(in crate::kustomize) select: Option<Selector>,
    pub(in crate::kustomize) reject: Vec<Selector>,
    pub(in crate::kustomize) fields: Vec<String>,
    pub(in crate::kustomize) options: FieldOptions,
}

/// Which part of a text is meant.
#[derive(Clone, Debug, Default)]
pub(in crate::kustomize) struct FieldOptions {
    pub(in crate::kustomize) delimiter: String,
    pub(in crate::kustomize) index: i64,
    pub(in crate::kustomize) create: bool,
}

impl FieldOptions {
    fn decode(decoder: &Decoder<'_>, node: Node<'_>) -> Result<Self, Refusal> {
        let mut options = Self::default();
        decoder.fields(node, |name, value| {
            match name {
                "delimiter" => options.delimiter = text(value)?,
                "index" => options.index = integer(value)?,
                "create" => options.create = boolean(value)?,
                "encoding" => drop(text(value)?),
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(options)
    }
}

impl Replacement {
    pub(in crate::kustomize) fn decode(decoder: &Decoder<'_>, node: Node<'_>) -> Result<Self, Refusal> {
        let mut replacement = Self { at: Some(node.position()), ..Self::default() };
        decoder.fields(node, |name, value| {
            match name {
                "path" => replacement.path = named(value)?,
                "source" if is_null(value) => replacement.source = None,
                "source" => replacement.source = Some(ReplacementSource::decode(decoder, value)?),
                // An empty string is a value here; only null is none.
                "sourcevalue" => {
                    let is_there = string(value)?.is_some();
                    let source = Source { step: "replacement", ..decoder.source.clone() };
                    let left = std::cell::Cell::new(0);
                    let copier = Copier::new(&source, &left);
                    replacement.source_value = is_there.then(|| copier.scalar(value, Some(&"sourceValue".into())));
                }
                "targets" if is_null(value) => replacement.targets = None,
                "targets" => {
                    let targets = each(value, |item| ReplacementTarget::decode(decoder, item))?;
                    replacement.targets = (!targets.is_empty()).then_some(targets);
                }
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(replacement)
    }
}

impl ReplacementSource {
    fn decode(decoder: &Decoder<'_>, node: Node<'_>) -> Result<Self, Refusal> {
        let mut source = Self::default();
        decoder.fields(node, |name, value| {
            match name {
                "fieldpath" => source.field = text(value)?,
                "options" => source.options = FieldOptions::decode(decoder, value)?,
                _ => return take_id(&mut source.id, name, value),
            }
            Ok(true)
        })?;
        Ok(source)
    }
}

impl ReplacementTarget {
    fn decode(decoder: &Decoder<'_>, node: Node<'_>) -> Result<Self, Refusal> {
        let mut target = Self::default();
        decoder.fields(node, |name, value| {
            match name {
                "select" if is_null(value) => target.select = None,
                "select" => target.select = Some(Selector::decode(decoder, value)?),
                "reject" => target.reject = each(value, |item| Selector::decode(decoder, item))?,
                "fieldpaths" => target.fields = each(value, text)?,
                "options" => target.options = FieldOptions::decode(decoder, value)?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(target)
    }
}
