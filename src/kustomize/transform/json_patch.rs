//! JSON patches (RFC 6902), as `evanphx/json-patch` applies them: negative indices count from the end, and `replace`
//! makes a key that is not there.
use crate::kustomize::object::{Malformed, Node, Scalar, Source};
use crate::yaml::{self, Kind, resolve::Value};
use std::{cell::Cell, rc::Rc};

/// The operations of a JSON patch.
#[derive(Debug, Default)]
pub(in crate::kustomize) struct JsonPatch {
    operations: Vec<Operation>,
}

#[derive(Debug, Default)]
struct Operation {
    op: String,
    path: Option<String>,
    from: Option<String>,
    value: Option<Node>,
}

/// How many parts a path may have: what it adds lies that deep.
const MAX_PARTS: usize = 128;
/// How many values the copies of one patch may have together: each can double what is there.
const MAX_COPIED: usize = 300_000;

impl JsonPatch {
    /// Reads a patch; an error if the text is none.
    pub(in crate::kustomize) fn parse(source: &Source, bytes: &[u8], left: &Cell<u64>) -> Result<Self, Malformed> {
        let stream = yaml::parse(bytes, &yaml::Limits::default());
        if let Some(error) = stream.errors.first() {
            return Err(Malformed { at: error.position, why: error.kind.to_string() });
        }
        let Some(document) = stream.documents.first() else { return Ok(Self::default()) };
        let root = document.root();
        let wrong = |node: yaml::Node<'_>| Malformed { at: node.position(), why: "this is no JSON patch".to_owned() };
        if root.kind() != Kind::Sequence {
            return Err(wrong(root));
        }
        let mut operations = Vec::new();
        for item in root.items() {
            if item.kind() != Kind::Mapping {
                return Err(wrong(item));
            }
            let mut copier = crate::kustomize::object::Copier::new(source, left);
            let mut fields = copier.node(item)?;
            let text = |fields: &Node, key| fields.get(key).and_then(Node::text).map(str::to_owned);
            let value = fields.remove("value");
            operations.push(Operation {
                op: text(&fields, "op").unwrap_or_default(),
                path: text(&fields, "path"),
                from: text(&fields, "from"),
                value: value.map(|value| named(value, text(&fields, "path").as_deref())),
            });
        }
        Ok(Self { operations })
    }

    /// Whether it has no operation.
    pub(in crate::kustomize) fn is_empty(&self) -> bool {
        self.operations.is_empty()
    }

    /// Applies it; what kustomize would say if it cannot. Takes what that costs from what is `left`.
    pub(in crate::kustomize) fn apply(&self, object: &mut Node, left: &Cell<u64>) -> Result<(), String> {
        normalise(object);
        let mut room = MAX_COPIED;
        for operation in &self.operations {
            let cost = operation.value.as_ref().map_or(1, Node::size) as u64;
            if left.get() <= cost {
                left.set(0);
                return Ok(());
            }
            left.set(left.get() - cost);
            operation.apply(object, &mut room)?;
        }
        Ok(())
    }
}

/// A text value of an operation is quoted by the field that it is for, and not as `value`.
fn named(value: Node, path: Option<&str>) -> Node {
    let field = path.and_then(|path| path.rsplit('/').next()).filter(|field| field.parse::<u32>().is_err());
    match (value, field) {
        (Node::Scalar(mut scalar), Some(field)) => {
            if let crate::kustomize::object::Origin::Written(written) = &mut scalar.origin {
                written.key = Some(Rc::from(field));
            }
            Node::Scalar(scalar)
        }
        (value, _) => value,
    }
}

impl Operation {
    fn apply(&self, object: &mut Node, room: &mut usize) -> Result<(), String> {
        let path = self.path.as_deref().ok_or("an operation has no path")?;
        let from = || self.from.as_deref().ok_or("an operation has no from");
        let value = || self.value.clone().unwrap_or_else(Node::null);
        match &*self.op {
            "add" => add(object, path, value()),
            "remove" => take(object, path).map(drop),
            "replace" => replace(object, path, value()),
            "test" => self.test(object, path),
            "move" => {
                let moved = take(object, from()?)?;
                add(object, path, moved)
            }
            "copy" => {
                let copied = read(object, from()?)?.cloned().unwrap_or_else(Node::null);
                *room = room.checked_sub(copied.size()).ok_or("it copies more than can be worked out")?;
                add(object, path, copied)
            }
            other => Err(format!("there is no operation {other:?}")),
        }
    }

    fn test(&self, object: &mut Node, path: &str) -> Result<(), String> {
        let own = if path.is_empty() { Some(&*object) } else { read(object, path)? };
        let is_equal = match (own, &self.value) {
            (None, value) => value.as_ref().is_none_or(Node::is_null),
            (Some(_), None) => false,
            (Some(own), Some(value)) => equal(own, value),
        };
        if is_equal { Ok(()) } else { Err(format!("the test of {path} fails")) }
    }
}

/// The collection that holds what a path leads to, and the last part of the path.
fn parent<'n>(object: &'n mut Node, path: &str) -> Result<(&'n mut Node, String), String> {
    let missing = || format!("there is no {path}");
    let parts: Vec<String> = path.split('/').skip(1).map(|part| part.replace("~1", "/").replace("~0", "~")).collect();
    if parts.len() > MAX_PARTS {
        return Err(format!("the path {path} is too long"));
    }
    let (last, before) = parts.split_last().ok_or_else(missing)?;
    let mut here = object;
    for part in before {
        here = match here {
            Node::Mapping(_) => here.get_mut(part),
            Node::Sequence(items) => index(part, items.len()).and_then(|index| items.get_mut(index)),
            Node::Scalar(_) => None,
        }
        .ok_or_else(missing)?;
    }
    match here {
        Node::Scalar(_) => Err(missing()),
        here => Ok((here, last.clone())),
    }
}

/// An index; a negative one counts from the end.
fn index(part: &str, length: usize) -> Option<usize> {
    let index: i64 = part.parse().ok()?;
    if index < 0 { length.checked_sub(usize::try_from(-index).ok()?) } else { usize::try_from(index).ok() }
}

fn read<'n>(object: &'n mut Node, path: &str) -> Result<Option<&'n Node>, String> {
    let missing = format!("there is no {path}");
    let (holder, last) = parent(object, path)?;
    match &*holder {
        Node::Sequence(items) => {
            let item = index(&last, items.len()).and_then(|index| items.get(index));
            item.map(Some).ok_or(missing)
        }
        holder => Ok(holder.get(&last)),
    }
}

fn add(object: &mut Node, path: &str, value: Node) -> Result<(), String> {
    let (holder, last) = parent(object, path)?;
    let Node::Sequence(items) = holder else {
        put(holder, &last, value);
        return Ok(());
    };
    let place = match &*last {
        "-" => Some(items.len()),
        // From the end, -1 is behind the last one.
        last => index(last, items.len() + 1).filter(|&place| place <= items.len()),
    };
    items.insert(place.ok_or_else(|| format!("there is no place for {path}"))?, value);
    Ok(())
}

fn replace(object: &mut Node, path: &str, value: Node) -> Result<(), String> {
    if path.is_empty() {
        if matches!(value, Node::Scalar(_)) {
            return Err("an object cannot be replaced by a text".to_owned());
        }
        *object = value;
        return Ok(());
    }
    let (holder, last) = parent(object, path)?;
    let Node::Sequence(items) = holder else {
        put(holder, &last, value);
        return Ok(());
    };
    let item = index(&last, items.len()).and_then(|index| items.get_mut(index));
    let item = item.ok_or_else(|| format!("there is no {path}"))?;
    *item = override_with(item, value);
    Ok(())
}

fn put(holder: &mut Node, key: &str, value: Node) {
    let value = match holder.get(key) {
        Some(old) => override_with(old, value),
        None => value,
    };
    holder.set(key, value);
}

fn override_with(old: &Node, value: Node) -> Node {
    match (old, value) {
        (Node::Scalar(old), Node::Scalar(new)) => Node::Scalar(old.overridden_by(&new)),
        (_, value) => value,
    }
}

fn take(object: &mut Node, path: &str) -> Result<Node, String> {
    let (holder, last) = parent(object, path)?;
    let missing = || format!("there is no {path}");
    let Node::Sequence(items) = holder else { return holder.remove(&last).ok_or_else(missing) };
    let place = index(&last, items.len()).filter(|&place| place < items.len()).ok_or_else(missing)?;
    Ok(items.remove(place))
}

/// Whether two values are the same JSON.
fn equal(one: &Node, other: &Node) -> bool {
    match (one, other) {
        (Node::Scalar(one), Node::Scalar(other)) => match (one.value(), other.value()) {
            (Value::Str, Value::Str) => one.text == other.text,
            (one, other) => one == other,
        },
        (Node::Sequence(one), Node::Sequence(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| equal(one, other))
        }
        (Node::Mapping(own), Node::Mapping(theirs)) => {
            let is_in = |(key, value): &(Rc<str>, Node)| other.get(key).is_some_and(|other| equal(value, other));
            own.len() == theirs.len() && own.iter().all(is_in)
        }
        _ => false,
    }
}

/// kustomize turns the object into JSON and back: numbers and truth values lose the way in which they were written.
fn normalise(node: &mut Node) {
    match node {
        Node::Mapping(entries) => entries.iter_mut().for_each(|(_, value)| normalise(value)),
        Node::Sequence(items) => items.iter_mut().for_each(normalise),
        Node::Scalar(scalar) => normalise_scalar(scalar),
    }
}

fn normalise_scalar(scalar: &mut Scalar) {
    let text = match scalar.value() {
        Value::Str => return,
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(value) => value.to_string(),
        Value::Float(value) => value.to_string(),
    };
    if *scalar.text != *text {
        scalar.text = text.into();
        scalar.tag = None;
    }
}
