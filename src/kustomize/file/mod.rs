//! A kustomization file, read as strictly as kustomize reads it, with the place of everything that matters.
mod decode;
mod replacement;
mod selector;
mod specs;

pub(super) use decode::{Decoder, Named, Refusal, boolean, each, named, pairs, text};
pub(super) use replacement::{FieldOptions, Replacement, ReplacementSource, ReplacementTarget};
pub(super) use selector::Selector;
pub(super) use specs::{FieldSpec, Generator, GeneratorOptions, Labels, Patch, Var};

use super::{object::Source, transform::ImageEntry};
use crate::{
    tree::RepoPath,
    yaml::{self, Kind, Node, Position},
};
use decode::{in_order, integer, is_null, list, names, string};
use std::{collections::HashSet, rc::Rc};

/// The names that make a directory a kustomization, in the order in which kustomize looks for them.
pub(super) const FILE_NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// Whether a file of this name makes its directory a kustomization.
pub fn is_kustomization_name(name: &[u8]) -> bool {
    FILE_NAMES.iter().any(|known| known.as_bytes() == name)
}

/// A kustomization file.
#[derive(Clone, Debug, Default)]
pub struct Kustomization {
    /// Whether it is a Component, which works on the kustomization that names it and deploys nothing alone.
    pub is_component: bool,
    pub(super) file: Rc<RepoPath>,
    /// `resources` and `bases`, in the order in which kustomize loads them.
    pub(super) resources: Vec<Named>,
    pub(super) components: Vec<Named>,
    pub(super) configurations: Vec<Named>,
    pub(super) crds: Vec<Named>,
    pub(super) openapi: OpenApi,
    pub(super) namespace: Named,
    pub(super) name_prefix: Named,
    pub(super) name_suffix: Named,
    pub(super) labels: Vec<Labels>,
    pub(super) common_labels: Vec<(String, String)>,
    pub(super) common_annotations: Vec<(String, String)>,
    pub(super) replicas: Vec<Named>,
    pub(super) images: Vec<ImageEntry>,
    pub(super) patches: Vec<Patch>,
    pub(super) json_patches: Vec<Patch>,
    /// `patchesStrategicMerge`: each a path, or a patch, and where it is written.
    pub(super) merge_patches: Vec<(Named, Source)>,
    pub(super) replacements: Vec<Replacement>,
    pub(super) vars: Vec<Var>,
    pub(super) generators: Vec<Generator>,
    pub(super) charts: Option<Position>,
    /// `generators`, `transformers` and `validators`: each a path, or the configuration itself.
    pub(super) plugins: [Vec<(Named, Source)>; 3],
    /// Why kustomize would refuse it.
    pub(super) refused: Option<Refusal>,
    /// Other paths that it names: files of charts and of what is configured in place.
    mentions: Vec<String>,
}

/// What `openapi` says.
#[derive(Clone, Debug, Default)]
pub(super) struct OpenApi {
    pub(super) path: Option<Named>,
    pub(super) version: Option<Named>,
}

impl Kustomization {
    /// Reads `bytes`, which stand at `path`. What kustomize would refuse is kept as the reason, with as much of the rest
    /// as could be read.
    pub(super) fn parse(path: &RepoPath, bytes: &[u8]) -> Self {
        let mut read = Self { file: Rc::new(path.clone()), ..Self::default() };
        let stream = yaml::parse(bytes, &yaml::Limits::default());
        if let Some(error) = stream.errors.first() {
            read.refused = Some((error.position, format!("it does not parse: {error}")));
        }
        let Some(document) = stream.documents.first() else {
            read.refused.get_or_insert((Position::START, "it is empty".to_owned()));
            return read;
        };
        let root = document.root();
        if root.kind() != Kind::Mapping {
            read.refused.get_or_insert((root.position(), "it is not a mapping".to_owned()));
            return read;
        }
        for refusal in [read.take_type(root), read.take_fields(root)] {
            if let Err(refusal) = refusal {
                read.refused.get_or_insert(refusal);
            }
        }
        read
    }

    /// In place of a file that is not read.
    pub(super) fn unread(why: String) -> Self {
        Self { refused: Some((Position::START, why)), ..Self::default() }
    }

    fn take_type(&mut self, root: Node<'_>) -> Result<(), Refusal> {
        let (mut kind, mut version) = (None, None);
        let mut is_bare = true;
        for (key, value) in root.entries() {
            match &*key.scalar().map_or("", |scalar| scalar.text).to_lowercase() {
                "kind" => kind = string(value)?.filter(|kind| !kind.is_empty()),
                "apiversion" => version = string(value)?.filter(|version| !version.is_empty()),
                _ => is_bare &= is_null(value) || value.as_str() == Some(""),
            }
        }
        self.is_component = kind == Some("Component");
        if kind.is_some_and(|kind| !matches!(kind, "Component" | "Kustomization")) {
            return Err((root.position(), format!("its kind is {}", kind.unwrap_or_default())));
        }
        let wanted = if self.is_component { "v1alpha1" } else { "v1beta1" };
        if version.is_some_and(|version| version.strip_prefix("kustomize.config.k8s.io/") != Some(wanted)) {
            return Err((root.position(), format!("its apiVersion is not kustomize.config.k8s.io/{wanted}")));
        }
        if is_bare { Err((root.position(), "it is empty".to_owned())) } else { Ok(()) }
    }

    /// Every field, however many of them are wrong; the first refusal.
    fn take_fields(&mut self, root: Node<'_>) -> Result<(), Refusal> {
        let source = Source::file(&self.file, "literal");
        let decoder = Decoder { source: &source, is_strict: true };
        let mut options = GeneratorOptions::default();
        let mut bases = Vec::new();
        let mut tags = Vec::new();
        let mut refused = None;
        for (key, value) in in_order(root) {
            let name = key.scalar().map_or("", |scalar| scalar.text);
            let taken = match &*name.to_lowercase() {
                "bases" => names(value).map(|names| bases = names),
                "imagetags" => each(value, |item| ImageEntry::decode(&decoder, item)).map(|all| tags = all),
                "generatoroptions" => GeneratorOptions::decode(&decoder, value).map(|read| options = read),
                lower => self.take_field(&decoder, lower, value).and_then(|is_known| {
                    let unknown = || (key.position(), format!("kustomize knows no field \"{name}\""));
                    is_known.then_some(()).ok_or_else(unknown)
                }),
            };
            refused = refused.or(taken.err());
        }
        // kustomize appends `bases` to `resources`, whichever stands first in the file.
        self.resources.append(&mut bases);
        self.images.append(&mut tags);
        // A generator's own options come first.
        for generator in &mut self.generators {
            for (own, all) in [
                (&mut generator.options.labels, &options.labels),
                (&mut generator.options.annotations, &options.annotations),
            ] {
                own.extend(
                    all.iter().filter(|(key, _)| own.iter().all(|(own, _)| own != key)).cloned().collect::<Vec<_>>(),
                );
            }
        }
        refused.map_or(Ok(()), Err)
    }

    fn take_field(&mut self, decoder: &Decoder<'_>, name: &str, value: Node<'_>) -> Result<bool, Refusal> {
        match name {
            "apiversion" | "kind" => {}
            "metadata" => decoder.fields(value, |name, value| match name {
                "name" | "namespace" => string(value).map(|_| true),
                "labels" | "annotations" => pairs(value).map(|_| true),
                _ => Ok(false),
            })?,
            "resources" => self.resources = names(value)?,
            "components" => self.components = names(value)?,
            "configurations" => self.configurations = names(value)?,
            "crds" => self.crds = names(value)?,
            "openapi" => self.openapi = OpenApi::decode(value)?,
            "namespace" => self.namespace = named(value)?,
            "nameprefix" => self.name_prefix = named(value)?,
            "namesuffix" => self.name_suffix = named(value)?,
            "labels" => self.labels = each(value, |item| Labels::decode(decoder, item))?,
            "commonlabels" => self.common_labels = pairs(value)?,
            "commonannotations" => self.common_annotations = pairs(value)?,
            "replicas" => self.replicas = each(value, |item| replica(decoder, item))?,
            "images" => self.images = each(value, |item| ImageEntry::decode(decoder, item))?,
            "patches" => self.patches = each(value, |item| Patch::decode(decoder, item))?,
            "patchesjson6902" => self.json_patches = each(value, |item| Patch::decode(decoder, item))?,
            "patchesstrategicmerge" => self.merge_patches = self.texts(value, "patch")?,
            "replacements" => self.replacements = each(value, |item| Replacement::decode(decoder, item))?,
            "vars" => self.vars = each(value, |item| Var::decode(decoder, item))?,
            "configmapgenerator" | "secretgenerator" => {
                let is_secret = name == "secretgenerator";
                self.generators.extend(each(value, |item| Generator::decode(decoder, item, is_secret))?);
                // kustomize runs those of ConfigMaps first.
                self.generators.sort_by_key(|generator| generator.is_secret);
            }
            "helmcharts" | "helmchartinflationgenerator" => {
                if list(value)?.next().is_some() {
                    self.charts = Some(value.position());
                }
                mentioned(value, true, &mut self.mentions);
            }
            "generators" => self.plugins[0] = self.configured(value)?,
            "transformers" => self.plugins[1] = self.configured(value)?,
            "validators" => self.plugins[2] = self.configured(value)?,
            "buildmetadata" => drop(names(value)?),
            "helmglobals" | "sortoptions" => {}
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Strings that may be paths or texts in their own right.
    fn texts(&self, value: Node<'_>, step: &'static str) -> Result<Vec<(Named, Source)>, Refusal> {
        each(value, |item| Ok((named(item)?, Source::scalar(&self.file, item, step))))
    }

    fn configured(&mut self, value: Node<'_>) -> Result<Vec<(Named, Source)>, Refusal> {
        let texts = self.texts(value, "literal")?;
        for (inline, _) in texts.iter().filter(|(text, _)| is_inline(&text.text)) {
            let stream = yaml::parse(inline.text.as_bytes(), &yaml::Limits::default());
            stream.documents.iter().for_each(|document| mentioned(document.root(), false, &mut self.mentions));
        }
        Ok(texts)
    }

    /// Every path that it names.
    pub(super) fn paths(&self) -> impl Iterator<Item = &str> {
        let texts = self.merge_patches.iter().chain(self.plugins.iter().flatten()).map(|(text, _)| text);
        let patches = self.patches.iter().chain(&self.json_patches).map(|patch| &patch.path);
        let replacements = self.replacements.iter().map(|replacement| &replacement.path);
        let envs = self.generators.iter().flat_map(|generator| &generator.envs);
        let files = self.generators.iter().flat_map(|generator| &generator.files);
        let lists = [&self.resources, &self.components, &self.configurations, &self.crds];
        let named =
            lists.into_iter().flatten().chain(patches).chain(replacements).chain(envs).chain(&self.openapi.path);
        let named = named.chain(texts.filter(|text| !is_inline(&text.text))).map(|named| named.text.as_str());
        let files = files.map(|named| named.text.rsplit_once('=').map_or(named.text.as_str(), |(_, path)| path));
        named.chain(files).chain(self.mentions.iter().map(String::as_str)).filter(|path| !path.is_empty())
    }
}

impl OpenApi {
    fn decode(value: Node<'_>) -> Result<Self, Refusal> {
        let mut openapi = Self::default();
        pairs(value)?;
        for (key, value) in value.entries() {
            match key.as_str() {
                Some("path") => openapi.path = Some(named(value)?),
                Some("version") => openapi.version = Some(named(value)?),
                _ => {}
            }
        }
        Ok(openapi)
    }
}

/// The name of an entry of `replicas`.
fn replica(decoder: &Decoder<'_>, node: Node<'_>) -> Result<Named, Refusal> {
    let mut replica = Named { text: String::new(), at: Some(node.position()) };
    decoder.fields(node, |name, value| {
        match name {
            "name" => replica.text = text(value)?,
            "count" => drop(integer(value)?),
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    Ok(replica)
}

/// Whether the text is no path but what a path would lead to: a path has no line break and no `key: value`.
fn is_inline(text: &str) -> bool {
    text.contains('\n') || text.contains(": ")
}

/// Keys under which generators, transformers and charts name files.
const FILE_KEYS: &[&str] = &["path", "paths", "files", "env", "envs", "valuesFile", "additionalValuesFiles"];

/// The files that a field names: what a generator or transformer reads is consumed, and does not speak for itself. An
/// item of the field's own list is a file if `names_files`, and what stands under one of [`FILE_KEYS`]; `key=path` of a
/// generator is `path`.
fn mentioned(field: Node<'_>, names_files: bool, mentions: &mut Vec<String>) {
    let mut seen = HashSet::new();
    let mut ahead = vec![(field, names_files)];
    while let Some((node, names_files)) = ahead.pop() {
        match node.kind() {
            // An alias may lead here twice, once as a file and once not.
            _ if !seen.insert((node.id(), names_files)) => {}
            Kind::Mapping => {
                let is_file = |key: Node<'_>| key.as_str().is_some_and(|key| FILE_KEYS.contains(&key));
                ahead.extend(node.entries().map(|(key, value)| (value, is_file(key))));
            }
            Kind::Sequence => ahead.extend(node.items().map(|item| (item, names_files))),
            Kind::Scalar if names_files => {
                let text = node.as_str().unwrap_or_default();
                let name = text.rsplit_once('=').map_or(text, |(_, path)| path);
                // An inline transformer is a whole document, and no name.
                if !name.is_empty() && name.len() < 4096 && !name.contains('\n') {
                    mentions.push(name.to_owned());
                }
            }
            Kind::Scalar => {}
        }
    }
}
