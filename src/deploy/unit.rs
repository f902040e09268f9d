//! Units: the images of a kustomization or of a plain manifest file.
use super::manifest::{Found, Manifests, file_id, place};
use crate::{
    extract::Slot,
    image::{Certainty, ImageUse, Link, Place},
    kustomize::{self, FileUse, Graph, Image, Restraint},
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
    pub(super) reads: BTreeSet<RepoPath>,
}

/// One tree with all that is needed to build units in it.
pub(super) struct Site<'s> {
    pub(super) tree: &'s dyn Tree,
    pub(super) graph: &'s Graph,
    pub(super) manifests: &'s Manifests,
    pub(super) options: &'s Options<'s>,
    /// Whether a path is one that the push changes; a finding points there first.
    pub(super) is_changed: &'s dyn Fn(&RepoPath) -> bool,
    /// What building may still cost: what [`kustomize::build`] counts, and one for every entry of `images:` that an image
    /// is held against.
    pub(super) left: Cell<u64>,
}

/// Some seconds' worth of building, and many times what the largest repositories need.
const BUDGET: u64 = 50_000_000;

impl<'s> Site<'s> {
    pub(super) fn new(
        tree: &'s dyn Tree,
        graph: &'s Graph,
        manifests: &'s Manifests,
        options: &'s Options<'s>,
        is_changed: &'s dyn Fn(&RepoPath) -> bool,
    ) -> Self {
        Self { tree, graph, manifests, options, is_changed, left: Cell::new(BUDGET) }
    }

    /// The images of `unit`.
    pub(super) fn images(&self, unit: &Unit) -> Result<Images, Error> {
        match unit {
            Unit::Kustomization(directory) => self.kustomization(unit, directory),
            Unit::Manifest(path) => self.manifest(unit, path),
        }
    }

    fn kustomization(&self, unit: &Unit, directory: &RepoPath) -> Result<Images, Error> {
        let build = kustomize::build(self.tree, self.graph, directory, &self.left)?;
        let mut images = Images { reads: build.reads, notices: build.notices, uses: Vec::new() };
        for file in &build.files {
            self.add_file(unit, file, &mut images)?;
        }
        Ok(images)
    }

    fn manifest(&self, unit: &Unit, path: &RepoPath) -> Result<Images, Error> {
        let mut images = Images { reads: BTreeSet::from([path.clone()]), ..Images::default() };
        let file = FileUse { path: path.clone(), layers: Vec::new(), restraint: Restraint::Exact };
        self.add_file(unit, &file, &mut images)?;
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

    fn add_file(&self, unit: &Unit, file: &FileUse, images: &mut Images) -> Result<(), Error> {
        let Some(id) = file_id(self.tree.lookup(&file.path)?) else { return Ok(()) };
        if (self.options.ignored)(&file.path) {
            return Ok(());
        }
        let manifest = self.manifests.read(self.tree, &id)?;
        let entries: usize = file.layers.iter().map(|layer| 1 + layer.cost()).sum();
        let slots: usize = manifest.objects.iter().map(|object| object.slots.len()).sum();
        if !kustomize::spend(&self.left, slots * (1 + entries) + manifest.faults.len()) {
            let place = place(&file.path, yaml::Position::START);
            let message = format!("the push reaches more than can be worked out: {unit} is not checked");
            images.notices.push(Notice { code: "budget-exceeded", place, message });
            return Ok(());
        }
        let is_plain = matches!(unit, Unit::Manifest(_));
        let deploys = |object: &&Found| if is_plain { object.has_api_version } else { !object.is_local };
        for object in manifest.objects.iter().filter(deploys) {
            images.uses.extend(object.slots.iter().filter_map(|slot| self.image_use(unit, file, object, slot)));
        }
        for (at, code, why) in &manifest.faults {
            images.notices.push(Notice { code, place: place(&file.path, *at), message: why.clone() });
        }
        Ok(())
    }

    /// The use of `slot` in a file of a unit; `None` for what a tainted build cannot say anything of, and for what the
    /// configuration leaves out.
    fn image_use(&self, unit: &Unit, file: &FileUse, object: &Found, slot: &Slot) -> Option<ImageUse> {
        let literal = Link { step: "literal", place: place(&file.path, slot.at), text: slot.text.clone() };
        let mut image = Image::literal(&slot.reference, literal);
        for layer in &file.layers {
            layer.apply(&mut image, &slot.path);
        }
        let reference = image.text();
        let is_explicit = image.is_overridden() || (reference.contains('/') && reference.contains([':', '@']));
        let certainty = match file.restraint {
            Restraint::Tainted if !is_explicit => return None,
            Restraint::Tainted => Certainty::Likely,
            // A bare name without a tag is what placeholders look like.
            Restraint::Exact if !reference.contains(['/', ':', '@']) => Certainty::Likely,
            Restraint::Exact => slot.certainty,
        };
        let decisive = image.decisive(|place: &Place| (self.is_changed)(&place.path));
        (!(self.options.ignored)(&decisive.place.path)).then(|| ImageUse {
            reference,
            place: decisive.place.clone(),
            text: decisive.text.clone(),
            certainty,
            form: slot.form,
            unit: unit.to_string(),
            object: object.title.clone(),
            field: slot.field.clone(),
            chain: image.chain().to_vec(),
        })
    }
}
