//! Units: the images of a kustomization or of a plain manifest file.
use super::manifest::{Found, MAX_NODES, Manifests, file_id, found, place};
use crate::{
    extract::Slot,
    image::{Certainty, ImageUse, Link, Place},
    kustomize::{Builder, Graph, Object, Reads, State, Trace},
    tree::{Error, RepoPath, Tree},
    verdict::Notice,
    yaml,
};
use std::{cell::Cell, collections::BTreeSet, fmt};

/// What the configuration says of the files of a tree.
pub struct Options<'o> {
    /// Whether a path is left out (`[files] ignore`).
    pub ignored: &'o dyn Fn(&RepoPath) -> bool,
    /// The largest manifest file that is read, in bytes.
    pub file_limit: u64,
}

impl fmt::Debug for Options<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options").field("file_limit", &self.file_limit).finish_non_exhaustive()
    }
}

/// A unit, by where it stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Unit {
    /// The kustomization in this directory.
    Kustomization(RepoPath),
    /// This manifest file.
    Manifest(RepoPath),
}

/// As `ImageUse::unit` has it.
impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kustomization(directory) if directory.is_root() => f.write_str("kustomization ."),
            Self::Kustomization(directory) => write!(f, "kustomization {directory}"),
            Self::Manifest(path) => write!(f, "manifest {path}"),
        }
    }
}

/// What a unit deploys in one tree.
#[derive(Debug, Default)]
pub(super) struct Images {
    pub(super) uses: Vec<ImageUse>,
    pub(super) notices: Vec<Notice>,
    /// Every path that was read or found missing on the way.
    pub(super) paths: BTreeSet<RepoPath>,
}

impl Images {
    pub(super) fn extend(&mut self, other: Self) {
        self.uses.extend(other.uses);
        self.notices.extend(other.notices);
        self.paths.extend(other.paths);
    }
}

/// One tree with all that is needed to build units in it.
pub(super) struct Site<'s> {
    pub(super) tree: &'s dyn Tree,
    pub(super) graph: &'s Graph,
    pub(super) manifests: &'s Manifests,
    pub(super) options: &'s Options<'s>,
    pub(super) builder: &'s Builder<'s>,
    /// Whether the push changes what stands at a place; a finding points there first.
    pub(super) is_changed: &'s dyn Fn(&Place) -> bool,
    /// What building may still cost: what the builder counts, and one for every image.
    pub(super) left: &'s Cell<u64>,
}

/// Some seconds' worth of building, and many times what the largest repositories need.
pub(super) const BUDGET: u64 = 100_000_000;

impl Site<'_> {
    /// The images of the kustomization in `directory`, and every look-up on the way.
    pub(super) fn kustomization(&self, directory: &RepoPath) -> Result<(Images, Reads), Error> {
        let build = self.builder.build(directory)?;
        let unit = Unit::Kustomization(directory.clone());
        let mut images =
            Images { paths: build.reads.paths().cloned().collect(), notices: build.notices, uses: Vec::new() };
        let mut left = MAX_NODES;
        for object in &build.objects {
            for named in found(&object.document, &mut left) {
                for slot in &named.slots {
                    images.uses.extend(self.built_use(&unit, object, &named, slot));
                }
            }
        }
        for (image, trace) in &build.elsewhere {
            images.uses.extend(self.elsewhere_use(&unit, image, trace));
        }
        Ok((images, build.reads))
    }

    /// The images of the manifest file at `path`.
    pub(super) fn manifest(&self, path: &RepoPath) -> Result<Images, Error> {
        let mut images = Images { paths: BTreeSet::from([path.clone()]), ..Images::default() };
        self.add_file(path, &mut images)?;
        // Beside a kustomization that does not name it, neither Flux nor Argo CD nor kubectl -k would deploy it. What is
        // in a chart deploys only with the chart.
        if path.parent().is_some_and(|directory| self.graph.has(&directory)) || self.is_in_chart(path)? {
            for image in &mut images.uses {
                image.certainty = Certainty::Likely;
            }
        }
        Ok(images)
    }

    /// Whether the file is one of the templates of a Helm chart.
    fn is_in_chart(&self, path: &RepoPath) -> Result<bool, Error> {
        let mut below = path.clone();
        while let Some(directory) = below.parent() {
            if below.file_name() == b"templates" && file_id(self.tree.lookup(&directory.join("Chart.yaml"))?).is_some()
            {
                return Ok(true);
            }
            below = directory;
        }
        Ok(false)
    }

    fn add_file(&self, path: &RepoPath, images: &mut Images) -> Result<(), Error> {
        let Some(id) = file_id(self.tree.lookup(path)?) else { return Ok(()) };
        if (self.options.ignored)(path) {
            return Ok(());
        }
        let manifest = self.manifests.read(self.tree, &id)?;
        let slots: usize = manifest.objects.iter().map(|object| object.slots.len()).sum();
        self.left.set(self.left.get().saturating_sub((slots + manifest.faults.len()) as u64));
        if self.left.get() == 0 {
            let place = place(path, yaml::Position::START);
            let unit = Unit::Manifest(path.clone());
            let message = format!("the push reaches more than can be worked out: {unit} is not checked");
            images.notices.push(Notice { code: "budget-exceeded", place, message });
            return Ok(());
        }
        for object in manifest.objects.iter().filter(|object| object.has_api_version) {
            images.uses.extend(object.slots.iter().map(|slot| plain_use(path, object, slot)));
        }
        for (at, code, why) in &manifest.faults {
            images.notices.push(Notice { code, place: place(path, *at), message: why.clone() });
        }
        Ok(())
    }

    /// The use of `slot` in an object of a build; `None` where nothing can be said of it, and for what the configuration
    /// leaves out.
    fn built_use(&self, unit: &Unit, object: &Object, named: &Found, slot: &Slot) -> Option<ImageUse> {
        let trace = object.trace(slot.node)?;
        let reference = &slot.reference;
        let is_explicit = trace.is_overridden() || (reference.contains('/') && reference.contains([':', '@']));
        let certainty = match object.state {
            State::Doubtful if !is_explicit => return None,
            State::Doubtful => Certainty::Likely,
            State::Exact => certainty(slot),
        };
        let here = Link { step: "literal", place: object.place.clone(), text: slot.text.clone() };
        let decisive = trace.decisive(reference, self.is_changed).unwrap_or(&here);
        let mut chain: Vec<Link> = trace.chain().cloned().collect();
        if chain.is_empty() {
            chain.push(here.clone());
        }
        (!(self.options.ignored)(&decisive.place.path)).then(|| ImageUse {
            reference: reference.clone(),
            place: decisive.place.clone(),
            text: decisive.text.clone(),
            certainty,
            form: slot.form,
            unit: unit.to_string(),
            object: named.title.clone(),
            field: slot.field.clone(),
            chain,
        })
    }

    /// An image that is set for an object that is not in the repository, if it is there at all.
    fn elsewhere_use(&self, unit: &Unit, image: &str, trace: &Trace) -> Option<ImageUse> {
        let decisive = trace.decisive(image, self.is_changed)?;
        (!(self.options.ignored)(&decisive.place.path)).then(|| ImageUse {
            reference: image.to_owned(),
            place: decisive.place.clone(),
            text: decisive.text.clone(),
            certainty: Certainty::Likely,
            form: "kustomize-images",
            unit: unit.to_string(),
            object: "object outside of the repository".to_owned(),
            field: "images".to_owned(),
            chain: trace.chain().cloned().collect(),
        })
    }
}

/// The use of `slot` in a manifest file.
fn plain_use(path: &RepoPath, object: &Found, slot: &Slot) -> ImageUse {
    let literal = Link { step: "literal", place: place(path, slot.at), text: slot.text.clone() };
    ImageUse {
        reference: slot.reference.clone(),
        place: literal.place.clone(),
        text: literal.text.clone(),
        certainty: certainty(slot),
        form: slot.form,
        unit: Unit::Manifest(path.clone()).to_string(),
        object: object.title.clone(),
        field: slot.field.clone(),
        chain: vec![literal],
    }
}

/// How sure it is that a cluster would pull it: a bare name without a tag is what placeholders look like.
fn certainty(slot: &Slot) -> Certainty {
    if slot.reference.contains(['/', ':', '@']) { slot.certainty } else { Certainty::Likely }
}
