//! Image volumes: `volumes[].image.reference` wherever a pod has volumes.
use super::{
    form::{Form, Slot, Visit},
    object::Object,
};
use crate::{
    image::Certainty,
    yaml::{Kind, Node},
};

#[derive(Debug)]
pub(super) struct ImageVolumes;

impl Form for ImageVolumes {
    fn find(&self, _: &Object<'_>, visits: &[Visit<'_>], found: &mut Vec<Slot>) {
        for visit in visits {
            let volumes = visit.node.get("volumes").filter(|value| value.kind() == Kind::Sequence);
            let path = format!("{}/volumes/image/reference", visit.path);
            for volume in volumes.into_iter().flat_map(Node::items) {
                found.extend(slot(volume, path.trim_start_matches('/')));
            }
        }
    }
}

fn slot(volume: Node<'_>, path: &str) -> Option<Slot> {
    let image = volume.get("image")?;
    let reference = image.get("reference")?;
    let text = reference.as_str().filter(|text| !text.is_empty())?;
    if image.get("pullPolicy").and_then(Node::as_str) == Some("Never") {
        return None;
    }
    let name = volume.get("name").and_then(Node::as_str).unwrap_or_default();
    Some(Slot {
        reference: text.to_owned(),
        node: reference.id(),
        at: reference.position(),
        text: format!("reference: {text}"),
        form: "image-volume",
        field: format!("volume {name}").trim_end().to_owned(),
        path: path.to_owned(),
        certainty: Certainty::Certain,
    })
}
