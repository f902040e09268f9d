//! Patches: whether one could touch an image. One that could taints what it is applied to; the others are passed over.
use super::value::{Named, string};
use crate::yaml::{self, Kind, Node, Position};
use std::collections::HashSet;

/// An entry of `patches`, `patchesStrategicMerge` or `patchesJson6902`.
#[derive(Clone, Debug)]
pub(super) struct PatchSource {
    /// The path of its file, or its text.
    pub(super) named: Named,
    /// Whether it is written in the kustomization itself.
    pub(super) is_inline: bool,
    pub(super) target: Target,
}

/// What a patch is applied to.
#[derive(Clone, Debug)]
pub(super) enum Target {
    /// The object whose kind and name it has.
    Own,
    /// Whatever its `target` selects, of this kind only if it says so. The patch's own kind then means nothing.
    Selected(Option<String>),
}

impl PatchSource {
    pub(super) fn read(field: &str, item: Node<'_>) -> Result<Self, (Position, String)> {
        if item.kind() == Kind::Mapping {
            let selected =
                |target: Node<'_>| Target::Selected(target.get("kind").and_then(Node::as_str).map(str::to_owned));
            let target =
                item.get("target").filter(|target| target.kind() == Kind::Mapping).map_or(Target::Own, selected);
            for (key, is_inline) in [("path", false), ("patch", true)] {
                let Some(value) = item.get(key) else { continue };
                if let Some(text) = string(value)?.filter(|text| !text.is_empty()) {
                    let named = Named { text: text.to_owned(), at: value.position() };
                    return Ok(Self { named, is_inline, target });
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
        let is_inline = named.text.contains('\n') || named.text.contains(": ");
        Ok(Self { named, is_inline, target: Target::Own })
    }

    pub(super) fn file(&self) -> Option<&Named> {
        (!self.is_inline).then_some(&self.named)
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
/// The groups and versions in which they are these kinds, and not some operator's.
const BUILT_IN: &[&str] = &["v1", "apps/v1", "batch/v1", "batch/v1beta1"];

/// Whether a patch of this text leaves every image as it is, and every container that has one. Not sure counts as no.
/// With `own_schema` the kustomization replaces the schema by which lists are merged.
pub(super) fn is_neutral(bytes: &[u8], target: &Target, own_schema: bool) -> bool {
    let stream = yaml::parse(bytes, &yaml::Limits::default());
    stream.errors.is_empty()
        && stream.documents.iter().all(|document| {
            let root = document.root();
            match root.kind() {
                Kind::Sequence => root.items().all(is_neutral_operation),
                Kind::Mapping => is_neutral_merge(root, !own_schema && merges_by_name(root, target)),
                Kind::Scalar => false,
            }
        })
}

fn merges_by_name(patch: Node<'_>, target: &Target) -> bool {
    match target {
        Target::Own => {
            let text = |key| patch.get(key).and_then(Node::as_str);
            text("apiVersion").is_none_or(|version| BUILT_IN.contains(&version))
                && text("kind").is_some_and(|kind| MERGED_BY_NAME.contains(&kind))
        }
        Target::Selected(kind) => kind.as_deref().is_some_and(|kind| MERGED_BY_NAME.contains(&kind)),
    }
}

/// A JSON6902 operation. Neutral is what neither names an image nor a container as a whole nor what holds them.
fn is_neutral_operation(operation: Node<'_>) -> bool {
    let text = |key| operation.get(key).and_then(Node::as_str);
    let (Some(op), Some(path)) = (text("op"), text("path")) else { return false };
    if !matches!(op, "add" | "replace" | "remove" | "test") || !path.starts_with('/') {
        return false;
    }
    let steps: Vec<&str> = path.split('/').skip(1).collect();
    let is_beside = match steps.iter().position(|step| LISTS.contains(step)) {
        // /…/containers/0/args/-: inside a container, beside its image.
        Some(list) => steps.get(list + 2).is_some_and(|field| *field != "image"),
        None => !steps.iter().all(|step| ON_THE_WAY.contains(step)) && !steps.contains(&"image"),
    };
    let pulls_as_before = steps.last().is_none_or(|field| !sets_never(field, operation.get("value")));
    is_beside && pulls_as_before && operation.get("value").is_none_or(|value| is_neutral_merge(value, false))
}

/// Whether a field says that an image is not pulled at all.
fn sets_never(field: &str, value: Option<Node<'_>>) -> bool {
    matches!(field, "imagePullPolicy" | "pullPolicy") && value.and_then(Node::as_str) == Some("Never")
}

/// A strategic merge patch: neutral unless it holds an image, a directive, an entry without a name, a null on the way, or
/// the word that an image is not to be pulled.
fn is_neutral_merge(root: Node<'_>, merged_by_name: bool) -> bool {
    let mut seen = HashSet::new();
    // Not by recursion: aliases can lead deeper than the text is nested.
    let mut ahead = vec![root];
    while let Some(node) = ahead.pop() {
        if !seen.insert(node.id()) {
            continue;
        }
        for (key, value) in node.entries() {
            if !key.as_str().is_some_and(|key| is_neutral_field(key, value, merged_by_name)) {
                return false;
            }
            ahead.push(value);
        }
        ahead.extend(node.items());
    }
    true
}

fn is_neutral_field(key: &str, value: Node<'_>, merged_by_name: bool) -> bool {
    let is_list = LISTS.contains(&key);
    let is_null = value.kind() == Kind::Scalar && value.as_str().is_none();
    let touches = key == "image" || key.starts_with('$') || sets_never(key, Some(value));
    let drops = is_null && (is_list || ON_THE_WAY.contains(&key));
    let replaces = is_list && !(merged_by_name && value.items().all(|item| item.get("name").is_some()));
    !touches && !drops && !replaces
}

#[cfg(test)]
mod tests {
    use super::{Target, is_neutral as is_neutral_for};

    fn is_neutral(patch: &[u8]) -> bool {
        is_neutral_for(patch, &Target::Own, false)
    }

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
            "kind: Deployment\nspec: {template: {spec: {containers: [{name: app, imagePullPolicy: Never}]}}}",
            "- {op: add, path: /spec/template/spec/containers/0/imagePullPolicy, value: Never}",
            "- {op: add, path: /spec/job, value: {containers: [{name: app, image: x:1}]}}",
            "apiVersion: batch.volcano.sh/v1alpha1\nkind: Job\nspec: {containers: [{name: app, args: [a]}]}",
        ] {
            assert!(!is_neutral(patch.as_bytes()), "{patch}");
        }
    }

    #[test]
    fn lists_are_merged_by_the_kind_of_what_is_patched_and_by_the_schema_in_force() {
        let patch = b"kind: Deployment\nspec: {template: {spec: {containers: [{name: app, args: [a]}]}}}";
        let target = |kind: Option<&str>| Target::Selected(kind.map(str::to_owned));
        assert!(is_neutral_for(patch, &target(Some("Deployment")), false));
        assert!(!is_neutral_for(patch, &target(Some("Rollout")), false));
        assert!(!is_neutral_for(patch, &target(None), false));
        assert!(!is_neutral_for(patch, &Target::Own, true));
    }

    #[test]
    fn aliases_may_lead_deeper_than_a_stack() {
        let mut patch = "kind: Deployment\nlast: 0\na0: &a0 {}\n".to_owned();
        for n in 1..20_000 {
            patch.push_str(&format!("a{n}: &a{n} {{k: *a{}}}\n", n - 1));
        }
        patch.push_str("last: *a19999\n");
        assert!(is_neutral(patch.as_bytes()));
    }
}
