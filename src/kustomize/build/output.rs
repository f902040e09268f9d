//! What comes of a build.
use crate::{
    image::Place,
    kustomize::{
        load::Reads,
        object::{Node, Origin, Resource, Trace},
    },
    verdict::Notice,
    yaml::{Assembly, Document, Position, Style, resolve::Value},
};
use std::{collections::HashMap, rc::Rc};

/// What building a kustomization gives.
#[derive(Debug)]
pub struct Build {
    /// The objects, in kustomize's order.
    pub objects: Vec<Object>,
    /// Every look-up on the way.
    pub reads: Reads,
    /// What could not be worked out; nothing is rejected on account of what it touches.
    pub notices: Vec<Notice>,
    /// Images that are set for objects that are not in the repository, if they are there at all.
    pub elsewhere: Vec<(String, Rc<Trace>)>,
    /// Whether kustomize would refuse to build it at all: then it deploys nothing.
    pub is_refused: bool,
}

/// Whether an object is what kustomize would build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It is.
    Exact,
    /// Something that is not worked out may have changed it.
    Doubtful,
}

/// An object of a build.
#[derive(Debug)]
pub struct Object {
    /// Its content.
    pub document: Document,
    /// Where it begins; its other places are those of its parts.
    pub place: Place,
    /// Whether this is certain.
    pub state: State,
    origins: HashMap<usize, (Rc<str>, Origin)>,
}

impl Object {
    pub(super) fn new(resource: &Resource) -> Option<Self> {
        let mut writer = Writer { assembly: Assembly::default(), origins: HashMap::new() };
        let at = Position { line: resource.place.line, column: resource.place.column };
        writer.node(&resource.node, at);
        let state = if resource.is_doubtful { State::Doubtful } else { State::Exact };
        let (place, origins) = (resource.place.clone(), writer.origins);
        writer.assembly.finish().map(|document| Self { document, place, state, origins })
    }

    /// How the text of the node `id` of the document came about.
    pub fn trace(&self, id: usize) -> Option<Rc<Trace>> {
        self.origins.get(&id).map(|(text, origin)| origin.trace(text))
    }
}

/// A document of what was put together, without its origins.
pub(super) fn document(node: &Node, at: Position) -> Option<Document> {
    let mut writer = Writer { assembly: Assembly::default(), origins: HashMap::new() };
    writer.node(node, at);
    writer.assembly.finish()
}

struct Writer {
    assembly: Assembly,
    origins: HashMap<usize, (Rc<str>, Origin)>,
}

impl Writer {
    fn node(&mut self, node: &Node, at: Position) {
        match node {
            Node::Mapping(entries) => {
                self.assembly.open_mapping(at);
                for (key, value) in entries {
                    self.assembly.scalar(key, false, None, at);
                    self.node(value, at);
                }
                self.assembly.close();
            }
            Node::Sequence(items) => {
                self.assembly.open_sequence(at);
                items.iter().for_each(|item| self.node(item, at));
                self.assembly.close();
            }
            Node::Scalar(scalar) => {
                let at = if let Origin::Written(written) = &scalar.origin { written.at } else { at };
                // What is a string here must not become a truth value for a reader of YAML 1.1.
                let is_plain = scalar.style == Style::Plain && scalar.value() != Value::Str;
                let id = self.assembly.scalar(&scalar.text, is_plain, scalar.tag.as_deref(), at);
                self.origins.insert(id, (Rc::clone(&scalar.text), scalar.origin.clone()));
            }
        }
    }
}
