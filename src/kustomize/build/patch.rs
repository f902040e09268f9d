//! Patches of all three kinds: which objects they are for, and what is done to them.
use super::{
    accumulate::{Accumulator, grow},
    builder::Work,
    fault::{Fault, Step},
};
use crate::{
    image::Place,
    kustomize::{
        file::{Kustomization, Named, Patch, Selector},
        object::{Id, Malformed, Node, Resource, Source, meta_text, objects, of_one_text},
        transform::{JsonPatch, merge},
    },
    tree::RepoPath,
    yaml::Position,
};

/// What may change besides the content.
#[derive(Clone, Copy, Default)]
pub(super) struct Freedom {
    pub(super) name: bool,
    pub(super) kind: bool,
}

/// A text and where it stands.
pub(super) struct Text {
    pub(super) bytes: Vec<u8>,
    pub(super) source: Source,
}

impl Work<'_, '_> {
    /// `patchesStrategicMerge`: each entry is a patch, or else the path of a file with patches.
    pub(super) fn merge_patches(
        &mut self,
        kustomization: &Kustomization,
        root: &RepoPath,
        accumulator: &mut Accumulator,
    ) -> Step<()> {
        if kustomization.merge_patches.is_empty() {
            return Ok(());
        }
        let mut patches = Vec::new();
        for (named, source) in &kustomization.merge_patches {
            let place = self.place(kustomization, named.position());
            patches.extend(self.merge_patch_texts(named, source, root, &place)?);
        }
        let place = self.place(kustomization, Position::START);
        self.apply_merge_patches(patches, &place, accumulator)
    }

    /// The patches of one entry.
    pub(super) fn merge_patch_texts(
        &mut self,
        named: &Named,
        source: &Source,
        root: &RepoPath,
        place: &Place,
    ) -> Step<Vec<Resource>> {
        if let Ok(patches) = objects(source, named.text.as_bytes(), self.builder.left) {
            return Ok(patches);
        }
        let loaded = self.load_at(root, &named.text, place)?;
        let source = Source::file(&loaded.path, "patch");
        let patches = objects(&source, &loaded.bytes, self.builder.left);
        self.check_budget(place)?;
        Ok(patches.map_err(|fault| Fault::refused(source.place(fault.at), fault.why))?)
    }

    /// Applies them, each to the one object that it names.
    pub(super) fn apply_merge_patches(
        &mut self,
        patches: Vec<Resource>,
        place: &Place,
        accumulator: &mut Accumulator,
    ) -> Step<()> {
        if patches.is_empty() {
            return Err(Fault::refused(place.clone(), "the patch is empty").into());
        }
        for patch in patches {
            self.look_over(2, accumulator, place)?;
            if let Some(index) = self.target_of(&patch, accumulator)? {
                self.merge_into(index, &patch, true, Freedom::default(), accumulator)?;
                self.check_ids(&patch.place, accumulator)?;
            }
        }
        Ok(())
    }

    /// The object that a patch names; `None` if it may be one that we do not see, or if there is none. kustomize refuses
    /// to build that. But a patch that is left over changes no image, so what the objects hold is known all the same.
    fn target_of(&mut self, patch: &Resource, accumulator: &mut Accumulator) -> Step<Option<usize>> {
        let wanted: Id = patch.original_id();
        let all = accumulator.resources.all().iter().enumerate();
        let mut found = all.filter(|(_, resource)| resource.ids().iter().any(|id| wanted.equals(id)));
        let why = match (found.next(), found.next()) {
            (Some((index, _)), None) => return Ok(Some(index)),
            (None, _) if accumulator.is_partial => return Ok(None),
            (None, _) if !self.builder.options.is_plain => {
                let message = format!("kustomize would not build this: there is no {wanted} to patch");
                self.notice("build-error", patch.place.clone(), message);
                if may_set_images(&patch.node) {
                    accumulator.doubt_all();
                }
                return Ok(None);
            }
            (None, _) => format!("there is no {wanted} to patch"),
            (Some(_), Some(_)) => format!("more than one object is or was {wanted}, which is to be patched"),
        };
        Err(Fault::refused(patch.place.clone(), why).into())
    }

    /// kustomize looks whether two objects have become the same.
    pub(super) fn check_ids(&self, place: &Place, accumulator: &mut Accumulator) -> Step<()> {
        let mut seen = crate::kustomize::object::Resources::default();
        let all = std::mem::take(accumulator.resources.edit());
        let double = |id| Fault::refused(place.clone(), format!("there are now two objects {id}"));
        seen.append(all).map_err(double)?;
        accumulator.resources = seen;
        Ok(())
    }

    /// Merges a patch into the object at `index`; takes the object away if the patch deletes it.
    fn merge_into(
        &mut self,
        index: usize,
        patch: &Resource,
        takes_kind: bool,
        freedom: Freedom,
        accumulator: &mut Accumulator,
    ) -> Step<()> {
        let (resources, nodes) = (accumulator.resources.edit(), &mut accumulator.nodes);
        let Some(resource) = resources.get_mut(index) else { return Ok(()) };
        let size = resource.node.size();
        self.spend((size + patch.node.size()) as u64, &patch.place)?;
        let before = resource.id();
        let mut text = (*patch.node).clone();
        if takes_kind {
            text.remove("apiVersion");
            if let Some(version) = resource.node.get("apiVersion") {
                text.set("apiVersion", version.clone());
            }
        }
        if freedom.name || freedom.kind {
            resource.remember_id();
        }
        if !self.builder.options.is_plain && self.schema.hides(&before.gvk) {
            resource.is_doubtful = true;
            let message =
                "the schema of openapi hides what Kubernetes says of this kind, in some versions: the images \
                           of what is patched here are only likely"
                    .to_owned();
            self.notice("openapi", patch.place.clone(), message);
        }
        let schema = self.schema.schema();
        let merged = merge(std::mem::replace(resource.edit(), Node::null()), &text, &schema)
            .map_err(|why| Fault::refused(patch.place.clone(), why))?;
        let Some(merged) = merged.filter(|merged| !merged.is_empty()) else {
            resources.remove(index);
            return Ok(());
        };
        grow(nodes, size, &merged, &patch.place)?;
        *resource.edit() = merged;
        if !freedom.kind {
            resource.edit().set("kind", Node::string(before.gvk.kind.as_str()));
        }
        if !freedom.name {
            resource.set_meta("name", &before.name);
        }
        if before.namespace.is_empty() {
            resource.edit().get_mut("metadata").and_then(|metadata| metadata.remove("namespace"));
        } else {
            resource.set_meta("namespace", &before.namespace);
        }
        Ok(())
    }

    /// `patches`: strategic merge or JSON, whichever the text is.
    pub(super) fn patches(
        &mut self,
        kustomization: &Kustomization,
        root: &RepoPath,
        accumulator: &mut Accumulator,
    ) -> Step<()> {
        for patch in &kustomization.patches {
            let place = self.place(kustomization, patch.at);
            self.patch(patch, root, &place, accumulator)?;
        }
        Ok(())
    }

    /// One entry of `patches`.
    pub(super) fn patch(
        &mut self,
        patch: &Patch,
        root: &RepoPath,
        place: &Place,
        accumulator: &mut Accumulator,
    ) -> Step<()> {
        let text = self.text_of(patch, root, place)?;
        let left = self.builder.left;
        let as_merge = objects(&text.source, &text.bytes, left);
        let as_json = json_patch(&text, left);
        self.check_budget(place)?;
        match (as_merge, as_json) {
            (Ok(patches), _) if patches.is_empty() => Ok(()),
            (Ok(patches), _) => self.merge_all(&patches, patch, place, accumulator),
            (Err(_), Ok(operations)) => {
                let Some(target) = &patch.target else {
                    return Err(Fault::refused(place.clone(), "a JSON patch needs a target").into());
                };
                self.apply_json(&operations, target, true, place, accumulator)
            }
            (Err(Malformed { at, why }), Err(_)) => {
                let why = format!("this is neither a strategic merge patch ({why}) nor a JSON patch");
                Err(Fault::refused(text.source.place(at), why).into())
            }
        }
    }

    fn text_of(&mut self, patch: &Patch, root: &RepoPath, place: &Place) -> Step<Text> {
        match (&patch.inline, patch.path.text.is_empty()) {
            (None, true) => Err(Fault::refused(place.clone(), "a patch has neither path nor patch").into()),
            (Some(_), false) => Err(Fault::refused(place.clone(), "a patch has both path and patch").into()),
            (Some((text, source)), true) => Ok(Text { bytes: text.clone().into_bytes(), source: source.clone() }),
            (None, false) => {
                let place =
                    Place { line: patch.path.position().line, column: patch.path.position().column, ..place.clone() };
                let loaded = self.load_at(root, &patch.path.text, &place)?;
                Ok(Text { source: Source::file(&loaded.path, "patch"), bytes: loaded.bytes })
            }
        }
    }

    fn merge_all(
        &mut self,
        patches: &[Resource],
        patch: &Patch,
        place: &Place,
        accumulator: &mut Accumulator,
    ) -> Step<()> {
        let freedom = Freedom { name: patch.may_change_name, kind: patch.may_change_kind };
        let Some(target) = &patch.target else {
            for one in patches {
                self.look_over(1, accumulator, place)?;
                if let Some(index) = self.target_of(one, accumulator)? {
                    self.merge_into(index, one, false, freedom, accumulator)?;
                }
            }
            return Ok(());
        };
        self.look_over(2, accumulator, place)?;
        let [one] = patches else {
            return Err(Fault::refused(place.clone(), "only one patch can have a target").into());
        };
        let refuse = |why| Fault::refused(place.clone(), why);
        let selected = target.select(accumulator.resources.all()).map_err(refuse)?;
        // From the end, because one that is deleted moves those behind it.
        for index in selected.into_iter().rev() {
            self.merge_into(index, one, true, freedom, accumulator)?;
        }
        self.check_ids(place, accumulator)
    }

    /// Applies a JSON patch to all objects that the target selects.
    fn apply_json(
        &mut self,
        patch: &JsonPatch,
        target: &Selector,
        remembers: bool,
        place: &Place,
        accumulator: &mut Accumulator,
    ) -> Step<()> {
        self.look_over(1, accumulator, place)?;
        let refuse = |why: String| Fault::refused(place.clone(), why);
        let selected = target.select(accumulator.resources.all()).map_err(refuse)?;
        let (resources, nodes) = (accumulator.resources.edit(), &mut accumulator.nodes);
        for index in selected {
            let Some(resource) = resources.get_mut(index) else { continue };
            if remembers {
                resource.remember_id();
            }
            let size = resource.node.size();
            self.spend(size as u64, place)?;
            // It becomes JSON on the way, which a key that stands twice does not survive.
            if let Some(flaw) = &resource.flaw {
                return Err(Fault::refused(resource.place.clone(), flaw).into());
            }
            // kustomize keeps former names in annotations, so that there are some once a name has changed.
            let has_marks = !resource.earlier.is_empty();
            if has_marks {
                resource.edit().mapping_at("metadata").and_then(|metadata| metadata.mapping_at("annotations"));
            }
            patch.apply(resource.edit(), self.builder.left).map_err(refuse)?;
            grow(nodes, size, &resource.node, place)?;
            if has_marks
                && let Some(metadata) = resource.edit().get_mut("metadata")
                && metadata.get("annotations").is_some_and(Node::is_empty)
            {
                metadata.remove("annotations");
            }
            self.check_budget(place)?;
        }
        Ok(())
    }

    /// `patchesJson6902`.
    pub(super) fn json_patches(
        &mut self,
        kustomization: &Kustomization,
        root: &RepoPath,
        accumulator: &mut Accumulator,
    ) -> Step<()> {
        for patch in &kustomization.json_patches {
            let place = self.place(kustomization, patch.at);
            self.json_patch(patch, root, &place, accumulator)?;
        }
        Ok(())
    }

    /// One entry of `patchesJson6902`.
    pub(super) fn json_patch(
        &mut self,
        patch: &Patch,
        root: &RepoPath,
        place: &Place,
        accumulator: &mut Accumulator,
    ) -> Step<()> {
        let Some(target) = patch.target.as_ref().filter(|target| target.has_name()) else {
            return Err(Fault::refused(place.clone(), "a JSON patch needs a target with a name").into());
        };
        let text = self.text_of(patch, root, place)?;
        let operations = json_patch(&text, self.builder.left);
        self.check_budget(place)?;
        let operations = operations.map_err(|fault| Fault::refused(text.source.place(fault.at), fault.why))?;
        if operations.is_empty() {
            return Err(Fault::refused(place.clone(), "the patch is empty").into());
        }
        self.apply_json(&operations, target, false, place, accumulator)
    }
}

/// Whether a patch speaks of images, or of what holds them.
fn may_set_images(patch: &Node) -> bool {
    let is_of_images =
        |key: &str| key.starts_with('$') || matches!(key, "image" | "containers" | "initContainers" | "volumes");
    patch.entries().iter().any(|(key, value)| is_of_images(key) || may_set_images(value))
        || patch.items().iter().any(may_set_images)
}

/// Reads a JSON patch. One that begins with a bracket must be JSON; anything else may be YAML.
fn json_patch(text: &Text, left: &std::cell::Cell<u64>) -> Result<JsonPatch, Malformed> {
    let bytes = &text.bytes;
    let is_json = bytes.trim_ascii_start().starts_with(b"[");
    if is_json && serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_err() {
        return Err(Malformed { at: Position::START, why: "this begins like JSON and is none".to_owned() });
    }
    of_one_text(left, |left| JsonPatch::parse(&text.source, bytes, left))
}

/// The name of a configuration that is an object.
pub(super) fn name_of(node: &Node) -> &str {
    meta_text(node, "name").unwrap_or_default()
}
