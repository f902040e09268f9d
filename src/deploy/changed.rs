//! What the new tree deploys and the old one did not.
use super::{
    affected::{affected, is_plain_manifest, with_target},
    diff::{Difference, differences},
    manifest::{Manifests, file_id, is_manifest_name},
    unit::{Images, Options, Site, Unit},
};
use crate::{
    image::{ImageUse, Place},
    kustomize::{Graph, Parsed, is_kustomization_name},
    tree::{Content, Entry, Error, RepoPath, Tree},
    verdict::Notice,
};
use std::collections::{BTreeSet, HashSet};

/// What a push changes about the images that are deployed.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    /// The uses of images that were not deployed before, in order of path and line.
    pub uses: Vec<ImageUse>,
    /// What could not be worked out in the units that the push touches.
    pub notices: Vec<Notice>,
}

/// What `new` deploys and `old` did not; all of it if there is no `old`. Images are compared by what would be pulled, so
/// moving one from place to place is no change.
pub fn changed(old: Option<&dyn Tree>, new: &dyn Tree, options: &Options<'_>) -> Result<Changes, Error> {
    let manifests = Manifests::new(options.file_limit);
    let mut differences = differences(old, new)?;
    let mut relevant = Vec::new();
    for difference in differences.drain(..) {
        if could_matter(old, new, &difference)? {
            relevant.push(difference);
        }
    }
    if relevant.is_empty() {
        return Ok(Changes::default());
    }
    let parsed = Parsed::default();
    let graph = Graph::read(new, &parsed)?;
    let mut paths = BTreeSet::new();
    for difference in &relevant {
        paths.extend(with_target(new, &difference.path, difference.new)?);
    }
    let is_changed = |path: &RepoPath| paths.contains(path);
    let site = Site { tree: new, graph: &graph, manifests: &manifests, options, is_changed: &is_changed };
    let reached = affected(new, &graph, options, &paths)?;
    let mut after = site.all_images(&reached.units)?;
    after.notices.extend(reached.rings.into_iter().map(ring));
    if let Some(old) = old {
        let before = images_before(old, &parsed, &manifests, options, &paths, &after.reads)?;
        let deployed: HashSet<String> = before.uses.iter().map(ImageUse::pulled).collect();
        after.uses.retain(|image| !deployed.contains(&image.pulled()));
    }
    after.uses.sort_by(|a, b| (&a.place, a).cmp(&(&b.place, b)));
    after.uses.dedup();
    after.notices.sort();
    after.notices.dedup();
    Ok(Changes { uses: after.uses, notices: after.notices })
}

impl Site<'_> {
    fn all_images(&self, units: &BTreeSet<Unit>) -> Result<Images, Error> {
        let mut all = Images::default();
        for unit in units {
            let images = self.images(unit)?;
            all.uses.extend(images.uses);
            all.notices.extend(images.notices);
            all.reads.extend(images.reads);
        }
        Ok(all)
    }
}

/// What the old tree deployed in the units that the changed paths reach, and through the files of which the new units are
/// made: a manifest that a new kustomization takes over was deployed before.
fn images_before(
    old: &dyn Tree,
    parsed: &Parsed,
    manifests: &Manifests,
    options: &Options<'_>,
    paths: &BTreeSet<RepoPath>,
    reads: &BTreeSet<RepoPath>,
) -> Result<Images, Error> {
    let graph = Graph::read(old, parsed)?;
    let mut units = affected(old, &graph, options, paths)?.units;
    units.extend(reads.iter().filter(|path| graph.is_root(path)).cloned().map(Unit::Kustomization));
    for path in reads {
        if is_plain_manifest(old, &graph, options, path)? {
            units.insert(Unit::Manifest(path.clone()));
        }
    }
    let site = Site { tree: old, graph: &graph, manifests, options, is_changed: &|_| false };
    site.all_images(&units)
}

/// Whether a difference could bear on what is deployed. A file whose name does not say so matters if it speaks of images:
/// kustomize takes manifests of any name.
fn could_matter(old: Option<&dyn Tree>, new: &dyn Tree, difference: &Difference) -> Result<bool, Error> {
    let Difference { path, old: before, new: after } = difference;
    if is_manifest_name(path) || is_kustomization_name(path.file_name()) {
        return Ok(true);
    }
    if matches!(before, Entry::Symlink(_)) || matches!(after, Entry::Symlink(_)) {
        return Ok(true);
    }
    let before = old.map_or(Ok(false), |old| speaks_of_images(old, *before))?;
    Ok(before || speaks_of_images(new, *after)?)
}

fn speaks_of_images(tree: &dyn Tree, entry: Entry) -> Result<bool, Error> {
    const LARGEST_ODD_NAME: u64 = 1 << 20;
    let Some(id) = file_id(entry) else { return Ok(false) };
    Ok(match tree.read(&id, LARGEST_ODD_NAME)? {
        Content::Bytes(bytes) => {
            let has = |word: &[u8]| bytes.windows(word.len()).any(|window| window == word);
            has(b"apiVersion") && (has(b"image") || has(b"ontainers"))
        }
        Content::TooLarge(_) => false,
    })
}

fn ring(place: Place) -> Notice {
    let message = "kustomize would not build this: kustomizations name one another in a ring".to_owned();
    Notice { code: "build-error", place, message }
}
