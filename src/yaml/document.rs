//! One document: an arena of nodes over the text of the stream.
use super::{lines::Position, node::Node, scalar::Style};
use std::{ops::Range, sync::Arc};

/// A document with content. Nodes lie in the order of the text, each before its children; the children of a mapping
/// are key, value, key, value.
#[derive(Debug)]
pub struct Document {
    pub(super) source: Arc<str>,
    /// Texts that do not stand in the source as they are: with escapes, folded, without indentation.
    pub(super) decoded: String,
    pub(super) tags: Vec<Box<str>>,
    pub(super) nodes: Vec<Raw>,
}

/// A node as it is stored.
#[derive(Debug)]
pub(super) struct Raw {
    pub(super) content: Content,
    /// Where it starts in the source, in bytes.
    pub(super) start: u32,
    /// Where it ends; for block collections and block scalars this is beyond it.
    pub(super) end: u32,
    /// The node after this one and all below it; [`OPEN`] while it is being read.
    pub(super) next: u32,
    pub(super) position: Position,
}

pub(super) const OPEN: u32 = u32::MAX;

#[derive(Debug)]
pub(super) enum Content {
    Mapping {
        flow: bool,
        /// Keys, with duplicates.
        entries: u32,
        /// Has duplicate or merge keys, so that its entries are not simply its children.
        irregular: bool,
    },
    Sequence {
        flow: bool,
    },
    Scalar {
        text: Text,
        style: Style,
        /// Index into the tags of the document, plus one; zero for none.
        tag: u32,
    },
    /// The node that the anchor stands at; never an alias itself.
    Alias(u32),
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Text {
    Source(u32, u32),
    Decoded(u32, u32),
}

impl Document {
    /// The node that holds all others.
    pub fn root(&self) -> Node<'_> {
        Node::new(self, 0)
    }

    /// The line on which its content starts, from 1.
    pub fn line(&self) -> u32 {
        self.nodes[0].position.line
    }

    pub(super) fn new(source: Arc<str>) -> Self {
        Self { source, decoded: String::new(), tags: Vec::new(), nodes: Vec::new() }
    }

    pub(super) fn raw(&self, index: u32) -> &Raw {
        &self.nodes[index as usize]
    }

    /// The node itself, or what the alias refers to.
    pub(super) fn resolved(&self, index: u32) -> u32 {
        match self.raw(index).content {
            Content::Alias(target) => target,
            _ => index,
        }
    }

    pub(super) fn text(&self, text: Text) -> &str {
        let range = |start: u32, end: u32| -> Range<usize> { start as usize..end as usize };
        match text {
            Text::Source(start, end) => &self.source[range(start, end)],
            Text::Decoded(start, end) => &self.decoded[range(start, end)],
        }
    }

    pub(super) fn is_mapping(&self, index: u32) -> bool {
        matches!(self.raw(index).content, Content::Mapping { .. })
    }

    /// The text of the scalar behind `index`; `None` for a collection.
    pub(super) fn scalar_text(&self, index: u32) -> Option<&str> {
        match self.raw(self.resolved(index)).content {
            Content::Scalar { text, .. } => Some(self.text(text)),
            _ => None,
        }
    }

    /// The children of `parent`, which is not an alias; while it is being read, those that are complete.
    pub(super) fn children(&self, parent: u32) -> impl Iterator<Item = u32> {
        let end = self.raw(parent).next.min(self.nodes.len() as u32);
        let is_collection = matches!(self.raw(parent).content, Content::Mapping { .. } | Content::Sequence { .. });
        let mut at = if is_collection { parent + 1 } else { end };
        std::iter::from_fn(move || {
            let child = (at < end).then_some(at)?;
            at = self.raw(child).next;
            Some(child)
        })
    }

    /// The keys and values of `mapping` as they are written; none if it is something else.
    pub(super) fn pairs(&self, mapping: u32) -> impl Iterator<Item = (u32, u32)> {
        let mut children = self.is_mapping(mapping).then(|| self.children(mapping)).into_iter().flatten();
        std::iter::from_fn(move || Some((children.next()?, children.next()?)))
    }
}
