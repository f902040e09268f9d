//! What a manifest form is: a way in which an object names images.
use super::object::Object;
use crate::{
    image::Certainty,
    yaml::{Kind, Node, Position},
};
use std::{collections::HashSet, fmt, rc::Rc};

/// A way in which an object names images.
pub(super) trait Form: fmt::Debug + Sync {
    /// Adds the places in `object`, whose mappings are `visits`, that name an image in this form.
    fn find(&self, object: &Object<'_>, visits: &[Visit<'_>], found: &mut Vec<Slot>);
}

/// A place in an object that names an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// The reference as written.
    pub reference: String,
    /// The [`Node::id`] of the value.
    pub node: usize,
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
    pub(super) path: Rc<str>,
}

/// The longest path that is kept, in bytes. Longer ones, which no rule speaks of, begin with [`CUT`].
const MAX_PATH: usize = 256;
const CUT: &str = "...";

/// Every mapping of the object, each once however many aliases lead to it, but for what lies under the object's `status`.
/// Stops when no node is `left`.
pub(super) fn mappings<'a>(object: &Object<'a>, left: &mut usize) -> Vec<Visit<'a>> {
    let mut seen = HashSet::new();
    let mut found = Vec::new();
    let mut ahead = vec![Visit { node: object.node, path: "".into() }];
    while let Some(Visit { node, path }) = ahead.pop() {
        if !seen.insert(node.id()) {
            continue;
        }
        // The stack turns the order round twice, so that the document's own order comes out.
        let first = ahead.len();
        ahead.extend(node.items().take(*left).map(|node| Visit { node, path: Rc::clone(&path) }));
        let mut entries = 0;
        for (key, value) in node.entries().take(*left) {
            entries += 1;
            let key = key.as_str().unwrap_or_default();
            if value.kind() != Kind::Scalar && !(path.is_empty() && key == "status") {
                ahead.push(Visit { node: value, path: below(&path, key) });
            }
        }
        *left = left.saturating_sub(1 + entries + ahead.len() - first);
        ahead[first..].reverse();
        if node.kind() == Kind::Mapping {
            found.push(Visit { node, path });
        }
    }
    found
}

fn below(path: &str, key: &str) -> Rc<str> {
    if path.is_empty() && key.len() < MAX_PATH {
        key.into()
    } else if path.len() + key.len() < MAX_PATH {
        format!("{path}/{key}").into()
    } else {
        format!("{CUT}/{}", if key.len() < MAX_PATH { key } else { CUT }).into()
    }
}
