//! Patches: whether one could touch an image. One that could taints what it is applied to; the others are passed over.
use super::file::{Named, string};
use crate::yaml::{self, Kind, Node, Position};
use std::collections::HashSet;

/// An entry of `patches`, `patchesStrategicMerge` or `patchesJson6902`.
#[derive(Clone, Debug)]
pub(super) enum PatchSource {
    /// In a file beside the kustomization.
    File(Named),
    /// In the kustomization itself.
    Inline(Named),
}

impl PatchSource {
    pub(super) fn read(field: &str, item: Node<'_>) -> Result<Self, (Position, String)> {
        if item.kind() == Kind::Mapping {
            for (key, make) in [("path", Self::File as fn(Named) -> Self), ("patch", Self::Inline)] {
                let Some(value) = item.get(key) else { continue };
                if let Some(text) = string(value)?.filter(|text| !text.is_empty()) {
                    return Ok(make(Named { text: text.to_owned(), at: value.position() }));
                }
            }
            return Err((item.position(), "a patch has neither path nor patch".to_owned()));
        }
        if !field.eq_ignore_ascii_case("patchesStrategicMerge") {
            return Err((item.position(), format!("an entry of {field} is not a mapping")));
        }
        let text = string(item)?.unwrap_or_default().to_owned();
        let named = Named { text, at: item.position() };
        // kustomize decides by trying the file first; a path has no line break and no `key: value`.
        Ok(if named.text.contains('\n') || named.text.contains(": ") { Self::Inline(named) } else { Self::File(named) })
    }

    pub(super) fn file(&self) -> Option<&Named> {
        match self {
            Self::File(named) => Some(named),
            Self::Inline(_) => None,
        }
    }

    pub(super) fn named(&self) -> &Named {
        match self {
            Self::File(named) | Self::Inline(named) => named,
        }
    }
}

/// The keys that lie on the way from an object to an image, or are one.
const ON_THE_WAY: &[&str] = &["spec", "template", "jobTemplate"];
const LISTS: &[&str] = &["containers", "initContainers", "ephemeralContainers", "volumes"];

/// Kinds whose container lists kustomize merges by name. In any other kind a patch replaces the whole list.
const MERGED_BY_NAME: &[&str] = &[
    "Pod",
    "Deployment",
    "StatefulSet",
    "DaemonSet",
    "ReplicaSet",
    "ReplicationController",
    "Job",
    "CronJob",
    "PodTemplate",
];

/// Whether a patch of this text leaves every image as it is, and every container that has one. Not sure counts as no.
pub(super) fn is_neutral(bytes: &[u8]) -> bool {
    let stream = yaml::parse(bytes, &yaml::Limits::default());
    stream.errors.is_empty()
        && stream.documents.iter().all(|document| {
            let root = document.root();
            match root.kind() {
                Kind::Sequence => root.items().all(is_neutral_operation),
                Kind::Mapping => {
                    let kind = root.get("kind").and_then(Node::as_str).unwrap_or_default();
                    is_neutral_merge(root, MERGED_BY_NAME.contains(&kind), &mut HashSet::new())
                }
                Kind::Scalar => false,
            }
        })
}

/// A JSON6902 operation. Neutral is what neither names an image nor a container as a whole nor what holds them.
fn is_neutral_operation(operation: Node<'_>) -> bool {
    let text = |key| operation.get(key).and_then(Node::as_str);
    let (Some(op), Some(path)) = (text("op"), text("path")) else { return false };
    if !matches!(op, "add" | "replace" | "remove" | "test") || !path.starts_with('/') {
        return false;
    }
    let steps: Vec<&str> = path.split('/').skip(1).collect();
    match steps.iter().position(|step| LISTS.contains(step)) {
        // /…/containers/0/args/-: inside a container, beside its image.
        Some(list) => steps.get(list + 2).is_some_and(|field| *field != "image"),
        None => !steps.iter().all(|step| ON_THE_WAY.contains(step)) && !steps.contains(&"image"),
    }
}

/// A strategic merge patch: neutral unless it holds an image, a directive, an entry without a name, or a null on the way.
fn is_neutral_merge(node: Node<'_>, merged_by_name: bool, seen: &mut HashSet<usize>) -> bool {
    if !seen.insert(node.id()) {
        return true;
    }
    node.entries().all(|(key, value)| {
        let Some(key) = key.as_str() else { return false };
        let on_the_way = ON_THE_WAY.contains(&key) || LISTS.contains(&key);
        if key == "image"
            || key.starts_with('$')
            || (on_the_way && value.kind() == Kind::Scalar && value.as_str().is_none())
        {
            return false;
        }
        let is_list = LISTS.contains(&key);
        if is_list && !merged_by_name {
            return false;
        }
        let entries_are_named = value.items().all(|item| !is_list || item.get("name").is_some());
        entries_are_named
            && value.items().all(|item| is_neutral_merge(item, merged_by_name, seen))
            && is_neutral_merge(value, merged_by_name, seen)
    })
}

#[cfg(test)]
mod tests {
    use super::is_neutral;

    #[test]
    fn patches_beside_an_image_are_neutral() {
        for patch in [
            "kind: Deployment\nspec: {replicas: 3}",
            "kind: Deployment\nspec: {template: {spec: {containers: [{name: app, resources: {limits: {cpu: 1}}}]}}}",
            "kind: Ingress\nspec: {rules: []}",
            "- {op: replace, path: /spec/replicas, value: 2}",
            "- {op: add, path: /spec/template/spec/containers/0/args/-, value: --x}",
            "- {op: add, path: /metadata/labels/a, value: b}",
            "kind: Deployment\nmetadata: {annotations: {a: null}}",
        ] {
            assert!(is_neutral(patch.as_bytes()), "{patch}");
        }
    }

    #[test]
    fn patches_that_could_touch_an_image_are_not() {
        for patch in [
            "kind: Deployment\nspec: {template: {spec: {containers: [{name: app, image: x:1}]}}}",
            "kind: Deployment\nspec: {template: {spec: {containers: [{args: [a]}]}}}",
            "kind: Rollout\nspec: {template: {spec: {containers: [{name: app, args: [a]}]}}}",
            "kind: Deployment\nspec: {template: null}",
            "kind: Deployment\n$patch: delete",
            "kind: Deployment\nspec: {template: {spec: {$patch: replace}}}",
            "- {op: replace, path: /spec/template/spec/containers/0/image, value: x:1}",
            "- {op: remove, path: /spec/template/spec/containers/1}",
            "- {op: replace, path: /spec, value: {}}",
            "- {op: move, from: /a, path: /b}",
            "{{ template }}",
            "a: [",
        ] {
            assert!(!is_neutral(patch.as_bytes()), "{patch}");
        }
    }
}
