//! A Kubernetes object in a document: what it is called, and which objects deploy nothing whatever they say.
use crate::yaml::{Document, Kind, Node};

/// A Kubernetes object.
#[derive(Clone, Copy, Debug)]
pub struct Object<'a> {
    pub(super) node: Node<'a>,
}

/// How deep `List`s may hold `List`s.
const MAX_LISTS: usize = 8;

/// The objects of a document: itself, or, of a `List`, its items. A document without a `kind` is none.
pub fn objects(document: &Document) -> Vec<Object<'_>> {
    let mut found = Vec::new();
    gather(document.root(), MAX_LISTS, &mut found);
    found
}

fn gather<'a>(node: Node<'a>, lists: usize, found: &mut Vec<Object<'a>>) {
    let object = Object { node };
    let Some(kind) = object.kind() else { return };
    match node.get("items") {
        Some(items) if kind.ends_with("List") && items.kind() == Kind::Sequence && lists > 0 => {
            for item in items.items() {
                gather(item, lists - 1, found);
            }
        }
        _ => found.push(object),
    }
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
        self.group() == "helm.toolkit.fluxcd.io" || self.group() == "helm.cattle.io"
    }
}
