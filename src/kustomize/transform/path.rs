//! Field paths of replacements and variables: how they are split, and what they lead to.
use crate::kustomize::object::{Node, Origin, Scalar};
use crate::yaml::Style;
use regex::{Regex, RegexBuilder};
use std::borrow::Cow;

/// How long a path may be: what it creates lies that deep.
const MAX_PARTS: usize = 128;

/// The parts between dots. A dot behind a backslash or in brackets belongs to the part; brackets around a plain key go.
pub(super) fn split(path: &str) -> Result<Vec<String>, String> {
    let mut rough: Vec<String> = Vec::new();
    let mut pieces = path.split('.');
    if let Some(first) = pieces.next() {
        // A path may begin with its delimiter.
        if !(first.is_empty() && path.contains('.')) {
            rough.push(first.to_owned());
        }
    }
    for piece in pieces {
        match rough.last_mut().filter(|last| last.ends_with('\\')) {
            Some(last) => {
                last.pop();
                last.push('.');
                last.push_str(piece);
            }
            None => rough.push(piece.to_owned()),
        }
    }
    let mut parts: Vec<String> = Vec::new();
    let mut rough = rough.into_iter();
    while let Some(part) = rough.next() {
        if !part.starts_with('[') || part.ends_with(']') {
            parts.push(part);
            continue;
        }
        let mut whole = part;
        for next in rough.by_ref() {
            whole.push('.');
            whole.push_str(&next);
            if next.ends_with(']') {
                break;
            }
        }
        parts.push(if whole.contains('=') { whole } else { whole.trim_matches(['[', ']']).to_owned() });
    }
    if parts.len() > MAX_PARTS { Err(format!("the path {path} is too long")) } else { Ok(parts) }
}

/// A part of a path.
enum Part<'p> {
    Index(usize),
    Last,
    Every,
    /// `[key=value]`; without a key, an item that is the value.
    Item(&'p str, &'p str),
    Key(&'p str),
}

fn part(text: &str) -> Result<Part<'_>, String> {
    if let Ok(index) = text.parse::<i64>() {
        let negative = || format!("the index {index} is negative");
        return usize::try_from(index).map(Part::Index).map_err(|_| negative());
    }
    match text {
        "-" => Ok(Part::Last),
        "*" => Ok(Part::Every),
        _ => match text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            Some(inner) => {
                let pair = inner.split_once('=').map(|(key, value)| Part::Item(key, value));
                pair.ok_or_else(|| format!("{text} says no value"))
            }
            None => Ok(Part::Key(text)),
        },
    }
}

/// What a path leads to where it can lead to one thing only: the source of a replacement, the value of a variable.
pub(super) fn lookup<'n>(node: &'n Node, parts: &[String]) -> Result<Option<&'n Node>, String> {
    let mut here = node;
    for text in parts.iter().map(|text| text.trim()).filter(|text| !text.is_empty()) {
        let next = match (part(text)?, here) {
            (Part::Every, _) => return Err("a wildcard leads to more than one value".to_owned()),
            _ if here.is_null() => None,
            (Part::Index(index), Node::Sequence(items)) => items.get(index),
            (Part::Last, Node::Sequence(items)) => items.last(),
            (Part::Item(key, value), Node::Sequence(items)) => items.iter().find(|item| is_item(item, key, value)),
            (Part::Key(key), Node::Mapping(_)) => here.get(key),
            _ => return Err(format!("there is no {text} in a value of this kind")),
        };
        match next {
            Some(next) => here = next,
            None => return Ok(None),
        }
    }
    Ok(Some(here))
}

fn is_item(item: &Node, key: &str, value: &str) -> bool {
    let text = |node: &Node| node.scalar().is_some_and(|scalar| *scalar.text == *value);
    if key.is_empty() { text(item) } else { item.get(key).is_some_and(text) }
}

/// What is made where a path leads to nothing.
#[derive(Clone, Copy, Debug)]
pub(super) enum Create {
    Nothing,
    Scalar,
    Mapping,
    Sequence,
}

impl Create {
    fn is_on(self) -> bool {
        !matches!(self, Self::Nothing)
    }

    /// An empty value in front of the part `next`.
    fn before(self, next: Option<&String>) -> Node {
        match (next, self) {
            (Some(next), _) if next.starts_with('[') && next.ends_with(']') => Node::Sequence(Vec::new()),
            (Some(next), _) if next.parse::<usize>().is_ok() => Node::Sequence(Vec::new()),
            (Some(next), _) if !next.is_empty() => Node::Mapping(Vec::new()),
            (_, Self::Mapping) => Node::Mapping(Vec::new()),
            (_, Self::Sequence) => Node::Sequence(Vec::new()),
            // Its text decides what it is: a number stays one.
            _ => Node::Scalar(Scalar::plain("", Origin::Nowhere)),
        }
    }
}

/// Hands everything that a path leads to, to `take`, and counts it. The value in `[key=value]` is a regular expression.
pub(super) fn matches(
    node: &mut Node,
    parts: &[String],
    create: Create,
    take: &mut dyn FnMut(&mut Node) -> Result<(), String>,
) -> Result<usize, String> {
    let Some((first, rest)) = parts.split_first() else { return take(node).map(|()| 1) };
    if first.is_empty() {
        return Err("a part of the path is empty".to_owned());
    }
    if let Ok(index) = first.parse::<usize>() {
        let Some(items) = sequence(node)? else { return at_index(index, 0) };
        if index == items.len() && create.is_on() {
            items.push(create.before(rest.first()));
        }
        let length = items.len();
        return match items.get_mut(index) {
            Some(item) => matches(item, rest, create, take),
            None => at_index(index, length),
        };
    }
    if first.starts_with('[') && first.ends_with(']') {
        let Part::Item(key, value) = part(first)? else { return Ok(0) };
        return in_items(node, (key, value), rest, create, take);
    }
    if first == "*" {
        let Some(items) = sequence(node)? else { return Ok(0) };
        return items.iter_mut().map(|item| matches(item, rest, create, take)).sum();
    }
    if node.is_null() {
        return Ok(0);
    }
    if !matches!(node, Node::Mapping(_)) {
        return Err(format!("there is no {first} in a value of this kind"));
    }
    if node.get(first).is_none() {
        if !create.is_on() {
            return Ok(0);
        }
        node.set(first, create.before(rest.first()));
    }
    node.get_mut(first).map_or(Ok(0), |field| matches(field, rest, create, take))
}

fn at_index(index: usize, length: usize) -> Result<usize, String> {
    Err(format!("index {index} specified but only {length} elements found"))
}

fn sequence(node: &mut Node) -> Result<Option<&mut Vec<Node>>, String> {
    match node {
        Node::Sequence(items) => Ok(Some(items)),
        node if node.is_null() => Ok(None),
        _ => Err("kustomize wants a list here".to_owned()),
    }
}

/// The text that a regular expression is held against: kustomize leaves the quotes around it.
fn as_written(scalar: &Scalar) -> Cow<'_, str> {
    let text = scalar.text.trim();
    match (&scalar.origin, scalar.style) {
        (Origin::Written(_), Style::DoubleQuoted) => format!("\"{text}\"").into(),
        (Origin::Written(_), Style::SingleQuoted) => format!("'{text}'").into(),
        _ => text.into(),
    }
}

fn in_items(
    node: &mut Node,
    (key, value): (&str, &str),
    rest: &[String],
    create: Create,
    take: &mut dyn FnMut(&mut Node) -> Result<(), String>,
) -> Result<usize, String> {
    let regex: Regex = RegexBuilder::new(value)
        .size_limit(1 << 20)
        .build()
        .map_err(|_| format!("{value:?} is not a regular expression"))?;
    let Some(items) = sequence(node)? else { return Ok(0) };
    let is_meant = |item: &Node| {
        let of = if key.is_empty() { Some(item) } else { item.get(key) };
        of.and_then(Node::scalar).is_some_and(|scalar| regex.is_match(&as_written(scalar)))
    };
    let mut count = 0;
    for item in items.iter_mut().filter(|item| is_meant(item)) {
        // An item that is the value itself ends the path.
        count += if key.is_empty() { take(item).map(|()| 1)? } else { matches(item, rest, create, take)? };
    }
    if count > 0 || !create.is_on() {
        return Ok(count);
    }
    let value = Node::Scalar(Scalar::string(value, Origin::Nowhere));
    items.push(if key.is_empty() { value } else { Node::Mapping(vec![(key.into(), value)]) });
    // Its value may be a regular expression that does not match itself.
    let added = items.len() - 1;
    if !is_meant(&items[added]) {
        return Err(format!("nothing matches [{key}=...]"));
    }
    if key.is_empty() { take(&mut items[added]).map(|()| 1) } else { matches(&mut items[added], rest, create, take) }
}
