//! What the new tree deploys and the old one did not.
use super::{
    affected::{affected, is_plain_manifest, with_target},
    diff::{Difference, differences},
    lines::Lines,
    manifest::{Manifests, is_manifest_name},
    unit::{BUDGET, Images, Options, Site, Unit},
};
use crate::{
    image::{Certainty, ImageUse, Place},
    kustomize::{self, Builder, Graph, Parsed, is_kustomization_name},
    tree::{Entry, Error, RepoPath, Tree},
    verdict::Notice,
};
use std::{
    cell::Cell,
    collections::{BTreeSet, HashSet},
};

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
    let mut differences = differences(old, new)?;
    differences.retain(|difference| !is_of_no_account(difference));
    if differences.is_empty() {
        return Ok(Changes::default());
    }
    let manifests = Manifests::new(options.file_limit);
    let parsed = Parsed::default();
    let graph = Graph::read(new, &parsed)?;
    let mut paths = BTreeSet::new();
    for difference in differences.iter().filter(|difference| could_matter(&graph, difference)) {
        paths.extend(with_target(new, &difference.path, difference.new)?);
    }
    let left = Cell::new(BUDGET);
    let builder = Builder::new(new, &parsed, kustomize::Options::default(), &left);
    let lines = Lines::new(old, new);
    let is_changed = |place: &Place| paths.contains(&place.path) && lines.are_new(place);
    let (tree, is_changed, left) = (new, &is_changed as &dyn Fn(&Place) -> bool, &left);
    let site = Site { tree, graph: &graph, manifests: &manifests, options, builder: &builder, is_changed, left };
    let reached = affected(new, &graph, options, &paths)?;
    let mut after = site.images_after(&reached.units, old)?;
    after.notices.extend(reached.rings.into_iter().map(ring));
    if let Some(old) = old.filter(|_| !after.uses.is_empty()) {
        let before = images_before(old, &parsed, &manifests, options, &paths, &after.paths)?;
        let deployed: HashSet<(String, Certainty)> = before.uses.iter().map(|u| (u.pulled(), u.certainty)).collect();
        // What was only likely to be deployed does not speak for what now certainly is.
        after.uses.retain(|image| {
            let (pulled, was) = (image.pulled(), [Certainty::Certain, image.certainty]);
            !was.into_iter().any(|certainty| deployed.contains(&(pulled.clone(), certainty)))
        });
    }
    after.uses.sort_by(|a, b| (&a.place, a).cmp(&(&b.place, b)));
    after.uses.dedup();
    after.notices.sort();
    after.notices.dedup();
    Ok(Changes { uses: after.uses, notices: after.notices })
}

impl Site<'_> {
    /// What the units deploy; one of which every look-up has the same answer in `old` deploys nothing new.
    fn images_after(&self, units: &BTreeSet<Unit>, old: Option<&dyn Tree>) -> Result<Images, Error> {
        let mut all = Images::default();
        for unit in units {
            let images = match unit {
                Unit::Manifest(path) => self.manifest(path)?,
                Unit::Kustomization(directory) => {
                    let (images, reads) = self.kustomization(directory)?;
                    match old {
                        Some(old) if reads.hold_in(old)? => continue,
                        _ => images,
                    }
                }
            };
            all.extend(images);
        }
        Ok(all)
    }

    fn images_of(&self, units: &BTreeSet<Unit>) -> Result<Images, Error> {
        let mut all = Images::default();
        for unit in units {
            all.extend(match unit {
                Unit::Manifest(path) => self.manifest(path)?,
                Unit::Kustomization(directory) => self.kustomization(directory)?.0,
            });
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
    let left = Cell::new(BUDGET);
    let builder = Builder::new(old, parsed, kustomize::Options::default(), &left);
    let (tree, graph, left, is_changed) = (old, &graph, &left, &|_: &Place| false);
    Site { tree, graph, manifests, options, builder: &builder, is_changed, left }.images_of(&units)
}

/// Whether a file's name says that it is prose, a picture or source code. kustomize takes manifests and patches of any
/// name, so whether another file matters only the graph of all kustomizations tells, and it takes its time.
fn is_of_no_account(Difference { path, old, new }: &Difference) -> bool {
    const ENDINGS: &[&str] = &[
        "md",
        "markdown",
        "rst",
        "adoc",
        "png",
        "jpg",
        "jpeg",
        "gif",
        "svg",
        "ico",
        "webp",
        "pdf",
        "go",
        "rs",
        "py",
        "rb",
        "js",
        "ts",
        "java",
        "kt",
        "c",
        "h",
        "cpp",
        "css",
        "html",
        "lock",
        "sum",
        "mod",
        "tf",
        "gitignore",
        "gitattributes",
        "editorconfig",
    ];
    const NAMES: &[&str] = &["LICENSE", "COPYING", "NOTICE", "CODEOWNERS", "README", "Makefile", "Dockerfile"];
    let is_link = |entry: &Entry| matches!(entry, Entry::Symlink(_));
    let name = path.file_name();
    let ending = name.rsplit(|&byte| byte == b'.').next().filter(|ending| ending.len() < name.len());
    let is_among = |list: &[&str], text: &[u8]| list.iter().any(|known| text.eq_ignore_ascii_case(known.as_bytes()));
    !is_link(old) && !is_link(new) && (is_among(NAMES, name) || ending.is_some_and(|ending| is_among(ENDINGS, ending)))
}

/// Whether a difference could bear on what is deployed: by its name, or because a kustomization names it. One that only
/// the old tree's kustomizations name is reached through their files, which differ then.
fn could_matter(graph: &Graph, Difference { path, old, new }: &Difference) -> bool {
    let is_link = |entry: &Entry| matches!(entry, Entry::Symlink(_));
    is_manifest_name(path)
        || is_kustomization_name(path.file_name())
        || graph.is_consumed(path)
        || is_link(old)
        || is_link(new)
}

fn ring(place: Place) -> Notice {
    let message = "kustomize would not build this: kustomizations name one another in a ring".to_owned();
    Notice { code: "build-error", place, message }
}
