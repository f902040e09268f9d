//! Values as kustomize wants them: strings that YAML 1.1 reads as strings, lists that are lists.
use crate::yaml::{Kind, Node, Position, resolve};

/// A path or URL and where it is written.
#[derive(Clone, Debug)]
pub(super) struct Named {
    pub(super) text: String,
    pub(super) at: Position,
}

/// Why kustomize refuses a file: where, and what it says of it.
pub(super) type Refusal = (Position, String);

/// The items of a list; null is an empty one.
pub(super) fn list<'n>(value: Node<'n>) -> Result<impl Iterator<Item = Node<'n>>, Refusal> {
    if value.kind() == Kind::Sequence || value.scalar().is_some_and(|s| resolve::yaml_1_1(s) == resolve::Value::Null) {
        return Ok(value.items());
    }
    Err((value.position(), "kustomize wants a list here".to_owned()))
}

/// The texts of a list of strings; nulls are left out.
pub(super) fn strings(value: Node<'_>) -> Result<Vec<Named>, Refusal> {
    let mut texts = Vec::new();
    for item in list(value)? {
        if let Some(text) = string(item)? {
            texts.push(Named { text: text.to_owned(), at: item.position() });
        }
    }
    Ok(texts)
}

/// The text of a scalar that YAML 1.1 reads as a string; `None` for null. kustomize refuses anything else where it wants a
/// string, so an unquoted `newTag: 1.10` fails the build instead of deploying 1.1.
pub(super) fn string(node: Node<'_>) -> Result<Option<&str>, Refusal> {
    let Some(scalar) = node.scalar() else {
        return Err((node.position(), "kustomize wants a string here".to_owned()));
    };
    match resolve::yaml_1_1(scalar) {
        resolve::Value::Null => Ok(None),
        resolve::Value::Str => Ok(Some(scalar.text)),
        _ => {
            let text = scalar.text;
            Err((
                node.position(),
                format!("kustomize refuses {text} without quotes where it wants a string: write \"{text}\""),
            ))
        }
    }
}
