//! A Kubernetes object in a document: what it is called, and which objects deploy nothing whatever they say.
use crate::yaml::{Document, Kind, Node};
use std::collections::HashSet;

/// A Kubernetes object.
#[derive(Clone, Copy, Debug)]
pub struct Object<'a> {
    pub(super) node: Node<'a>,
}

/// The objects of a document: itself, or, of a `List`, its items, each once however many aliases lead to it. A document
/// without a `kind` is none.
pub fn objects(document: &Document) -> Vec<Object<'_>> {
    let mut seen = HashSet::new();
    let mut found = Vec::new();
    let mut ahead = vec![document.root()];
    while let Some(node) = ahead.pop() {
        let object = Object { node };
        let Some(kind) = object.kind().filter(|_| seen.insert(node.id())) else { continue };
        match node.get("items") {
            Some(items) if kind.ends_with("List") && items.kind() == Kind::Sequence => {
                let first = ahead.len();
                ahead.extend(items.items());
                ahead[first..].reverse();
            }
            _ => found.push(object),
        }
    }
    found
}

impl<'a> Object<'a> {
    /// The `kind`; `None` if there is none.
    pub fn kind(&self) -> Option<&'a str> {
        self.node.get("kind")?.as_str()
    }

    /// The `apiVersion`; `None` if there is none.
    pub fn api_version(&self) -> Option<&'a str> {
        self.node.get("apiVersion")?.as_str()
    }

    /// The API group; empty for the core group.
    pub fn group(&self) -> &'a str {
        self.api_version().and_then(|version| version.split_once('/')).map_or("", |(group, _)| group)
    }

    /// `Kind namespace/name`, as far as it is said.
    pub fn title(&self) -> String {
        let meta = |key| self.node.get("metadata").and_then(|meta| meta.get(key)).and_then(Node::as_str);
        let name = meta("name").or_else(|| meta("generateName")).unwrap_or_default();
        let kind = self.kind().unwrap_or_default();
        match meta("namespace") {
            Some(namespace) => format!("{kind} {namespace}/{name}"),
            None => format!("{kind} {name}").trim_end().to_owned(),
        }
    }

    /// Whether it only describes objects: a schema, a policy with patterns for images, a kustomization.
    pub(super) fn is_schema_or_policy(&self) -> bool {
        let group = self.group();
        let is_in =
            |parent: &str| group == parent || group.strip_suffix(parent).is_some_and(|rest| rest.ends_with('.'));
        self.kind() == Some("CustomResourceDefinition")
            || group == "admissionregistration.k8s.io"
            || ["kyverno.io", "gatekeeper.sh", "kustomize.config.k8s.io"].into_iter().any(is_in)
    }

    /// Whether its fields are values of a chart, whose templates have the last word.
    pub(super) fn holds_chart_values(&self) -> bool {
        match self.group() {
            "helm.toolkit.fluxcd.io" | "helm.cattle.io" => true,
            // Its other kinds, such as Rollout and Workflow, hold pods.
            "argoproj.io" => matches!(self.kind(), Some("Application" | "ApplicationSet")),
            _ => false,
        }
    }
}
