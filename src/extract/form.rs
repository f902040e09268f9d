//! What a manifest form is: a way in which an object names images.
use super::object::Object;
use crate::{
    image::Certainty,
    yaml::{Node, Position},
};
use std::{collections::HashSet, fmt};

/// A way in which an object names images.
pub(super) trait Form: fmt::Debug + Sync {
    /// Adds the places in `object` that name an image in this form.
    fn find(&self, object: &Object<'_>, found: &mut Vec<Slot>);
}

/// A place in an object that names an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// The reference as written.
    pub reference: String,
    /// Where the value stands; behind a YAML alias, where the anchor is.
    pub at: Position,
    /// The line as a person would quote it, such as `image: nginx:1.27`.
    pub text: String,
    /// The form: `container`, `image-volume`.
    pub form: &'static str,
    /// The field as a person would name it, such as `container app`.
    pub field: String,
    /// The field's keys from the root of the object, joined by `/`, list indices left out.
    pub path: String,
    /// How sure it is that a cluster would pull it, whatever the reference is.
    pub certainty: Certainty,
}

/// A mapping in an object, and the keys that lead to it.
#[derive(Debug)]
pub(super) struct Visit<'a> {
    pub(super) node: Node<'a>,
    /// Keys joined by `/`, list indices left out.
    pub(super) path: String,
}

/// Every mapping of the object, each once however many aliases lead to it, but for what lies under the object's `status`.
pub(super) fn mappings<'a>(object: &Object<'a>) -> Vec<Visit<'a>> {
    let mut seen = HashSet::new();
    let mut found = Vec::new();
    let mut ahead = vec![Visit { node: object.node, path: String::new() }];
    while let Some(Visit { node, path }) = ahead.pop() {
        if !seen.insert(node.id()) {
            continue;
        }
        // The stack turns the order round twice, so that the document's own order comes out.
        let mut below: Vec<Visit<'a>> = node.items().map(|node| Visit { node, path: path.clone() }).collect();
        let mut is_mapping = false;
        for (key, value) in node.entries() {
            is_mapping = true;
            let key = key.as_str().unwrap_or_default();
            if !(path.is_empty() && key == "status") {
                let path = if path.is_empty() { key.to_owned() } else { format!("{path}/{key}") };
                below.push(Visit { node: value, path });
            }
        }
        ahead.extend(below.into_iter().rev());
        if is_mapping {
            found.push(Visit { node, path });
        }
    }
    found
}
