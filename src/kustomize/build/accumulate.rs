//! The steps of one kustomization, in the order that kustomize keeps since 5.1 whatever the order in the file.
use super::{
    builder::Work,
    fault::{Fault, Step, Stop},
};
use crate::{
    image::Place,
    kustomize::{
        file::{Kustomization, Named},
        load,
        object::{Node, Resource, Resources, Source, check, objects},
        transform::{
            Config, ImageEntry, Vars, add_prefix, add_suffix, annotate, follow_references, label, replace_images,
            replicate, resolve_vars, set_namespace,
        },
    },
    tree::{Entry, RepoPath},
};
use std::rc::Rc;

/// What has been gathered so far: objects, and the rules and variables that go up with them.
#[derive(Clone, Debug)]
pub(super) struct Accumulator {
    pub(super) resources: Resources,
    pub(super) config: Rc<Config>,
    pub(super) vars: Vars,
    /// Whether there are objects that we do not see: of remote bases, charts, plugins.
    pub(super) is_partial: bool,
    /// How many values its objects have, at most.
    pub(super) nodes: u64,
}

impl Default for Accumulator {
    /// Empty, but for kustomize's own rules: every kustomization has them.
    fn default() -> Self {
        let (resources, vars) = (Resources::default(), Vars::default());
        Self { resources, config: Config::built_in(), vars, is_partial: false, nodes: 0 }
    }
}

/// How many objects one kustomization may have.
const MAX_OBJECTS: usize = 20_000;
/// How often one kustomization may use components: each use may lengthen every name, and two uses of two uses double.
const MAX_COMPONENTS: usize = 1_000;
/// How many values they may have together.
const MAX_NODES: u64 = 3_000_000;

impl Accumulator {
    pub(super) fn into_all(self) -> Vec<Resource> {
        self.resources.into_all()
    }

    /// How many values its objects have.
    pub(super) fn size(&self) -> u64 {
        self.resources.all().iter().map(|resource| resource.node.size() as u64).sum()
    }

    /// Whatever is there may have been changed.
    pub(super) fn doubt_all(&mut self) {
        for resource in self.resources.edit() {
            resource.is_doubtful = true;
        }
    }
}

/// Counts what an object has grown by since it had `before` values.
pub(super) fn grow(nodes: &mut u64, before: usize, object: &Node, place: &Place) -> Step<()> {
    *nodes += object.size().saturating_sub(before) as u64;
    if *nodes > MAX_NODES { Err(too_much(place)) } else { Ok(()) }
}

fn too_much(place: &Place) -> Stop {
    let message = format!(
        "it deploys more than {MAX_OBJECTS} objects, or {MAX_NODES} values: what is deployed here is not checked"
    );
    Stop::Fault(Fault { code: "budget-exceeded", place: place.clone(), message, is_of_the_way: false })
}

impl Work<'_, '_> {
    /// Does all that a kustomization says to `accumulator`: an empty one, or for a component that of its parent.
    pub(super) fn accumulate(
        &mut self,
        kustomization: &Kustomization,
        root: &RepoPath,
        accumulator: &mut Accumulator,
    ) -> Step<()> {
        for named in &kustomization.resources {
            let place = self.place(kustomization, named.position());
            self.resource(root, &named.text, &place, accumulator)?;
        }
        self.configure(kustomization, root, accumulator)?;
        self.generate(kustomization, root, accumulator)?;
        for named in &kustomization.components {
            self.component(kustomization, root, named, accumulator)?;
        }
        self.transform(kustomization, root, accumulator)?;
        for var in &kustomization.vars {
            let place = self.place(kustomization, var.name.position());
            self.look_over(1, accumulator, &place)?;
            let refuse = |why| Fault::refused(place.clone(), why);
            Vars::bind(accumulator.resources.edit(), var).map_err(refuse)?;
            accumulator.vars.add(&Rc::new(var.clone())).map_err(refuse)?;
        }
        Ok(())
    }

    /// An entry of `resources`: a file, or else a kustomization.
    pub(super) fn resource(
        &mut self,
        root: &RepoPath,
        text: &str,
        place: &Place,
        accumulator: &mut Accumulator,
    ) -> Step<()> {
        let located = load::locate(self.builder.tree, &mut self.reads, root, text)?;
        match located {
            Some((_, Entry::File(_))) => {
                let loaded = self.load_at(root, text, place)?;
                let source = Source::file(&loaded.path, "literal");
                let read = objects(&source, &loaded.bytes, self.builder.left);
                self.check_budget(place)?;
                let read = read.map_err(|fault| Fault::refused(source.place(fault.at), fault.why))?;
                self.append(read, place, accumulator)
            }
            _ if load::is_remote(text) => {
                accumulator.is_partial = true;
                let message = format!("{text} is not in this repository; what it deploys is not checked");
                self.notice("remote-base", place.clone(), message);
                Ok(())
            }
            Some((path, Entry::Directory(_))) => self.base(&path, text, place, accumulator),
            Some((_, Entry::Submodule(_))) => {
                accumulator.is_partial = true;
                let message = format!("{text} is a submodule; what it deploys is not checked");
                self.notice("submodule", place.clone(), message);
                Ok(())
            }
            None => Err(Fault::refused(place.clone(), format!("{text} lies outside the repository")).into()),
            Some(_) => Err(Fault::refused(place.clone(), format!("there is no {text}")).into()),
        }
    }

    fn base(&mut self, directory: &RepoPath, text: &str, place: &Place, accumulator: &mut Accumulator) -> Step<()> {
        let child = self.child(directory, text, place)?;
        let below = child.built.as_ref().map_err(|fault| Stop::Fault(fault.clone()))?;
        self.spend(below.resources.all().len() as u64, place)?;
        let refuse = |why: String| Fault::refused(place.clone(), why);
        Config::absorb(&mut accumulator.config, &below.config).map_err(refuse)?;
        accumulator.vars.absorb(&below.vars).map_err(refuse)?;
        accumulator.is_partial |= below.is_partial;
        self.append(below.resources.all().to_vec(), place, accumulator)
    }

    /// Adds objects that are named at `place`.
    pub(super) fn append(&mut self, more: Vec<Resource>, place: &Place, accumulator: &mut Accumulator) -> Step<()> {
        self.schema.meet(&more);
        accumulator.nodes += more.iter().map(|resource| resource.node.size() as u64).sum::<u64>();
        if accumulator.resources.all().len() + more.len() > MAX_OBJECTS || accumulator.nodes > MAX_NODES {
            return Err(too_much(place));
        }
        let double = |id| Fault::refused(place.clone(), format!("there are two objects {id}"));
        accumulator.resources.append(more).map_err(double)?;
        Ok(())
    }

    fn component(
        &mut self,
        kustomization: &Kustomization,
        root: &RepoPath,
        named: &Named,
        accumulator: &mut Accumulator,
    ) -> Step<()> {
        let (text, place) = (&named.text, self.place(kustomization, named.position()));
        if load::is_remote(text) {
            // Unlike a remote base, it works on what is already there.
            accumulator.doubt_all();
            accumulator.is_partial = true;
            self.notice(
                "remote-base",
                place,
                format!("{text} is not in this repository; it may change any image here"),
            );
            return Ok(());
        }
        match load::locate(self.builder.tree, &mut self.reads, root, text)? {
            Some((path, Entry::Directory(_))) => {
                self.enter(&path, text, &place)?;
                self.components += 1;
                if self.components > MAX_COMPONENTS {
                    let message = format!("components are used more than {MAX_COMPONENTS} times: it is not checked");
                    return Err(Fault { code: "budget-exceeded", place, message, is_of_the_way: false }.into());
                }
                self.directory(&path, text, &place, true, accumulator)
            }
            Some((_, Entry::Submodule(_))) => {
                accumulator.doubt_all();
                accumulator.is_partial = true;
                self.notice("submodule", place, format!("{text} is a submodule; it may change any image here"));
                Ok(())
            }
            _ => Err(Fault::refused(place, format!("there is no directory {text}")).into()),
        }
    }

    fn configure(&mut self, kustomization: &Kustomization, root: &RepoPath, accumulator: &mut Accumulator) -> Step<()> {
        let mut config = Config::built_in();
        for named in &kustomization.configurations {
            let loaded = self.load(kustomization, root, named)?;
            let source = Source::file(&loaded.path, "literal");
            let own =
                Config::parse(&source, &loaded.bytes).map_err(|(at, why)| Fault::refused(source.place(at), why))?;
            Config::absorb(&mut config, &Rc::new(own))
                .map_err(|why| Fault::refused(self.place(kustomization, named.position()), why))?;
        }
        // What a CRD's schema says of names and labels touches no image; but it must be there.
        for named in &kustomization.crds {
            self.load(kustomization, root, named)?;
        }
        let refuse = |why| Fault::refused(self.place(kustomization, crate::yaml::Position::START), why);
        Config::absorb(&mut accumulator.config, &config).map_err(refuse)?;
        Ok(())
    }

    /// The transformers, in kustomize's fixed order.
    fn transform(&mut self, kustomization: &Kustomization, root: &RepoPath, accumulator: &mut Accumulator) -> Step<()> {
        let start = self.place(kustomization, crate::yaml::Position::START);
        self.look_over(5 + kustomization.labels.len() + 4 * kustomization.replicas.len(), accumulator, &start)?;
        self.merge_patches(kustomization, root, accumulator)?;
        self.patches(kustomization, root, accumulator)?;
        self.rename(kustomization, accumulator)?;
        self.json_patches(kustomization, root, accumulator)?;
        for name in &kustomization.replicas {
            let place = self.place(kustomization, name.position());
            let Accumulator { resources, config, is_partial, .. } = accumulator;
            match replicate(resources.edit(), config, name) {
                Err(why) if !*is_partial => return Err(Fault::refused(place, why).into()),
                _ => {}
            }
        }
        if !kustomization.images.is_empty() {
            self.images(&kustomization.images, &start, accumulator, None)?;
        }
        self.replacements(kustomization, root, &kustomization.replacements, accumulator)?;
        self.external(kustomization, root, accumulator)
    }

    fn rename(&mut self, kustomization: &Kustomization, accumulator: &mut Accumulator) -> Step<()> {
        let Kustomization { namespace, name_prefix, name_suffix, .. } = kustomization;
        if [namespace, name_prefix, name_suffix].iter().any(|named| !named.text.is_empty()) {
            self.spend(accumulator.nodes, &self.place(kustomization, namespace.position()))?;
        }
        let Accumulator { resources, config, .. } = accumulator;
        let refuse = |named: &Named, why: String| Fault::refused(self.place(kustomization, named.position()), why);
        if !namespace.text.is_empty() {
            set_namespace(resources.edit(), &config.namespace, &namespace.text, false)
                .map_err(|why| refuse(namespace, why))?;
        }
        if !name_prefix.text.is_empty() {
            add_prefix(resources.edit(), config, &name_prefix.text).map_err(|why| refuse(name_prefix, why))?;
        }
        if !name_suffix.text.is_empty() {
            add_suffix(resources.edit(), config, &name_suffix.text).map_err(|why| refuse(name_suffix, why))?;
        }
        let Kustomization { labels, common_labels, common_annotations, .. } = kustomization;
        let start = Named::default();
        if !labels.is_empty() || !common_labels.is_empty() {
            label(resources.edit(), config, labels, common_labels).map_err(|why| refuse(&start, why))?;
        }
        if !common_annotations.is_empty() {
            annotate(resources.edit(), config, common_annotations).map_err(|why| refuse(&start, why))?;
        }
        Ok(())
    }

    /// Applies `images`, to the fields of `specs` or to those of the configuration.
    pub(super) fn images(
        &mut self,
        entries: &[ImageEntry],
        place: &Place,
        accumulator: &mut Accumulator,
        specs: Option<&[crate::kustomize::file::FieldSpec]>,
    ) -> Step<()> {
        let Accumulator { resources, config, is_partial, .. } = accumulator;
        entries.iter().for_each(|entry| entry.has_matched.set(false));
        let specs = specs.unwrap_or(&config.images);
        let depends = replace_images(resources.edit(), entries, specs, self.builder.left)
            .map_err(|why| Fault::refused(place.clone(), why))?;
        if depends {
            let message = "versions of kustomize differ on digests that are not sha256: images here are only likely";
            self.notice("version", place.clone(), message.to_owned());
        }
        self.check_budget(place)?;
        // What matches nothing that we see is meant for what we do not see.
        for entry in entries.iter().filter(|entry| *is_partial && !entry.has_matched.get()) {
            if let Some(image) = entry.alone() {
                let trace = image.origin.trace(&image.text);
                self.elsewhere.push((image.text.to_string(), trace));
            }
        }
        Ok(())
    }

    /// What is done at the very end, once for the whole build.
    pub(super) fn finish(&mut self, mut accumulator: Accumulator) -> Step<Accumulator> {
        let Accumulator { resources, config, vars, is_partial, .. } = &mut accumulator;
        let start = self.stack.first().cloned().unwrap_or_default();
        let start = Place { path: start, line: 1, column: 1 };
        resolve_vars(resources.edit(), vars, &config.var_reference, !*is_partial)
            .map_err(|why| Fault::refused(start.clone(), why))?;
        for resource in resources.all() {
            follow_references(resource).map_err(|why| Fault::refused(resource.place.clone(), why))?;
        }
        let all = resources.edit();
        // Patches can take from an object what makes it one.
        for resource in &*all {
            check(resource).map_err(|fault| Fault::refused(resource.place.clone(), fault.why))?;
        }
        all.retain(|resource| !resource.is_local_config());
        if let Some(binding) = all.iter().find(|resource| has_blank_namespace(&resource.node)) {
            return Err(Fault::refused(binding.place.clone(), "the namespace of a subject is blank").into());
        }
        if let Some((resource, flaw)) = all.iter().find_map(|resource| Some((resource, resource.flaw.clone()?))) {
            return Err(Fault::refused(resource.place.clone(), flaw).into());
        }
        self.check_ids(&start, &mut accumulator)?;
        Ok(accumulator)
    }
}

/// Whether kustomize stumbles over a RoleBinding when it looks for the accounts that it names.
fn has_blank_namespace(object: &Node) -> bool {
    let text = |node: &Node, key| node.get(key).and_then(Node::text).map(str::to_owned);
    let is_blank = |subject: &Node| {
        text(subject, "kind").as_deref() == Some("ServiceAccount")
            && subject.get("namespace").is_some_and(|namespace| namespace.text().is_none())
    };
    text(object, "kind").as_deref() == Some("RoleBinding")
        && object.get("subjects").is_some_and(|subjects| subjects.items().iter().any(is_blank))
}
