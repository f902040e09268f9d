//! `namespace`, `namePrefix` and `nameSuffix`: what they make of the ids by which patches and replacements select.
use super::fields::{Config, Missing, apply, for_each};
use crate::kustomize::{
    file::FieldSpec,
    object::{Gvk, Node, Resource, Scalar},
};

/// What `namespace` does; kustomize refuses it if two objects are the same then.
pub(in crate::kustomize) fn set_namespace(
    resources: &mut [Resource],
    specs: &[FieldSpec],
    namespace: &str,
    unset_only: bool,
) -> Result<(), String> {
    for resource in resources.iter_mut() {
        resource.remember_id();
        let gvk = Gvk::of(&resource.node);
        let is_core = resource.node.get("apiVersion").and_then(Node::text) == Some("v1");
        let mut set = |node: &mut Node| set_text(node, namespace, unset_only);
        if !gvk.is_cluster_scoped() {
            let spec = FieldSpec { path: "metadata/namespace".to_owned(), create: true, ..FieldSpec::default() };
            apply(resource.edit(), &spec, Missing::Scalar, &mut set)?;
        }
        let is_binding = matches!(&*gvk.kind, "RoleBinding" | "ClusterRoleBinding");
        // kustomize never lets a field spec set the namespace itself, and the name of a Namespace only in the core group.
        let applies = |spec: &&FieldSpec| {
            spec.path != "metadata/namespace"
                && (spec.path != "metadata/name" || is_core)
                && !(is_binding && spec.path == "subjects/namespace")
        };
        let specs: Vec<FieldSpec> = specs.iter().filter(applies).cloned().collect();
        for_each(resource.edit(), &specs, Missing::Scalar, &mut set)?;
    }
    let mut seen = std::collections::HashSet::new();
    for resource in resources.iter() {
        let id = resource.id();
        if !seen.insert((id.gvk.clone(), id.name.clone(), id.effective_namespace().to_owned())) {
            return Err(format!("in the namespace {namespace}, two objects are {id}"));
        }
    }
    Ok(())
}

fn set_text(node: &mut Node, text: &str, unset_only: bool) -> Result<(), String> {
    let Node::Scalar(old) = &*node else { return Err("kustomize wants a text here".to_owned()) };
    if !unset_only || old.is_null() || old.text.is_empty() {
        *node = Node::Scalar(Scalar::string(text, old.origin.clone()));
    }
    Ok(())
}

/// The kinds whose names kustomize leaves as they are.
fn keeps_its_name(gvk: &Gvk) -> bool {
    match &*gvk.kind {
        "CustomResourceDefinition" | "Namespace" => true,
        "APIService" => gvk.group == "apiregistration.k8s.io",
        _ => false,
    }
}

/// What `namePrefix` does.
pub(in crate::kustomize) fn add_prefix(
    resources: &mut [Resource],
    config: &Config,
    prefix: &str,
) -> Result<(), String> {
    rename(resources, &config.name_prefix, &|name| format!("{prefix}{name}"))
}

/// What `nameSuffix` does.
pub(in crate::kustomize) fn add_suffix(
    resources: &mut [Resource],
    config: &Config,
    suffix: &str,
) -> Result<(), String> {
    rename(resources, &config.name_suffix, &|name| format!("{name}{suffix}"))
}

/// Changes every name that the specs mean.
pub(in crate::kustomize) fn rename(
    resources: &mut [Resource],
    specs: &[FieldSpec],
    change: &dyn Fn(&str) -> String,
) -> Result<(), String> {
    for resource in resources {
        let original = resource.original_id().gvk;
        if keeps_its_name(&original) {
            continue;
        }
        for spec in specs.iter().filter(|spec| original.is_selected_by(&spec.gvk)) {
            if spec.path == "metadata/name" {
                resource.remember_id();
            }
            apply(resource.edit(), spec, Missing::Nothing, &mut |node| match node {
                Node::Scalar(old) => {
                    let text = change(&old.text);
                    *node = Node::Scalar(Scalar::string(text, old.origin.clone()));
                    Ok(())
                }
                _ => Err("kustomize wants a text here".to_owned()),
            })?;
        }
    }
    Ok(())
}

/// Kinds, and where their pods are.
const PODS: &[(&[&str], &str)] = &[
    (&["Pod"], "spec"),
    (&["Deployment", "ReplicaSet", "DaemonSet", "StatefulSet", "Job", "ReplicationController"], "spec/template/spec"),
    (&["CronJob"], "spec/jobTemplate/spec/template/spec"),
];
/// Where a pod names other objects.
const REFERENCES: &[&str] = &[
    "containers/env/valueFrom/configMapKeyRef/name",
    "initContainers/env/valueFrom/configMapKeyRef/name",
    "volumes/configMap/name",
    "imagePullSecrets/name",
    "serviceAccountName",
];

/// Follows the names by which pods refer to other objects, as kustomize does at the end of a build: no image depends on
/// them, but kustomize fails where the path to one leads into a text.
pub(in crate::kustomize) fn follow_references(resource: &Resource) -> Result<(), String> {
    let kind = resource.original_id().gvk.kind;
    let Some((_, pod)) = PODS.iter().find(|(kinds, _)| kinds.contains(&&*kind)) else { return Ok(()) };
    REFERENCES.iter().try_for_each(|path| {
        let parts: Vec<&str> = pod.split('/').chain(path.split('/')).collect();
        follow(&resource.node, &parts).map_err(|()| format!("the path {pod}/{path} leads into a text"))
    })
}

fn follow(node: &Node, path: &[&str]) -> Result<(), ()> {
    match (node, path.split_first()) {
        (_, None) => Ok(()),
        (Node::Sequence(items), _) => items.iter().try_for_each(|item| follow(item, path)),
        (Node::Mapping(_), Some((first, rest))) => node.get(first).map_or(Ok(()), |field| follow(field, rest)),
        (Node::Scalar(scalar), _) => {
            if scalar.is_null() {
                Ok(())
            } else {
                Err(())
            }
        }
    }
}
