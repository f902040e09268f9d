//! Which units a set of changed paths reaches.
use super::{
    manifest::{file_id, is_manifest_name},
    unit::{Options, Unit},
};
use crate::{
    image::Place,
    kustomize::{Graph, is_kustomization_name},
    tree::{Entry, Error, RepoPath, Tree, follow},
};
use std::collections::{BTreeMap, BTreeSet};

/// The units of one tree that the change reaches, and the kustomizations that form a ring without a root.
#[derive(Debug, Default)]
pub(super) struct Affected {
    pub(super) units: BTreeSet<Unit>,
    pub(super) rings: Vec<Place>,
}

/// The units of `tree` that any of `paths` goes into.
pub(super) fn affected(
    tree: &dyn Tree,
    graph: &Graph,
    options: &Options<'_>,
    paths: &BTreeSet<RepoPath>,
) -> Result<Affected, Error> {
    let mut affected = Affected::default();
    let reached = graph.reached_from(paths);
    let mut ringed: BTreeSet<&RepoPath> = reached.iter().collect();
    for directory in leading_to_an_end(graph, &reached) {
        ringed.remove(directory);
    }
    for directory in &reached {
        if graph.is_root(directory) && !(options.ignored)(directory) {
            affected.units.insert(Unit::Kustomization(directory.clone()));
        }
    }
    let files = ringed.into_iter().filter_map(|directory| graph.kustomization(directory));
    affected.rings.extend(files.map(|(_, file)| Place { path: file.clone(), line: 1, column: 1 }));
    for path in paths {
        if is_plain_manifest(tree, graph, options, path)? {
            affected.units.insert(Unit::Manifest(path.clone()));
        }
    }
    Ok(affected)
}

/// Of `reached`, which holds the consumers of everything in it, what goes into a root or into a component that nothing
/// names. The rest is part of a ring, or goes into one.
fn leading_to_an_end<'g>(graph: &'g Graph, reached: &'g BTreeSet<RepoPath>) -> BTreeSet<&'g RepoPath> {
    let mut parts: BTreeMap<&RepoPath, Vec<&RepoPath>> = BTreeMap::new();
    for directory in reached {
        for consumer in graph.consumers(directory) {
            parts.entry(consumer).or_default().push(directory);
        }
    }
    let is_end = |directory: &&RepoPath| !graph.is_consumed(directory);
    let mut ahead: Vec<&RepoPath> = reached.iter().filter(is_end).collect();
    let mut leading = BTreeSet::new();
    while let Some(directory) = ahead.pop() {
        if leading.insert(directory) {
            ahead.extend(parts.remove(directory).unwrap_or_default());
        }
    }
    leading
}

/// Whether the file at `path` speaks for itself.
pub(super) fn is_plain_manifest(
    tree: &dyn Tree,
    graph: &Graph,
    options: &Options<'_>,
    path: &RepoPath,
) -> Result<bool, Error> {
    Ok(is_manifest_name(path)
        && !is_kustomization_name(path.file_name())
        && !path.is_hidden()
        && !graph.is_consumed(path)
        && !(options.ignored)(path)
        && file_id(tree.lookup(path)?).is_some())
}

/// The paths that a change of the symbolic link `path` makes differ: the link, and the file behind it.
pub(super) fn with_target(tree: &dyn Tree, path: &RepoPath, entry: Entry) -> Result<Vec<RepoPath>, Error> {
    let mut paths = vec![path.clone()];
    if matches!(entry, Entry::Symlink(_)) {
        paths.push(follow(tree, path)?.0);
    }
    Ok(paths)
}
