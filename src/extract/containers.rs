//! Containers: the elements of every list under `containers`, `initContainers` or `ephemeralContainers`, at any depth in
//! any kind. One rule for pods, workloads, and the kinds of operators that embed a pod template.
use super::{
    form::{Form, Slot, Visit},
    object::Object,
};
use crate::{
    image::Certainty,
    yaml::{Kind, Node},
};

/// The lists, and what one of their elements is called.
const LISTS: &[(&str, &str)] = &[
    ("initContainers", "init container"),
    ("containers", "container"),
    ("ephemeralContainers", "ephemeral container"),
];

#[derive(Debug)]
pub(super) struct Containers;

impl Form for Containers {
    fn find(&self, object: &Object<'_>, visits: &[Visit<'_>], found: &mut Vec<Slot>) {
        for visit in visits {
            for (list, title) in LISTS {
                let elements = visit.node.get(list).filter(|value| value.kind() == Kind::Sequence);
                let path = format!("{}/{list}/image", visit.path);
                for element in elements.into_iter().flat_map(Node::items) {
                    found.extend(slot(object, element, title, path.trim_start_matches('/')));
                }
            }
        }
    }
}

fn slot(object: &Object<'_>, container: Node<'_>, title: &str, path: &str) -> Option<Slot> {
    let image = container.get("image")?;
    let reference = image.as_str().filter(|text| !text.is_empty())?;
    let text = |key| container.get(key).and_then(Node::as_str);
    // Never pulled: the image is put on the nodes by other means.
    if text("imagePullPolicy") == Some("Never") {
        return None;
    }
    // Istio's gateways say `image: auto` and get theirs from a webhook. A chart's templates may prepend a registry to
    // a value that names none.
    let is_sure = reference != "auto" && (!object.holds_chart_values() || names_a_registry(reference));
    Some(Slot {
        reference: reference.to_owned(),
        node: image.id(),
        at: image.position(),
        text: format!("image: {reference}"),
        form: "container",
        field: text("name").map_or_else(|| title.to_owned(), |name| format!("{title} {name}")),
        path: path.to_owned(),
        certainty: if is_sure { Certainty::Certain } else { Certainty::Likely },
    })
}

fn names_a_registry(reference: &str) -> bool {
    reference.split_once('/').is_some_and(|(first, _)| first == "localhost" || first.contains(['.', ':']))
}
