//! An object on its way through a build, and the list of all of them.
use super::{
    id::{Gvk, Id},
    node::{Node, Scalar},
    origin::Origin,
};
use crate::image::Place;
use std::{collections::HashSet, rc::Rc};

/// An object, with what kustomize remembers of it.
#[derive(Clone, Debug)]
pub(in crate::kustomize) struct Resource {
    /// Its content; shared until it is changed.
    pub(in crate::kustomize) node: Rc<Node>,
    /// Where it begins.
    pub(in crate::kustomize) place: Place,
    /// What it was called before, oldest first, by kind, name and effective namespace: group and version are always
    /// those of now.
    pub(in crate::kustomize) earlier: Vec<Earlier>,
    /// What a generator says is to be done with an object of the same name.
    pub(in crate::kustomize) behavior: Behavior,
    /// The variables whose value it holds.
    pub(in crate::kustomize) vars: Vec<Rc<str>>,
    /// Why kustomize fails when it writes it, if it is still there then: a key that stands twice.
    pub(in crate::kustomize) flaw: Option<Rc<str>>,
    /// Whether something that is not worked out may have changed it.
    pub(in crate::kustomize) is_doubtful: bool,
}

/// What an object was called before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::kustomize) struct Earlier {
    pub(in crate::kustomize) kind: String,
    pub(in crate::kustomize) name: String,
    pub(in crate::kustomize) namespace: String,
}

/// What happens to an object of the same name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::kustomize) enum Behavior {
    #[default]
    Create,
    Replace,
    Merge,
}

impl Resource {
    /// Of a mapping that begins at `place`.
    pub(in crate::kustomize) fn new(node: Node, place: Place) -> Self {
        let (earlier, vars) = (Vec::new(), Vec::new());
        let behavior = Behavior::default();
        Self { node: Rc::new(node), place, earlier, behavior, vars, flaw: None, is_doubtful: false }
    }

    /// What it is called now.
    pub(in crate::kustomize) fn id(&self) -> Id {
        let meta = |key| meta_text(&self.node, key).unwrap_or_default().to_owned();
        Id { gvk: Gvk::of(&self.node), name: meta("name"), namespace: meta("namespace") }
    }

    /// What it is called now, and before that, oldest first.
    pub(in crate::kustomize) fn ids(&self) -> Vec<Id> {
        let now = self.id();
        let mut ids = vec![now.clone()];
        ids.extend(self.earlier.iter().map(|earlier| Id {
            gvk: Gvk { kind: earlier.kind.clone(), ..now.gvk.clone() },
            name: earlier.name.clone(),
            namespace: earlier.namespace.clone(),
        }));
        ids
    }

    /// What it was called first.
    pub(in crate::kustomize) fn original_id(&self) -> Id {
        let mut ids = self.ids();
        if ids.len() > 1 { ids.swap_remove(1) } else { ids.swap_remove(0) }
    }

    /// Notes what it is called now, before that changes.
    pub(in crate::kustomize) fn remember_id(&mut self) {
        let Id { gvk, name, namespace } = self.id();
        let id = Id { gvk, name, namespace };
        let namespace = id.effective_namespace().to_owned();
        self.earlier.push(Earlier { kind: id.gvk.kind, name: id.name, namespace });
    }

    /// The content, to be changed.
    pub(in crate::kustomize) fn edit(&mut self) -> &mut Node {
        Rc::make_mut(&mut self.node)
    }

    /// Sets a text in `metadata`.
    pub(in crate::kustomize) fn set_meta(&mut self, key: &str, text: &str) {
        let value = Node::Scalar(Scalar::string(text, Origin::Nowhere));
        if let Some(metadata) = self.edit().mapping_at("metadata") {
            metadata.set(key, value);
        }
    }

    /// The pairs of `metadata.labels` or `metadata.annotations`.
    pub(in crate::kustomize) fn pairs(&self, field: &str) -> impl Iterator<Item = (&str, &str)> {
        let pairs = self.node.at(&["metadata", field]).map_or(&[][..], Node::entries);
        pairs.iter().map(|(key, value)| (&**key, value.scalar().map_or("", |scalar| &*scalar.text)))
    }

    /// Whether it is to be left out of what is built.
    pub(in crate::kustomize) fn is_local_config(&self) -> bool {
        self.pairs("annotations").any(|(key, value)| key == "config.kubernetes.io/local-config" && value != "false")
    }
}

/// A text in the `metadata` of an object.
pub(in crate::kustomize) fn meta_text<'n>(object: &'n Node, key: &str) -> Option<&'n str> {
    object.at(&["metadata", key]).and_then(Node::text)
}

/// The objects of a build, each under an id of its own.
#[derive(Clone, Debug, Default)]
pub(in crate::kustomize) struct Resources {
    all: Vec<Resource>,
    /// The ids of all, unless they may have changed.
    known: Option<HashSet<(Gvk, String, String)>>,
}

impl Resources {
    /// All of them.
    pub(in crate::kustomize) fn all(&self) -> &[Resource] {
        &self.all
    }

    /// All of them, to be changed.
    pub(in crate::kustomize) fn edit(&mut self) -> &mut Vec<Resource> {
        self.known = None;
        &mut self.all
    }

    /// All of them.
    pub(in crate::kustomize) fn into_all(self) -> Vec<Resource> {
        self.all
    }

    /// Adds `more` behind the others; if the id of one is there already, gives that.
    pub(in crate::kustomize) fn append(&mut self, more: Vec<Resource>) -> Result<(), Id> {
        let all = &self.all;
        let known = self.known.get_or_insert_with(|| all.iter().map(|resource| key(&resource.id())).collect());
        for resource in &more {
            let id = resource.id();
            if !known.insert(key(&id)) {
                return Err(id);
            }
        }
        self.all.extend(more);
        Ok(())
    }
}

fn key(id: &Id) -> (Gvk, String, String) {
    (id.gvk.clone(), id.name.clone(), id.effective_namespace().to_owned())
}
