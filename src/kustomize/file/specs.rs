//! What the fields of a kustomization say: patches, replacements, generators, labels, variables.
use super::{
    decode::{Decoder, Named, Refusal, boolean, each, is_null, named, names, pairs, string, text},
    selector::{Selector, set_api_version, take_id},
};
use crate::{
    kustomize::object::{Behavior, Gvk, Id, Origin, Scalar, Source},
    yaml::{Node, Position},
};

/// An entry of `patches` or `patchesJson6902`.
#[derive(Clone, Debug)]
pub(in crate::kustomize) struct Patch {
    pub(in crate::kustomize) at: Position,
    pub(in crate::kustomize) path: Named,
    /// The text written in the kustomization itself, and where.
    pub(in crate::kustomize) inline: Option<(String, Source)>,
    pub(in crate::kustomize) target: Option<Selector>,
    pub(in crate::kustomize) may_change_name: bool,
    pub(in crate::kustomize) may_change_kind: bool,
}

impl Patch {
    pub(in crate::kustomize) fn decode(decoder: &Decoder<'_>, node: Node<'_>) -> Result<Self, Refusal> {
        let mut patch = Self {
            at: node.position(),
            path: Named::default(),
            inline: None,
            target: None,
            may_change_name: false,
            may_change_kind: false,
        };
        decoder.fields(node, |name, value| {
            match name {
                "path" => patch.path = named(value)?,
                "patch" | "jsonop" => {
                    let text = text(value)?;
                    let source = Source::scalar(&decoder.source.file, value, "patch");
                    patch.inline = (!text.trim().is_empty()).then_some((text, source));
                }
                "target" => {
                    let is_there = !is_null(value);
                    patch.target = is_there.then(|| Selector::decode(decoder, value)).transpose()?;
                }
                "options" => decoder.fields(value, |name, value| {
                    match name {
                        "allownamechange" => patch.may_change_name = boolean(value)?,
                        "allowkindchange" => patch.may_change_kind = boolean(value)?,
                        _ => return Ok(false),
                    }
                    Ok(true)
                })?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(patch)
    }
}

/// An entry of `vars`.
#[derive(Clone, Debug, Default)]
pub(in crate::kustomize) struct Var {
    pub(in crate::kustomize) name: Named,
    pub(in crate::kustomize) object: Id,
    pub(in crate::kustomize) field: String,
}

impl Var {
    pub(in crate::kustomize) fn decode(decoder: &Decoder<'_>, node: Node<'_>) -> Result<Self, Refusal> {
        let mut var = Self::default();
        let mut api_version = String::new();
        decoder.fields(node, |name, value| {
            match name {
                "name" => var.name = named(value)?,
                "objref" => decoder.fields(value, |name, value| match name {
                    "apiversion" => text(value).map(|text| api_version = text).map(|()| true),
                    _ => take_id(&mut var.object, name, value),
                })?,
                "fieldref" => decoder.fields(value, |name, value| match name {
                    "fieldpath" => text(value).map(|text| var.field = text).map(|()| true),
                    _ => Ok(false),
                })?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        set_api_version(&mut var.object, &api_version);
        Ok(var)
    }
}

/// An entry of `labels`.
#[derive(Clone, Debug, Default)]
pub(in crate::kustomize) struct Labels {
    pub(in crate::kustomize) pairs: Vec<(String, String)>,
    pub(in crate::kustomize) in_selectors: bool,
    pub(in crate::kustomize) in_templates: bool,
    pub(in crate::kustomize) fields: Vec<FieldSpec>,
}

impl Labels {
    pub(in crate::kustomize) fn decode(decoder: &Decoder<'_>, node: Node<'_>) -> Result<Self, Refusal> {
        let mut labels = Self::default();
        decoder.fields(node, |name, value| {
            match name {
                "pairs" => labels.pairs = pairs(value)?,
                "includeselectors" => labels.in_selectors = boolean(value)?,
                "includetemplates" => labels.in_templates = boolean(value)?,
                "includevolumeclaimtemplates" => drop(boolean(value)?),
                "fields" => labels.fields = each(value, |item| FieldSpec::decode(decoder, item))?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(labels)
    }
}

/// A field of some kinds of objects, by its path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::kustomize) struct FieldSpec {
    pub(in crate::kustomize) gvk: Gvk,
    pub(in crate::kustomize) path: String,
    pub(in crate::kustomize) create: bool,
}

impl FieldSpec {
    pub(in crate::kustomize) fn decode(decoder: &Decoder<'_>, node: Node<'_>) -> Result<Self, Refusal> {
        let mut spec = Self::default();
        decoder.fields(node, |name, value| {
            match name {
                "group" => spec.gvk.group = text(value)?,
                "version" => spec.gvk.version = text(value)?,
                "kind" => spec.gvk.kind = text(value)?,
                "path" => spec.path = text(value)?,
                "create" => spec.create = boolean(value)?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(spec)
    }
}

/// An entry of `configMapGenerator` or `secretGenerator`.
#[derive(Clone, Debug, Default)]
pub(in crate::kustomize) struct Generator {
    pub(in crate::kustomize) at: Option<Position>,
    pub(in crate::kustomize) is_secret: bool,
    pub(in crate::kustomize) name: String,
    pub(in crate::kustomize) namespace: String,
    pub(in crate::kustomize) behavior: Behavior,
    pub(in crate::kustomize) literals: Vec<Scalar>,
    pub(in crate::kustomize) files: Vec<Named>,
    pub(in crate::kustomize) envs: Vec<Named>,
    pub(in crate::kustomize) secret_type: String,
    pub(in crate::kustomize) options: GeneratorOptions,
}

/// The `options` of a generator, and `generatorOptions` for all of them.
#[derive(Clone, Debug, Default)]
pub(in crate::kustomize) struct GeneratorOptions {
    pub(in crate::kustomize) labels: Vec<(String, String)>,
    pub(in crate::kustomize) annotations: Vec<(String, String)>,
}

impl GeneratorOptions {
    pub(in crate::kustomize) fn decode(decoder: &Decoder<'_>, node: Node<'_>) -> Result<Self, Refusal> {
        let mut options = Self::default();
        decoder.fields(node, |name, value| {
            match name {
                "labels" => options.labels = pairs(value)?,
                "annotations" => options.annotations = pairs(value)?,
                "disablenamesuffixhash" | "immutable" => drop(boolean(value)?),
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(options)
    }
}

impl Generator {
    pub(in crate::kustomize) fn decode(
        decoder: &Decoder<'_>,
        node: Node<'_>,
        is_secret: bool,
    ) -> Result<Self, Refusal> {
        let mut generator = Self { at: Some(node.position()), is_secret, ..Self::default() };
        decoder.fields(node, |name, value| {
            match name {
                "name" => generator.name = text(value)?,
                "namespace" => generator.namespace = text(value)?,
                "behavior" => {
                    generator.behavior = match &*text(value)? {
                        "replace" => Behavior::Replace,
                        "merge" => Behavior::Merge,
                        _ => Behavior::Create,
                    }
                }
                "literals" => {
                    let literal = |item| Ok(decoder.scalar("literals", item)?.unwrap_or_else(empty));
                    generator.literals = each(value, literal)?;
                }
                "files" => generator.files = names(value)?,
                "envs" => generator.envs = names(value)?,
                "env" => generator.envs.extend(string(value)?.map(|_| named(value)).transpose()?),
                "type" if is_secret => generator.secret_type = text(value)?,
                "options" => generator.options = GeneratorOptions::decode(decoder, value)?,
                // What a generator that is a document of its own says beside.
                "apiversion" | "kind" | "metadata" if !decoder.is_strict => {}
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(generator)
    }
}

fn empty() -> Scalar {
    Scalar::string("", Origin::Nowhere)
}
