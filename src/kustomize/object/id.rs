//! What an object is called: group, version, kind, name, namespace.
use super::node::Node;

/// The group, version and kind of an object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(in crate::kustomize) struct Gvk {
    pub(in crate::kustomize) group: String,
    pub(in crate::kustomize) version: String,
    pub(in crate::kustomize) kind: String,
}

/// What an object is called, now or before.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(in crate::kustomize) struct Id {
    pub(in crate::kustomize) gvk: Gvk,
    pub(in crate::kustomize) name: String,
    pub(in crate::kustomize) namespace: String,
}

/// In place of a namespace for what lies in none.
const NO_NAMESPACE: &str = "_non_namespaceable_";
const DEFAULT_NAMESPACE: &str = "default";

impl Gvk {
    /// Of an object.
    pub(in crate::kustomize) fn of(object: &Node) -> Self {
        let text = |key| object.get(key).and_then(Node::scalar).map_or("", |scalar| &*scalar.text);
        let (group, version) = split_api_version(text("apiVersion"));
        Self { group: group.to_owned(), version: version.to_owned(), kind: text("kind").to_owned() }
    }

    /// Whether `selector` selects it; what the selector leaves empty is anything.
    pub(in crate::kustomize) fn is_selected_by(&self, selector: &Self) -> bool {
        let selects = |wanted: &str, own: &str| wanted.is_empty() || wanted == own;
        selects(&selector.group, &self.group)
            && selects(&selector.version, &self.version)
            && selects(&selector.kind, &self.kind)
    }

    /// Whether the kind is known to lie in no namespace.
    pub(in crate::kustomize) fn is_cluster_scoped(&self) -> bool {
        CLUSTER_SCOPED.iter().any(|(group, versions, kind)| {
            *kind == self.kind && *group == self.group && versions.contains(&&*self.version)
        })
    }
}

/// Group and version of an `apiVersion`.
pub(in crate::kustomize) fn split_api_version(text: &str) -> (&str, &str) {
    text.split_once('/').unwrap_or(("", text))
}

impl Id {
    /// The namespace for comparing: an empty one is `default`.
    pub(in crate::kustomize) fn effective_namespace(&self) -> &str {
        match &*self.namespace {
            _ if self.gvk.is_cluster_scoped() => NO_NAMESPACE,
            "" => DEFAULT_NAMESPACE,
            namespace => namespace,
        }
    }

    /// Whether they are the same object.
    pub(in crate::kustomize) fn equals(&self, other: &Self) -> bool {
        self.name == other.name && self.gvk == other.gvk && self.effective_namespace() == other.effective_namespace()
    }

    /// Whether `selector` selects it; what the selector leaves empty is anything.
    pub(in crate::kustomize) fn is_selected_by(&self, selector: &Self) -> bool {
        (selector.name.is_empty() || selector.name == self.name)
            && (selector.namespace.is_empty() || selector.effective_namespace() == self.effective_namespace())
            && self.gvk.is_selected_by(&selector.gvk)
    }
}

/// `Kind.version.group/name.namespace`, as kustomize's own messages have it.
impl std::fmt::Display for Id {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.gvk.kind)?;
        if self.namespace.is_empty() {
            write!(f, " {}", self.name)
        } else {
            write!(f, " {}/{}", self.namespace, self.name)
        }
    }
}

/// The kinds that kustomize knows to lie in no namespace: those of Kubernetes 1.21.
const CLUSTER_SCOPED: &[(&str, &[&str], &str)] = &[
    ("admissionregistration.k8s.io", &["v1", "v1beta1"], "MutatingWebhookConfiguration"),
    ("admissionregistration.k8s.io", &["v1", "v1beta1"], "ValidatingWebhookConfiguration"),
    ("apiextensions.k8s.io", &["v1", "v1beta1"], "CustomResourceDefinition"),
    ("apiregistration.k8s.io", &["v1", "v1beta1"], "APIService"),
    ("certificates.k8s.io", &["v1", "v1beta1"], "CertificateSigningRequest"),
    ("flowcontrol.apiserver.k8s.io", &["v1beta1"], "FlowSchema"),
    ("flowcontrol.apiserver.k8s.io", &["v1beta1"], "PriorityLevelConfiguration"),
    ("networking.k8s.io", &["v1", "v1beta1"], "IngressClass"),
    ("node.k8s.io", &["v1", "v1beta1"], "RuntimeClass"),
    ("policy", &["v1beta1"], "PodSecurityPolicy"),
    ("rbac.authorization.k8s.io", &["v1", "v1beta1"], "ClusterRole"),
    ("rbac.authorization.k8s.io", &["v1", "v1beta1"], "ClusterRoleBinding"),
    ("scheduling.k8s.io", &["v1", "v1beta1"], "PriorityClass"),
    ("storage.k8s.io", &["v1", "v1beta1"], "CSIDriver"),
    ("storage.k8s.io", &["v1", "v1beta1"], "CSINode"),
    ("storage.k8s.io", &["v1", "v1beta1"], "StorageClass"),
    ("storage.k8s.io", &["v1", "v1beta1"], "VolumeAttachment"),
    ("", &["v1"], "ComponentStatus"),
    ("", &["v1"], "Namespace"),
    ("", &["v1"], "Node"),
    ("", &["v1"], "NodeProxyOptions"),
    ("", &["v1"], "PersistentVolume"),
];
