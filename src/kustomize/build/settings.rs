//! The built-in transformers of names, labels and counts, where they are configured by themselves.
use super::accumulate::Accumulator;
use crate::{
    kustomize::{
        file::{Decoder, FieldSpec, Named, Refusal, boolean, each, named, pairs, text},
        transform::{Config, add_pairs, add_prefix, add_suffix, replicate, set_namespace},
    },
    yaml::Node,
};

/// What the transformers of names and labels are told.
#[derive(Default)]
pub(super) struct Settings {
    namespace: String,
    unset_only: bool,
    prefix: String,
    suffix: String,
    labels: Vec<(String, String)>,
    annotations: Vec<(String, String)>,
    replica: Named,
    specs: Vec<FieldSpec>,
}

impl Settings {
    pub(super) fn decode(decoder: &Decoder<'_>, node: Node<'_>) -> Result<Self, Refusal> {
        let mut settings = Self::default();
        decoder.fields(node, |name, value| {
            match name {
                "metadata" => decoder.fields(value, |name, value| {
                    if name == "namespace" {
                        settings.namespace = text(value)?;
                    }
                    Ok(true)
                })?,
                "unsetonly" => settings.unset_only = boolean(value)?,
                "prefix" => settings.prefix = text(value)?,
                "suffix" => settings.suffix = text(value)?,
                "labels" => settings.labels = pairs(value)?,
                "annotations" => settings.annotations = pairs(value)?,
                "replica" => decoder.fields(value, |name, value| {
                    if name == "name" {
                        settings.replica = named(value)?;
                    }
                    Ok(true)
                })?,
                "fieldspecs" => settings.specs = each(value, |item| FieldSpec::decode(decoder, item))?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(settings)
    }

    /// Does what a transformer of this kind does.
    pub(super) fn apply(self, kind: &str, accumulator: &mut Accumulator) -> Result<(), String> {
        let resources = accumulator.resources.edit();
        let specs = self.specs;
        match kind {
            "NamespaceTransformer" if self.namespace.is_empty() => Ok(()),
            "NamespaceTransformer" => set_namespace(resources, &specs, &self.namespace, self.unset_only),
            "LabelTransformer" => add_pairs(resources, &self.labels, &specs),
            "AnnotationsTransformer" => add_pairs(resources, &self.annotations, &specs),
            "ReplicaCountTransformer" => {
                replicate(resources, &Config { replicas: specs, ..Config::default() }, &self.replica)
            }
            _ if specs.is_empty() => Err("it needs fieldSpecs".to_owned()),
            _ => {
                let config = Config { name_prefix: specs.clone(), name_suffix: specs, ..Config::default() };
                if !self.prefix.is_empty() {
                    add_prefix(resources, &config, &self.prefix)?;
                }
                if !self.suffix.is_empty() {
                    add_suffix(resources, &config, &self.suffix)?;
                }
                Ok(())
            }
        }
    }
}
