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
use std::collections::BTreeSet;

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
    let roots: BTreeSet<&RepoPath> = reached.iter().filter(|directory| graph.is_root(directory)).collect();
    for directory in &reached {
        if roots.contains(directory) {
            if !(options.ignored)(directory) {
                affected.units.insert(Unit::Kustomization((*directory).clone()));
            }
        } else if !leads_to_a_root(graph, directory) {
            affected.rings.extend(graph.kustomization(directory).map(|(_, file)| Place {
                path: file.clone(),
                line: 1,
                column: 1,
            }));
        }
    }
    for path in paths {
        if is_plain_manifest(tree, graph, options, path)? {
            affected.units.insert(Unit::Manifest(path.clone()));
        }
    }
    Ok(affected)
}

/// A component that nothing names deploys nothing; anything else that is consumed must end in a root, or it is part of a
/// ring.
fn leads_to_a_root(graph: &Graph, directory: &RepoPath) -> bool {
    let consumers = graph.reached_from([directory]);
    let is_component = |directory: &RepoPath| graph.kustomization(directory).is_some_and(|(k, _)| k.is_component);
    consumers.iter().chain([directory]).any(|d| graph.is_root(d) || (is_component(d) && !graph.is_consumed(d)))
}

/// Whether the file at `path` speaks for itself.
pub(super) fn is_plain_manifest(
    tree: &dyn Tree,
    graph: &Graph,
    options: &Options<'_>,
    path: &RepoPath,
) -> Result<bool, Error> {
    let is_hidden = || path.components().any(|name| name.starts_with(b"."));
    Ok(is_manifest_name(path)
        && !is_kustomization_name(path.file_name())
        && !is_hidden()
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
