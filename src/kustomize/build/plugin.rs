//! `generators`, `transformers` and `validators`: what kustomize has built in is done as the fields of a kustomization
//! are; anything else is a program that we do not run.
use super::{
    accumulate::Accumulator,
    builder::Work,
    document_of,
    fault::{Fault, Step},
    patch::name_of,
};
use crate::{
    image::Place,
    kustomize::{
        file::{
            Decoder, FieldSpec, Generator, Kustomization, Named, Patch, Refusal, Replacement, boolean, each, named,
            pairs, text,
        },
        object::{Gvk, Resource, Source, objects},
        transform::{
            Config, ImageEntry, Replaced, add_pairs, add_prefix, add_suffix, replace, replicate, set_namespace,
        },
    },
    tree::RepoPath,
    yaml::{self, Node, Position},
};

impl Work<'_, '_> {
    /// The configurations that a list names or holds.
    fn configurations(
        &mut self,
        entries: &[(Named, Source)],
        kustomization: &Kustomization,
        root: &RepoPath,
    ) -> Step<Accumulator> {
        let mut gathered = Accumulator::default();
        let mut paths = Vec::new();
        for (named, source) in entries {
            let place = self.place(kustomization, named.position());
            match objects(source, named.text.as_bytes(), self.builder.left) {
                Ok(inline) => self.append(inline, &place, &mut gathered)?,
                Err(_) => paths.push((named, place)),
            }
        }
        for (named, place) in paths {
            self.resource(root, &named.text, &place, &mut gathered)?;
        }
        Ok(gathered)
    }

    pub(super) fn external_generators(
        &mut self,
        kustomization: &Kustomization,
        root: &RepoPath,
        accumulator: &mut Accumulator,
    ) -> Step<()> {
        let [generators, ..] = &kustomization.plugins;
        let gathered = self.configurations(generators, kustomization, root)?;
        accumulator.is_partial |= gathered.is_partial;
        for resource in gathered.into_all() {
            let Gvk { kind, .. } = Gvk::of(&resource.node);
            let is_secret = kind == "SecretGenerator";
            if !is_built_in(&resource) || !matches!(&*kind, "ConfigMapGenerator" | "SecretGenerator") {
                self.refuse_plugin(&resource)?;
                accumulator.is_partial = true;
                let message = format!("what the generator {kind} makes is not worked out: it is not checked");
                self.notice("generator", resource.place.clone(), message);
                continue;
            }
            let mut generator = self.decode(&resource, |decoder, node| Generator::decode(decoder, node, is_secret))?;
            if generator.name.is_empty() {
                generator.name = name_of(&resource.node).to_owned();
            }
            let generated = self.generated(&generator, root, &resource.place)?;
            self.absorb(generated, &resource.place, accumulator)?;
        }
        Ok(())
    }

    /// `transformers`, then `validators`, which may look but not touch.
    pub(super) fn external(
        &mut self,
        kustomization: &Kustomization,
        root: &RepoPath,
        accumulator: &mut Accumulator,
    ) -> Step<()> {
        let [_, transformers, validators] = &kustomization.plugins;
        let gathered = self.configurations(transformers, kustomization, root)?;
        if gathered.is_partial {
            accumulator.doubt_all();
        }
        for resource in gathered.into_all() {
            self.run(&resource, root, accumulator)?;
        }
        for resource in self.configurations(validators, kustomization, root)?.into_all() {
            if !is_built_in(&resource) {
                self.refuse_plugin(&resource)?;
                continue;
            }
            let mut changed = accumulator.clone();
            self.run(&resource, root, &mut changed)?;
            let (before, after) = (accumulator.resources.all(), changed.resources.all());
            let is_same = |(one, other): (&Resource, &Resource)| one.node.is_same(&other.node);
            if before.len() != after.len() || !before.iter().zip(after).all(is_same) {
                return Err(Fault::refused(resource.place.clone(), "a validator changes an object").into());
            }
        }
        Ok(())
    }

    fn refuse_plugin(&self, resource: &Resource) -> Step<()> {
        if self.builder.options.is_plain {
            let why = format!("{} is a plugin, and plugins are not enabled", resource.id());
            return Err(Fault::refused(resource.place.clone(), why).into());
        }
        Ok(())
    }

    fn decode<T>(
        &self,
        resource: &Resource,
        decode: impl FnOnce(&Decoder<'_>, Node<'_>) -> Result<T, Refusal>,
    ) -> Step<T> {
        let source = Source::file(&std::rc::Rc::new(resource.place.path.clone()), "literal");
        let decoder = Decoder { source: &source, is_strict: false };
        let at = Position { line: resource.place.line, column: resource.place.column };
        let document = document_of(&resource.node, at)
            .ok_or_else(|| Fault::refused(resource.place.clone(), "the configuration is empty"))?;
        Ok(decode(&decoder, document.root()).map_err(|(at, why)| Fault::refused(source.place(at), why))?)
    }

    /// Runs one transformer.
    fn run(&mut self, resource: &Resource, root: &RepoPath, accumulator: &mut Accumulator) -> Step<()> {
        let place = &resource.place;
        let kind = Gvk::of(&resource.node).kind;
        if !is_built_in(resource) {
            self.refuse_plugin(resource)?;
            return self.doubt(&kind, place, accumulator);
        }
        let refuse = |why: String| Fault::refused(place.clone(), why);
        match &*kind {
            "ImageTagTransformer" => {
                let (entry, specs) = self.decode(resource, image_tag)?;
                self.images(&[entry], place, accumulator, Some(&specs))
            }
            "PatchTransformer" => {
                let patch = self.decode(resource, Patch::decode)?;
                self.patch(&patch, root, place, accumulator)
            }
            "PatchJson6902Transformer" => {
                let patch = self.decode(resource, Patch::decode)?;
                self.json_patch(&patch, root, place, accumulator)
            }
            "PatchStrategicMergeTransformer" => self.merge_transformer(resource, root, accumulator),
            "ReplacementTransformer" => {
                let all = self.decode(resource, replacements)?;
                self.replacements_at(place, root, &all, accumulator)
            }
            "HashTransformer" => Ok(()),
            "NamespaceTransformer"
            | "PrefixTransformer"
            | "SuffixTransformer"
            | "PrefixSuffixTransformer"
            | "LabelTransformer"
            | "AnnotationsTransformer"
            | "ReplicaCountTransformer" => {
                let settings = self.decode(resource, Settings::decode)?;
                settings.apply(&kind, accumulator).map_err(refuse)?;
                Ok(())
            }
            "ValueAddTransformer" => self.doubt(&kind, place, accumulator),
            _ => Err(refuse(format!("there is no transformer {kind}")).into()),
        }
    }

    fn doubt(&mut self, kind: &str, place: &Place, accumulator: &mut Accumulator) -> Step<()> {
        accumulator.doubt_all();
        accumulator.is_partial = true;
        let message = format!("what the transformer {kind} changes is not worked out: images here are only likely");
        self.notice("plugin", place.clone(), message);
        Ok(())
    }

    fn merge_transformer(&mut self, resource: &Resource, root: &RepoPath, accumulator: &mut Accumulator) -> Step<()> {
        let place = &resource.place;
        let (paths, inline) = self.decode(resource, |decoder, node| {
            let (mut paths, mut inline) = (Vec::new(), Named::default());
            decoder.fields(node, |name, value| {
                match name {
                    "paths" => paths = each(value, named)?,
                    "patches" => inline = named(value)?,
                    _ => return Ok(false),
                }
                Ok(true)
            })?;
            Ok((paths, inline))
        })?;
        let source = Source::file(&std::rc::Rc::new(place.path.clone()), "patch").within(place);
        let mut patches = Vec::new();
        for path in &paths {
            patches.extend(self.merge_patch_texts(path, &source, root, place)?);
        }
        if !inline.text.is_empty() {
            let read = objects(&source, inline.text.as_bytes(), self.builder.left);
            patches.extend(read.map_err(|fault| Fault::refused(source.place(fault.at), fault.why))?);
        }
        self.apply_merge_patches(patches, place, accumulator)
    }

    /// `replacements`.
    pub(super) fn replacements(
        &mut self,
        kustomization: &Kustomization,
        root: &RepoPath,
        all: &[Replacement],
        accumulator: &mut Accumulator,
    ) -> Step<()> {
        let start = self.place(kustomization, Position::START);
        self.replacements_at(&start, root, all, accumulator)
    }

    fn replacements_at(
        &mut self,
        start: &Place,
        root: &RepoPath,
        all: &[Replacement],
        accumulator: &mut Accumulator,
    ) -> Step<()> {
        let mut loaded: Vec<(Place, Replacement)> = Vec::new();
        for replacement in all {
            let at = replacement.at.unwrap_or(Position { line: start.line, column: start.column });
            let place = Place { line: at.line, column: at.column, ..start.clone() };
            if replacement.path.text.is_empty() {
                loaded.push((place, replacement.clone()));
            } else if replacement.source.is_some() || replacement.targets.as_ref().is_some_and(|all| !all.is_empty()) {
                return Err(Fault::refused(place, "a replacement has both a path and a source or targets").into());
            } else {
                loaded.extend(self.replacement_file(&replacement.path, root, &place)?);
            }
        }
        for (place, replacement) in loaded {
            self.spend(1 + accumulator.resources.all().len() as u64, &place)?;
            let are_all_known = !accumulator.is_partial;
            let replaced = replace(accumulator.resources.edit(), &replacement, are_all_known)
                .map_err(|why| Fault::refused(place.clone(), format!("a replacement fails: {why}")))?;
            if replaced == Replaced::Unknown {
                let message =
                    "the source of this replacement is not in this repository: images of its targets are only \
                               likely"
                        .to_owned();
                self.notice("remote-base", place, message);
            }
        }
        Ok(())
    }

    fn replacement_file(&mut self, path: &Named, root: &RepoPath, place: &Place) -> Step<Vec<(Place, Replacement)>> {
        let loaded = self.load_at(root, &path.text, place)?;
        let source = Source::file(&loaded.path, "literal");
        let decoder = Decoder { source: &source, is_strict: false };
        let stream = yaml::parse(&loaded.bytes, &yaml::Limits::default());
        let refuse = |at: Position, why: String| Fault::refused(source.place(at), why);
        if let Some(error) = stream.errors.first() {
            return Err(refuse(error.position, error.kind.to_string()).into());
        }
        let Some(document) = stream.documents.first() else {
            return Err(refuse(Position::START, "there is no replacement".to_owned()).into());
        };
        let root = document.root();
        let read = match root.kind() {
            yaml::Kind::Sequence => each(root, |item| Replacement::decode(&decoder, item)),
            yaml::Kind::Mapping => Replacement::decode(&decoder, root).map(|one| vec![one]),
            yaml::Kind::Scalar => Err((root.position(), "this is no replacement".to_owned())),
        };
        let read = read.map_err(|(at, why)| refuse(at, why))?;
        Ok(read.into_iter().map(|one| (source.place(one.at.unwrap_or(Position::START)), one)).collect())
    }
}

fn is_built_in(resource: &Resource) -> bool {
    let Gvk { group, version, .. } = Gvk::of(&resource.node);
    group.is_empty() && version == "builtin"
}

fn image_tag(decoder: &Decoder<'_>, node: Node<'_>) -> Result<(ImageEntry, Vec<FieldSpec>), Refusal> {
    let (mut entry, mut specs) = (ImageEntry::default(), Vec::new());
    decoder.fields(node, |name, value| {
        match name {
            "imagetag" => entry = ImageEntry::decode(decoder, value)?,
            "fieldspecs" => specs = each(value, |item| FieldSpec::decode(decoder, item))?,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    Ok((entry, specs))
}

fn replacements(decoder: &Decoder<'_>, node: Node<'_>) -> Result<Vec<Replacement>, Refusal> {
    let mut all = Vec::new();
    decoder.fields(node, |name, value| {
        if name == "replacements" {
            all = each(value, |item| Replacement::decode(decoder, item))?;
        }
        Ok(true)
    })?;
    Ok(all)
}

/// What the transformers of names and labels are told.
#[derive(Default)]
struct Settings {
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
    fn decode(decoder: &Decoder<'_>, node: Node<'_>) -> Result<Self, Refusal> {
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

    fn apply(self, kind: &str, accumulator: &mut Accumulator) -> Result<(), String> {
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
