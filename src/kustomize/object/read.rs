//! Text to objects, as kustomize reads a file of resources or a patch.
use super::{
    node::{Node, Scalar},
    origin::{Origin, Written},
    resource::Resource,
};
use crate::{
    image::Place,
    tree::RepoPath,
    yaml::{self, Kind, Limits, Position},
};
use std::{cell::Cell, rc::Rc};

/// How deep values may lie in one another once aliases are replaced by what they stand for.
const MAX_DEPTH: usize = 160;
/// How many values one text may make: aliases can make any number of them.
const MAX_COPIED: u64 = 500_000;

/// Why a text is not read: where, and what is wrong.
#[derive(Clone, Debug)]
pub(in crate::kustomize) struct Malformed {
    pub(in crate::kustomize) at: Position,
    pub(in crate::kustomize) why: String,
}

/// A text and where it stands: a file, or a scalar in one.
#[derive(Clone, Debug)]
pub(in crate::kustomize) struct Source {
    pub(in crate::kustomize) file: Rc<RepoPath>,
    /// Where the text begins in the file; `None` if a place in the text is one in the file.
    pub(in crate::kustomize) start: Option<Start>,
    /// The step of a chain that begins in it.
    pub(in crate::kustomize) step: &'static str,
}

/// Where a text in a scalar begins.
#[derive(Clone, Copy, Debug)]
pub(in crate::kustomize) enum Start {
    /// In a literal block: every place in it is as far from here as from the beginning of the text.
    Block(Position),
    /// In another scalar, whose places are not to be found again.
    Within(Position),
}

impl Source {
    /// A whole file.
    pub(in crate::kustomize) fn file(file: &Rc<RepoPath>, step: &'static str) -> Self {
        Self { file: Rc::clone(file), start: None, step }
    }

    /// The text of a scalar in a file.
    pub(in crate::kustomize) fn scalar(file: &Rc<RepoPath>, node: yaml::Node<'_>, step: &'static str) -> Self {
        let start = node.content_start().map_or_else(|| Start::Within(node.position()), Start::Block);
        Self { file: Rc::clone(file), start: Some(start), step }
    }

    /// The same for a text somewhere behind `place`.
    pub(in crate::kustomize) fn within(self, place: &Place) -> Self {
        Self { start: Some(Start::Within(Position { line: place.line, column: place.column })), ..self }
    }

    /// The place in the file of a place in the text.
    pub(in crate::kustomize) fn position(&self, inner: Position) -> Position {
        match self.start {
            None => inner,
            Some(Start::Within(at)) => at,
            Some(Start::Block(at)) => Position { line: at.line + inner.line - 1, column: at.column + inner.column - 1 },
        }
    }

    /// The same as a place.
    pub(in crate::kustomize) fn place(&self, inner: Position) -> Place {
        let Position { line, column } = self.position(inner);
        Place { path: (*self.file).clone(), line, column }
    }
}

/// Copies values out of a document, no more than there are `left`.
pub(in crate::kustomize) struct Copier<'c> {
    pub(in crate::kustomize) source: &'c Source,
    pub(in crate::kustomize) left: &'c Cell<u64>,
    /// The first key that stands twice in a mapping.
    pub(in crate::kustomize) double: Option<(Position, String)>,
}

impl<'c> Copier<'c> {
    pub(in crate::kustomize) fn new(source: &'c Source, left: &'c Cell<u64>) -> Self {
        Self { source, left, double: None }
    }

    /// The value, with aliases replaced by copies of what they stand for.
    pub(in crate::kustomize) fn node(&mut self, node: yaml::Node<'_>) -> Result<Node, Malformed> {
        self.copy(node, None, 0)
    }

    fn copy(&mut self, node: yaml::Node<'_>, key: Option<&Rc<str>>, depth: usize) -> Result<Node, Malformed> {
        if depth > MAX_DEPTH || self.left.get() == 0 {
            let why = "aliases make more of it than can be worked out".to_owned();
            return Err(Malformed { at: node.position(), why });
        }
        self.left.set(self.left.get() - 1);
        Ok(match node.kind() {
            Kind::Mapping => {
                if let Some(double) = node.duplicate_keys().first().filter(|_| self.double.is_none()) {
                    self.double = Some((double.position(), double.as_str().unwrap_or_default().to_owned()));
                }
                let mut entries = Vec::new();
                for (key, value) in node.entries() {
                    let key: Rc<str> = key.scalar().map_or("", |scalar| scalar.text).into();
                    let value = self.copy(value, Some(&key), depth + 1)?;
                    entries.push((key, value));
                }
                Node::Mapping(entries)
            }
            Kind::Sequence => {
                let items = node.items().map(|item| self.copy(item, key, depth + 1));
                Node::Sequence(items.collect::<Result<_, _>>()?)
            }
            Kind::Scalar => Node::Scalar(self.scalar(node, key)),
        })
    }

    /// A scalar as the value of `key`.
    pub(in crate::kustomize) fn scalar(&self, node: yaml::Node<'_>, key: Option<&Rc<str>>) -> Scalar {
        let (text, style, tag) =
            node.scalar().map_or(("", yaml::Style::Plain, None), |scalar| (scalar.text, scalar.style, scalar.tag));
        let Source { file, step, .. } = self.source;
        let at = self.source.position(node.position());
        let origin = Origin::Written(Written { file: Rc::clone(file), at, key: key.cloned(), step });
        Scalar { text: text.into(), style, tag: tag.map(Into::into), origin }
    }
}

/// The objects in `bytes`, with those of a list one by one; takes what they cost from what is `left`.
pub(in crate::kustomize) fn objects(
    source: &Source,
    bytes: &[u8],
    left: &Cell<u64>,
) -> Result<Vec<Resource>, Malformed> {
    of_one_text(left, |left| read_objects(source, bytes, left))
}

/// Reads one text, for no more of what is left than one may take.
pub(in crate::kustomize) fn of_one_text<T>(left: &Cell<u64>, read: impl FnOnce(&Cell<u64>) -> T) -> T {
    let allowed = left.get().min(MAX_COPIED);
    let room = Cell::new(allowed);
    let read = read(&room);
    left.set(left.get() - (allowed - room.get()));
    read
}

fn read_objects(source: &Source, bytes: &[u8], left: &Cell<u64>) -> Result<Vec<Resource>, Malformed> {
    let stream = yaml::parse(bytes, &Limits::default());
    if let Some(error) = stream.errors.first() {
        return Err(Malformed { at: error.position, why: error.kind.to_string() });
    }
    let separators = separators(bytes)?;
    let mut read = Vec::new();
    let mut last = 0;
    for document in &stream.documents {
        // kyaml cuts the text at every `---` and reads one document of each piece: none behind a `...`.
        let is_first = last == 0 || separators.iter().any(|&line| line > last && line <= document.line());
        last = document.line();
        if !is_first {
            continue;
        }
        let root = document.root();
        let mut copier = Copier::new(source, left);
        let node = copier.node(root)?;
        let flaw = copier.double.map(|(at, key)| format!("line {}: the key {key} stands twice", at.line).into());
        let resource = Resource { flaw, ..Resource::new(node, source.place(root.position())) };
        // kyaml takes a list that is alone in its file apart before it looks at anything else.
        let is_list = matches!(resource.node.get("kind").and_then(Node::text), Some("List" | "ResourceList"));
        match resource.node.get("items") {
            Some(Node::Mapping(_)) if is_list => {
                return Err(malformed(&resource, "the items of a list are not a list"));
            }
            Some(items) if stream.documents.len() == 1 && is_list => read.extend(parts(&resource, items)),
            _ => read.push(resource),
        }
    }
    read.retain(|resource| !resource.node.is_empty());
    read.iter().try_for_each(check)?;
    expand_lists(read)
}

/// The lines, from 1, that separate documents.
fn separators(bytes: &[u8]) -> Result<Vec<u32>, Malformed> {
    let mut lines = Vec::new();
    for (number, line) in (1..).zip(bytes.split(|&byte| byte == b'\n')) {
        let at = Position { line: number, column: 1 };
        if let Some(rest) = line.strip_prefix(b"---") {
            let rest = rest.trim_ascii();
            if number > 1 && !rest.is_empty() && !rest.starts_with(b"#") {
                return Err(Malformed { at, why: "something stands behind the document separator".to_owned() });
            }
            lines.push(number);
        } else if line.starts_with(b"%") {
            return Err(Malformed { at, why: "a directive is cut off from its document".to_owned() });
        }
    }
    Ok(lines)
}

/// Lists in the order in which kustomize takes them apart: their items come after everything else.
fn expand_lists(read: Vec<Resource>) -> Result<Vec<Resource>, Malformed> {
    let mut ahead = std::collections::VecDeque::from(read);
    let mut found = Vec::new();
    while let Some(resource) = ahead.pop_front() {
        let is_list = resource.node.get("kind").and_then(Node::text).is_some_and(|kind| kind.ends_with("List"));
        match resource.node.get("items").filter(|_| is_list) {
            None => found.push(resource),
            Some(items) if items.is_null() => {}
            Some(Node::Sequence(_)) => {
                let items = resource.node.get("items").map(|items| parts(&resource, items)).unwrap_or_default();
                for item in items.into_iter().filter(|item| !item.node.is_empty()) {
                    check(&item)?;
                    ahead.push_back(item);
                }
            }
            Some(_) => return Err(malformed(&resource, "the items of a list are not a list")),
        }
    }
    Ok(found)
}

fn parts(list: &Resource, items: &Node) -> Vec<Resource> {
    let item = |node: &Node| Resource { flaw: list.flaw.clone(), ..Resource::new(node.clone(), list.place.clone()) };
    items.items().iter().map(item).collect()
}

fn malformed(resource: &Resource, why: &str) -> Malformed {
    Malformed { at: Position { line: resource.place.line, column: resource.place.column }, why: why.to_owned() }
}

/// Whether kustomize takes it for an object.
pub(in crate::kustomize) fn check(resource: &Resource) -> Result<(), Malformed> {
    let kind = resource.node.get("kind").and_then(Node::text).unwrap_or_default();
    if kind.is_empty() {
        return Err(malformed(resource, "an object has no kind"));
    }
    let has_name = super::resource::meta_text(&resource.node, "name").is_some_and(|name| !name.is_empty());
    if !has_name && !kind.ends_with("List") {
        return Err(malformed(resource, "an object has no metadata.name"));
    }
    Ok(())
}
