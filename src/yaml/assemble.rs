//! Documents that nobody has written: put together value by value, for readers of documents.
use super::{
    document::{Content, Document, Raw, Text},
    lines::Position,
    scalar::Style,
};
use std::sync::Arc;

/// Puts a document together: a value, or a collection that is opened, filled and closed. In a mapping, keys and values
/// take turns.
#[derive(Debug)]
pub struct Assembly {
    document: Document,
    /// The collections that are open, outermost first, and how many values each has.
    open: Vec<(u32, u32)>,
}

impl Default for Assembly {
    fn default() -> Self {
        Self { document: Document::new(Arc::from("")), open: Vec::new() }
    }
}

impl Assembly {
    /// Adds a scalar, without quotes or with; gives its [`Node::id`](super::Node::id).
    pub fn scalar(&mut self, text: &str, is_plain: bool, tag: Option<&str>, position: Position) -> usize {
        let document = &mut self.document;
        let start = document.decoded.len() as u32;
        document.decoded.push_str(text);
        let text = Text::Decoded(start, document.decoded.len() as u32);
        let tag = tag.map_or(0, |tag| {
            document.tags.push(tag.into());
            document.tags.len() as u32
        });
        let style = if is_plain { Style::Plain } else { Style::DoubleQuoted };
        self.push(Content::Scalar { text, style, tag }, position) as usize
    }

    /// Opens a mapping.
    pub fn open_mapping(&mut self, position: Position) {
        let index = self.push(Content::Mapping { flow: false, entries: 0, irregular: false }, position);
        self.open.push((index, 0));
    }

    /// Opens a sequence.
    pub fn open_sequence(&mut self, position: Position) {
        let index = self.push(Content::Sequence { flow: false }, position);
        self.open.push((index, 0));
    }

    /// Closes the collection that was opened last.
    pub fn close(&mut self) {
        let Some((index, values)) = self.open.pop() else { return };
        let next = self.document.nodes.len() as u32;
        let raw = &mut self.document.nodes[index as usize];
        raw.next = next;
        if let Content::Mapping { entries, .. } = &mut raw.content {
            *entries = values / 2;
        }
    }

    /// The document; `None` if nothing was added.
    pub fn finish(mut self) -> Option<Document> {
        while !self.open.is_empty() {
            self.close();
        }
        (!self.document.nodes.is_empty()).then_some(self.document)
    }

    fn push(&mut self, content: Content, position: Position) -> u32 {
        if let Some((_, values)) = self.open.last_mut() {
            *values += 1;
        }
        let index = self.document.nodes.len() as u32;
        self.document.nodes.push(Raw { content, start: 0, end: 0, next: index + 1, position });
        index
    }
}

#[cfg(test)]
mod tests {
    use super::{Assembly, Position};

    #[test]
    fn what_is_put_together_reads_as_if_it_were_written() {
        let mut assembly = Assembly::default();
        let at = Position { line: 3, column: 7 };
        assembly.open_mapping(Position::START);
        assembly.scalar("list", true, None, Position::START);
        assembly.open_sequence(Position::START);
        let id = assembly.scalar("1.10", false, None, at);
        assembly.scalar("null", true, None, at);
        assembly.close();
        assembly.scalar("tagged", true, None, Position::START);
        assembly.scalar("7", true, Some("!!str"), at);
        let document = assembly.finish().unwrap();
        let root = document.root();
        let items: Vec<_> = root.get("list").unwrap().items().collect();
        assert_eq!((items[0].as_str(), items[0].position(), items[0].id()), (Some("1.10"), at, id));
        assert_eq!((items[1].as_str(), root.entries().count()), (None, 2));
        assert_eq!(root.get("tagged").unwrap().scalar().unwrap().tag, Some("!!str"));
        assert!(root.comment().is_none() && items[0].comment().is_none() && items[0].content_start().is_none());
        assert!(Assembly::default().finish().is_none());
    }
}
