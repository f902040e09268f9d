//! Events in, documents out.
use super::{
    document::{Content, Document, OPEN, Raw, Text},
    error::{Error, ErrorKind},
    limits::Limits,
    lines::{self, Position},
    merge,
    scalar::Style,
};
use granit_parser::{Event, Marker, ScalarStyle, Span, StructureStyle, Tag};
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

/// Puts one document together after the other.
pub(super) struct Builder<'a> {
    limits: &'a Limits,
    document: Document,
    /// The collections that are being read, outermost first.
    open: Vec<u32>,
    /// The node at which each anchor of the document stands.
    anchors: HashMap<usize, u32>,
    /// What each mapping with merge keys gains by them, in nodes.
    gains: HashMap<u32, usize>,
    /// Nodes and gains so far, in all documents.
    nodes: usize,
    /// Documents so far, empty ones too.
    documents: usize,
    /// Where the last event ended.
    last: (usize, Position),
}

impl<'a> Builder<'a> {
    pub(super) fn new(source: Arc<str>, limits: &'a Limits) -> Self {
        let (open, anchors, gains) = (Vec::new(), HashMap::new(), HashMap::new());
        let document = Document::new(source);
        Self { limits, document, open, anchors, gains, nodes: 0, documents: 0, last: (0, Position::START) }
    }

    /// Takes the next event; hands a document out when it ends, unless it is empty.
    pub(super) fn take(&mut self, event: Event<'_>, span: Span) -> Result<Option<Document>, Error> {
        let (start, end) = (offset(span.start), offset(span.end));
        let mut finished = None;
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let tag = tag.map_or(0, |tag| self.tag(&tag));
                let index = self.scalar(&text, style, tag, span)?;
                self.anchor(anchor, index);
            }
            Event::Alias(anchor) => {
                let unknown = || ErrorKind::Syntax("found unknown anchor".into()).at(position(span.start));
                let target = *self.anchors.get(&anchor).ok_or_else(unknown)?;
                self.push(Content::Alias(target), position(span.start), start, end)?;
            }
            Event::SequenceStart(style, anchor, _) => {
                self.open(Content::Sequence { flow: style == StructureStyle::Flow }, anchor, span)?;
            }
            Event::MappingStart(style, anchor, _) => {
                let flow = style == StructureStyle::Flow;
                self.open(Content::Mapping { flow, entries: 0, irregular: false }, anchor, span)?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(span)?,
            Event::DocumentEnd => finished = self.finish(),
            Event::DocumentStart(explicit, _) => {
                self.documents += 1;
                let limit = self.limits.documents;
                if self.documents > limit {
                    return Err(ErrorKind::TooManyDocuments(limit).at(position(span.start)));
                }
                // Without `---`, its span is that of what follows.
                if !explicit {
                    self.skip_what_is_lost(start);
                    return Ok(None);
                }
            }
            _ => {}
        }
        self.last = (end, position(span.end));
        Ok(finished)
    }

    /// After a document that was abandoned, the next one can begin without `---`; then `...` stands before it.
    fn skip_what_is_lost(&mut self, start: usize) {
        let (last, at) = self.last;
        let between = self.document.source.get(last..start).unwrap_or_default();
        let mut dots = between.rmatch_indices("...").map(|(length, dots)| &between[..length + dots.len()]);
        if let Some(lost) = dots.find(|lost| lost[..lost.len() - 3].ends_with(lines::BREAKS)) {
            self.last = (last + lost.len(), at.after(lost));
        }
    }

    /// Forgets the document that is being read.
    pub(super) fn abandon(&mut self) {
        self.finish();
    }

    fn finish(&mut self) -> Option<Document> {
        let next = Document::new(Arc::clone(&self.document.source));
        self.open.clear();
        self.anchors.clear();
        self.gains.clear();
        let document = std::mem::replace(&mut self.document, next);
        let empty = match document.nodes.first()?.content {
            Content::Scalar { text, style: Style::Plain, tag: 0 } => document.text(text).is_empty(),
            _ => false,
        };
        (!empty).then_some(document)
    }

    fn open(&mut self, content: Content, anchor: usize, span: Span) -> Result<(), Error> {
        if self.open.len() >= self.limits.depth {
            return Err(ErrorKind::TooDeep(self.limits.depth).at(position(span.start)));
        }
        // In a mapping the parser reports a sequence that is not indented only after its first dash.
        let in_mapping = || self.open.last().is_some_and(|&open| self.document.is_mapping(open));
        let (start, position) = match content {
            Content::Sequence { flow: false } if in_mapping() => self.start_of_block(span, &['-']),
            _ => (offset(span.start), position(span.start)),
        };
        let index = self.push(content, position, start, offset(span.end))?;
        self.document.nodes[index as usize].next = OPEN;
        self.open.push(index);
        self.anchor(anchor, index);
        Ok(())
    }

    /// Notes that `anchor` stands at the node `index`; 0 is what the parser says where there is none.
    fn anchor(&mut self, anchor: usize, index: u32) {
        if anchor != 0 {
            self.anchors.insert(anchor, index);
        }
    }

    fn close(&mut self, span: Span) -> Result<(), Error> {
        let Some(index) = self.open.pop() else { return Ok(()) };
        if self.document.is_mapping(index) {
            self.regulate(index, position(span.start))?;
        }
        let next = self.document.nodes.len() as u32;
        let raw = &mut self.document.nodes[index as usize];
        (raw.next, raw.end) = (next, offset(span.end) as u32);
        Ok(())
    }

    /// Notes what a mapping needs for its entries, and charges what its merge keys add: each is looked at whenever the
    /// entries of this mapping are.
    fn regulate(&mut self, index: u32, at: Position) -> Result<(), Error> {
        let document = &self.document;
        let keys: Vec<u32> = document.pairs(index).map(|(key, _)| key).collect();
        let merges = keys.iter().any(|&key| merge::is_merge_key(document, key));
        let duplicates = has_duplicates(keys.iter().filter_map(|&key| document.scalar_text(key)));
        if merges {
            let gain = |&source: &u32| match document.raw(source).content {
                Content::Mapping { entries, .. } => 1 + entries as usize + self.gains.get(&source).unwrap_or(&0),
                _ => 0,
            };
            let gain: usize = merge::merged(document, index).iter().map(gain).sum();
            self.gains.insert(index, gain);
            self.charge(gain, at)?;
        }
        if let Content::Mapping { entries, irregular, .. } = &mut self.document.nodes[index as usize].content {
            (*entries, *irregular) = (keys.len() as u32, merges || duplicates);
        }
        Ok(())
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, tag: u32, span: Span) -> Result<u32, Error> {
        let style = match style {
            ScalarStyle::Plain => Style::Plain,
            ScalarStyle::SingleQuoted => Style::SingleQuoted,
            ScalarStyle::DoubleQuoted => Style::DoubleQuoted,
            ScalarStyle::Literal => Style::Literal,
            ScalarStyle::Folded => Style::Folded,
        };
        let (start, position) = match style {
            Style::Literal | Style::Folded => self.start_of_block(span, &['|', '>']),
            _ => (offset(span.start), position(span.start)),
        };
        let end = offset(span.end);
        let text = match style {
            // The parser writes null as `~` where there is nothing.
            Style::Plain if start == end => Text::Source(start as u32, start as u32),
            Style::SingleQuoted | Style::DoubleQuoted => self.text(text, start + 1, end.saturating_sub(1)),
            _ => self.text(text, start, end),
        };
        self.push(Content::Scalar { text, style, tag }, position, start, end)
    }

    /// The parser says where the content of a block scalar starts, or of a sequence that is not indented; this says
    /// where the first indicator is.
    fn start_of_block(&self, span: Span, indicators: &[char]) -> (usize, Position) {
        let (last, at) = self.last;
        let between = self.document.source.get(last..offset(span.start)).unwrap_or_default();
        match lines::find_indicator(between, indicators) {
            Some(length) => (last + length, at.after(&between[..length])),
            None => (offset(span.start), position(span.start)),
        }
    }

    fn text(&mut self, text: &str, start: usize, end: usize) -> Text {
        if self.document.source.get(start..end) == Some(text) {
            return Text::Source(start as u32, end as u32);
        }
        let start = self.document.decoded.len() as u32;
        self.document.decoded.push_str(text);
        Text::Decoded(start, self.document.decoded.len() as u32)
    }

    fn tag(&mut self, tag: &Tag) -> u32 {
        let tag = tag.core_suffix().map_or_else(|| tag.original(), |suffix| format!("!!{suffix}"));
        self.document.tags.push(tag.into());
        self.document.tags.len() as u32
    }

    fn push(&mut self, content: Content, position: Position, start: usize, end: usize) -> Result<u32, Error> {
        self.charge(1, position)?;
        let index = self.document.nodes.len() as u32;
        let (start, end) = (start as u32, end as u32);
        self.document.nodes.push(Raw { content, start, end, next: index + 1, position });
        Ok(index)
    }

    fn charge(&mut self, nodes: usize, at: Position) -> Result<(), Error> {
        self.nodes = self.nodes.saturating_add(nodes);
        let limit = self.limits.nodes;
        if self.nodes > limit { Err(ErrorKind::TooManyNodes(limit).at(at)) } else { Ok(()) }
    }
}

fn has_duplicates<'t>(texts: impl Iterator<Item = &'t str> + Clone) -> bool {
    // Most mappings are small, and comparing is quicker than hashing then.
    if texts.clone().nth(8).is_none() {
        return texts.clone().enumerate().any(|(count, text)| texts.clone().take(count).any(|earlier| earlier == text));
    }
    let mut seen = HashSet::new();
    !{ texts }.all(|text| seen.insert(text))
}

/// Line and column as people count them.
pub(super) fn position(marker: Marker) -> Position {
    Position { line: marker.line() as u32, column: marker.col() as u32 + 1 }
}

/// The offset in bytes, which a parser over a string always knows.
pub(super) fn offset(marker: Marker) -> usize {
    marker.byte_offset().unwrap_or_default()
}
