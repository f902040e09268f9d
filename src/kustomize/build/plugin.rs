//! `generators`, `transformers` and `validators`: what kustomize has built in is done as the fields of a kustomization
//! are; anything else is a program that we do not run.
use super::{
    accumulate::Accumulator,
    builder::Work,
    document_of,
    fault::{Fault, Step},
    patch::name_of,
    replace::replacements,
    settings::Settings,
};
use crate::{
    image::Place,
    kustomize::{
        file::{Decoder, FieldSpec, Generator, Kustomization, Named, Patch, Refusal, each, named},
        object::{Gvk, Resource, Source, objects},
        transform::ImageEntry,
    },
    tree::RepoPath,
    yaml::{Node, Position},
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
