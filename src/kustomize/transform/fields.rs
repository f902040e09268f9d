//! Field specs: which fields of which kinds a transformer changes, and how to find them in an object.
use crate::kustomize::{
    file::{Decoder, FieldSpec, Refusal, each, text},
    object::{Gvk, Node, Scalar, Source},
};
use crate::yaml;
use std::rc::Rc;

/// The field specs of every transformer: kustomize's own, and those of `configurations`.
#[derive(Clone, Debug, Default)]
pub(in crate::kustomize) struct Config {
    pub(in crate::kustomize) name_prefix: Vec<FieldSpec>,
    pub(in crate::kustomize) name_suffix: Vec<FieldSpec>,
    pub(in crate::kustomize) namespace: Vec<FieldSpec>,
    pub(in crate::kustomize) common_labels: Vec<FieldSpec>,
    pub(in crate::kustomize) labels: Vec<FieldSpec>,
    pub(in crate::kustomize) template_labels: Vec<FieldSpec>,
    pub(in crate::kustomize) common_annotations: Vec<FieldSpec>,
    /// Only those of `configurations`: kustomize's own name no image.
    pub(in crate::kustomize) var_reference: Vec<FieldSpec>,
    pub(in crate::kustomize) images: Vec<FieldSpec>,
    pub(in crate::kustomize) replicas: Vec<FieldSpec>,
    pub(in crate::kustomize) claim_labels: Vec<FieldSpec>,
}

impl Config {
    /// kustomize's own.
    pub(in crate::kustomize) fn built_in() -> Rc<Self> {
        thread_local! {
            static BUILT_IN: Rc<Config> = Rc::new(Config::of_tables());
        }
        BUILT_IN.with(Rc::clone)
    }

    fn of_tables() -> Self {
        Self {
            name_prefix: table(NAME),
            name_suffix: table(NAME),
            namespace: table(NAMESPACE),
            common_labels: [table(SELECTORS), table(METADATA_LABELS)].concat(),
            labels: Vec::new(),
            template_labels: table(METADATA_LABELS),
            common_annotations: table(ANNOTATIONS),
            var_reference: Vec::new(),
            images: table(IMAGES),
            replicas: table(REPLICAS),
            claim_labels: Vec::new(),
        }
    }

    /// Reads a file of `configurations`, strictly.
    pub(in crate::kustomize) fn parse(source: &Source, bytes: &[u8]) -> Result<Self, Refusal> {
        let mut config = Self::default();
        let stream = yaml::parse(bytes, &yaml::Limits::default());
        if let Some(error) = stream.errors.first() {
            return Err((error.position, error.kind.to_string()));
        }
        let decoder = Decoder { source, is_strict: true };
        let Some(document) = stream.documents.first() else { return Ok(config) };
        decoder.fields(document.root(), |name, value| {
            if name == "namereference" {
                each(value, |item| name_reference(&decoder, item))?;
                return Ok(true);
            }
            let Some(specs) = config.field(name) else { return Ok(false) };
            *specs = each(value, |item| FieldSpec::decode(&decoder, item))?;
            Ok(true)
        })?;
        Ok(config)
    }

    fn field(&mut self, name: &str) -> Option<&mut Vec<FieldSpec>> {
        Some(match name {
            "nameprefix" => &mut self.name_prefix,
            "namesuffix" => &mut self.name_suffix,
            "namespace" => &mut self.namespace,
            "commonlabels" => &mut self.common_labels,
            "labels" => &mut self.labels,
            "templatelabels" => &mut self.template_labels,
            "commonannotations" => &mut self.common_annotations,
            "varreference" => &mut self.var_reference,
            "images" => &mut self.images,
            "replicas" => &mut self.replicas,
            // Newer than 5.8; labels of claims name no image.
            "volumeclaimtemplatelabels" => &mut self.claim_labels,
            _ => return None,
        })
    }

    /// Adds the specs of `other` that are not there yet; kustomize refuses one that is there with another `create`.
    pub(in crate::kustomize) fn absorb(own: &mut Rc<Self>, other: &Rc<Self>) -> Result<(), String> {
        if !Rc::ptr_eq(own, other) {
            Rc::make_mut(own).add(other)?;
        }
        Ok(())
    }

    fn add(&mut self, other: &Self) -> Result<(), String> {
        for (own, more) in [
            (&mut self.name_prefix, &other.name_prefix),
            (&mut self.name_suffix, &other.name_suffix),
            (&mut self.namespace, &other.namespace),
            (&mut self.common_labels, &other.common_labels),
            (&mut self.labels, &other.labels),
            (&mut self.template_labels, &other.template_labels),
            (&mut self.common_annotations, &other.common_annotations),
            (&mut self.var_reference, &other.var_reference),
            (&mut self.images, &other.images),
            (&mut self.replicas, &other.replicas),
        ] {
            absorb(own, more)?;
        }
        Ok(())
    }
}

/// Adds to `own` what is not there yet.
pub(in crate::kustomize) fn absorb(own: &mut Vec<FieldSpec>, more: &[FieldSpec]) -> Result<(), String> {
    for spec in more {
        match own.iter().find(|known| known.path == spec.path && known.gvk.is_selected_by(&spec.gvk)) {
            Some(known) if known.create != spec.create => {
                return Err(format!("field specs for {} contradict one another", spec.path));
            }
            Some(_) => {}
            None => own.push(spec.clone()),
        }
    }
    Ok(())
}

fn name_reference(decoder: &Decoder<'_>, node: yaml::Node<'_>) -> Result<(), Refusal> {
    decoder.fields(node, |name, value| match name {
        "group" | "version" | "kind" => text(value).map(|_| true),
        "fieldspecs" => each(value, |item| FieldSpec::decode(decoder, item)).map(|_| true),
        _ => Ok(false),
    })
}

/// What is made where a path leads to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::kustomize) enum Missing {
    /// Nothing: then nothing is done.
    Nothing,
    /// A text.
    Scalar,
    /// A mapping.
    Mapping,
}

/// Hands every field of `object` that `spec` means to `set`.
pub(in crate::kustomize) fn apply(
    object: &mut Node,
    spec: &FieldSpec,
    missing: Missing,
    set: &mut dyn FnMut(&mut Node) -> Result<(), String>,
) -> Result<(), String> {
    if !Gvk::of(object).is_selected_by(&spec.gvk) {
        return Ok(());
    }
    let path = split_path(&spec.path);
    let missing = if spec.create { missing } else { Missing::Nothing };
    descend(object, &path, missing, set).map_err(|why| format!("the field {}: {why}", spec.path))
}

/// The same for a list of specs.
pub(in crate::kustomize) fn for_each(
    object: &mut Node,
    specs: &[FieldSpec],
    missing: Missing,
    set: &mut dyn FnMut(&mut Node) -> Result<(), String>,
) -> Result<(), String> {
    specs.iter().try_for_each(|spec| apply(object, spec, missing, set))
}

fn descend(
    node: &mut Node,
    path: &[String],
    missing: Missing,
    set: &mut dyn FnMut(&mut Node) -> Result<(), String>,
) -> Result<(), String> {
    let Some((first, rest)) = path.split_first() else { return set(node) };
    match node {
        _ if node.is_null() => Ok(()),
        // A path does not speak of the sequences on its way.
        Node::Sequence(items) => items.iter_mut().try_for_each(|item| descend(item, path, missing, set)),
        Node::Scalar(_) => Err("there is a text where kustomize wants a mapping or a list".to_owned()),
        Node::Mapping(_) => {
            let name = first.strip_suffix("[]").unwrap_or(first);
            if name.is_empty() {
                return Err("the name of a field is empty".to_owned());
            }
            if name == "*" || name.parse::<u32>().is_ok() {
                return Err(format!("{name} is no name of a field"));
            }
            let may_create = missing != Missing::Nothing && name.len() == first.len();
            if may_create && node.get(name).is_none_or(Node::is_null) {
                let is_text = rest.is_empty() && missing == Missing::Scalar;
                let empty = Scalar::string("", crate::kustomize::object::Origin::Nowhere);
                node.set(name, if is_text { Node::Scalar(empty) } else { Node::Mapping(Vec::new()) });
            }
            node.get_mut(name).map_or(Ok(()), |field| descend(field, rest, missing, set))
        }
    }
}

/// The parts between slashes; a slash behind a backslash belongs to the part.
fn split_path(path: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    let path = path.strip_prefix('/').unwrap_or(path);
    for part in path.split('/') {
        match parts.last_mut().filter(|last| last.ends_with('\\')) {
            Some(last) => {
                last.pop();
                last.push('/');
                last.push_str(part);
            }
            None => parts.push(part.to_owned()),
        }
    }
    parts
}

/// Path, group, version, kind, and whether it is created where it is missing.
type Row = (&'static str, &'static str, &'static str, &'static str, bool);

fn table(rows: &[Row]) -> Vec<FieldSpec> {
    let spec = |&(path, group, version, kind, create): &Row| {
        let gvk = Gvk { group: group.to_owned(), version: version.to_owned(), kind: kind.to_owned() };
        FieldSpec { gvk, path: path.to_owned(), create }
    };
    rows.iter().map(spec).collect()
}

const NAME: &[Row] = &[("metadata/name", "", "", "", false)];
const NAMESPACE: &[Row] = &[
    ("metadata/name", "", "", "Namespace", true),
    ("spec/service/namespace", "apiregistration.k8s.io", "", "APIService", true),
    (
        "spec/conversion/webhook/clientConfig/service/namespace",
        "apiextensions.k8s.io",
        "",
        "CustomResourceDefinition",
        false,
    ),
];
const IMAGES: &[Row] = &[
    ("spec/containers[]/image", "", "", "", true),
    ("spec/initContainers[]/image", "", "", "", true),
    ("spec/volumes[]/image/reference", "", "", "", true),
    ("spec/template/spec/containers[]/image", "", "", "", true),
    ("spec/template/spec/initContainers[]/image", "", "", "", true),
    ("spec/template/spec/volumes[]/image/reference", "", "", "", true),
];
const REPLICAS: &[Row] = &[
    ("spec/replicas", "", "", "Deployment", true),
    ("spec/replicas", "", "", "ReplicationController", true),
    ("spec/replicas", "", "", "ReplicaSet", true),
    ("spec/replicas", "", "", "StatefulSet", true),
];
const METADATA_LABELS: &[Row] = &[
    ("metadata/labels", "", "", "", true),
    ("spec/template/metadata/labels", "", "v1", "ReplicationController", true),
    ("spec/template/metadata/labels", "", "", "Deployment", true),
    ("spec/template/metadata/labels", "", "", "ReplicaSet", true),
    ("spec/template/metadata/labels", "", "", "DaemonSet", true),
    ("spec/template/metadata/labels", "apps", "", "StatefulSet", true),
    ("spec/volumeClaimTemplates[]/metadata/labels", "apps", "", "StatefulSet", true),
    ("spec/template/metadata/labels", "batch", "", "Job", true),
    ("spec/jobTemplate/metadata/labels", "batch", "", "CronJob", true),
    ("spec/jobTemplate/spec/template/metadata/labels", "batch", "", "CronJob", true),
];
/// Those below `affinity` and `topologySpreadConstraints` are left out: nothing reads a label there.
const SELECTORS: &[Row] = &[
    ("spec/selector", "", "v1", "Service", true),
    ("spec/selector", "", "v1", "ReplicationController", true),
    ("spec/selector/matchLabels", "", "", "Deployment", true),
    ("spec/selector/matchLabels", "", "", "ReplicaSet", true),
    ("spec/selector/matchLabels", "", "", "DaemonSet", true),
    ("spec/selector/matchLabels", "apps", "", "StatefulSet", true),
    ("spec/selector/matchLabels", "batch", "", "Job", false),
    ("spec/jobTemplate/spec/selector/matchLabels", "batch", "", "CronJob", false),
    ("spec/selector/matchLabels", "policy", "", "PodDisruptionBudget", false),
    ("spec/podSelector/matchLabels", "networking.k8s.io", "", "NetworkPolicy", false),
    ("spec/ingress/from/podSelector/matchLabels", "networking.k8s.io", "", "NetworkPolicy", false),
    ("spec/egress/to/podSelector/matchLabels", "networking.k8s.io", "", "NetworkPolicy", false),
];
const ANNOTATIONS: &[Row] = &[
    ("metadata/annotations", "", "", "", true),
    ("spec/template/metadata/annotations", "", "v1", "ReplicationController", true),
    ("spec/template/metadata/annotations", "", "", "Deployment", true),
    ("spec/template/metadata/annotations", "", "", "ReplicaSet", true),
    ("spec/template/metadata/annotations", "", "", "DaemonSet", true),
    ("spec/template/metadata/annotations", "", "", "StatefulSet", true),
    ("spec/template/metadata/annotations", "batch", "", "Job", true),
    ("spec/jobTemplate/metadata/annotations", "batch", "", "CronJob", true),
    ("spec/jobTemplate/spec/template/metadata/annotations", "batch", "", "CronJob", true),
];
