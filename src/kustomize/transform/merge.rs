//! Strategic merge, as kyaml's `merge2` does it: mappings merge, lists merge by the keys of the schema or are replaced,
//! null and `$patch` delete. The items that only the patch has come first.
use super::keyed::{Wanted, plain_values, put, put_behind};
use crate::kustomize::{
    object::Node,
    schema::{Schema, TypeOf},
};
use std::rc::Rc;

/// What comes of an object under a patch; `None` if the patch deletes it.
pub(in crate::kustomize) fn merge(object: Node, patch: &Node, schema: &Schema) -> Result<Option<Node>, String> {
    // kustomize drops what a patch of the whole object would replace it with.
    if directive(patch)? == Directive::Replace {
        return Ok(Some(object));
    }
    Merger { schema }.walk(Some(object), Some(patch), None)
}

struct Merger<'s> {
    schema: &'s Schema,
}

/// What `$patch` says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Directive {
    Merge,
    Replace,
    Delete,
}

const DIRECTIVE: &str = "$patch";

impl<'s> Merger<'s> {
    fn walk(&self, old: Option<Node>, patch: Option<&Node>, of: Option<TypeOf<'s>>) -> Result<Option<Node>, String> {
        let old_is_there = old.as_ref().is_some_and(|old| !old.is_null());
        let patch_is_there = patch.is_some_and(|patch| !patch.is_null());
        // A value that says its own kind brings its own type, as the templates of claims do.
        let of = of.or_else(|| old.as_ref().and_then(|old| self.schema.of_object(old)));
        let of = of.or_else(|| patch.and_then(|patch| self.schema.of_object(patch)));
        match (old, patch) {
            (Some(old), None) if old_is_there => self.keep(old, of).map(Some),
            (Some(old), None) => Ok(is_written_null(&old).then_some(old)),
            (_, Some(_)) if !patch_is_there => Ok(None),
            (Some(old), Some(patch)) if old_is_there => match (old, patch) {
                (old @ Node::Mapping(_), Node::Mapping(_)) => self.mappings(old, patch, of),
                (old @ Node::Sequence(_), Node::Sequence(_)) => self.sequences(old, patch, of),
                (Node::Scalar(old), Node::Scalar(new)) => Ok(Some(Node::Scalar(old.overridden_by(new)))),
                _ => Err("the patch has a value of another kind than the object".to_owned()),
            },
            (_, Some(patch)) => self.adopt(patch, of, true),
            (None, None) => Ok(None),
        }
    }

    fn mappings(&self, mut old: Node, patch: &Node, of: Option<TypeOf<'s>>) -> Result<Option<Node>, String> {
        match directive(patch)? {
            Directive::Delete => return Ok(None),
            Directive::Replace => return self.adopt(&without_directive(patch), of, true),
            Directive::Merge => {}
        }
        let mut keys: Vec<Rc<str>> = old.entries().iter().map(|(key, _)| Rc::clone(key)).collect();
        for (key, _) in patch.entries().iter().filter(|(key, _)| **key != *DIRECTIVE) {
            if !keys.contains(key) {
                keys.push(Rc::clone(key));
            }
        }
        for key in keys {
            let value = old.get_mut(&key).map(|value| std::mem::replace(value, Node::null()));
            match self.walk(value, patch.get(&key), of.and_then(|of| of.field(&key)))? {
                Some(value) => old.set(&key, value),
                None => drop(old.remove(&key)),
            }
        }
        Ok(Some(old))
    }

    fn sequences(&self, old: Node, patch: &Node, of: Option<TypeOf<'s>>) -> Result<Option<Node>, String> {
        let Some(keys) = of.and_then(TypeOf::merge_keys) else { return Ok(Some(patch.clone())) };
        let (directive, patch) = list_directive(patch)?;
        let items = of.and_then(TypeOf::items);
        match directive {
            Directive::Delete => Ok(None),
            Directive::Replace => self.associate(patch, &With::Itself, items, keys).map(Some),
            Directive::Merge => {
                let Node::Sequence(old) = old else { return Ok(None) };
                self.associate(old, &With::Patch(&patch), items, keys).map(Some)
            }
        }
    }

    /// What is left as it is, but for what a walk over it changes all the same: list items without their key, and blanks.
    fn keep(&self, old: Node, of: Option<TypeOf<'s>>) -> Result<Node, String> {
        Ok(match old {
            Node::Mapping(entries) => {
                let mut kept = Vec::with_capacity(entries.len());
                for (key, value) in entries {
                    let field = of.and_then(|of| of.field(&key));
                    if let Some(value) = self.walk(Some(value), None, field)? {
                        kept.push((key, value));
                    }
                }
                Node::Mapping(kept)
            }
            Node::Sequence(items) => match of.and_then(TypeOf::merge_keys) {
                Some(keys) => self.associate(items, &With::Nothing, of.and_then(TypeOf::items), keys)?,
                None => Node::Sequence(items),
            },
            scalar @ Node::Scalar(_) => scalar,
        })
    }

    /// What a patch adds where there was nothing: itself, without nulls and directives. At its top a directive that
    /// nobody knows is left alone.
    fn adopt(&self, patch: &Node, of: Option<TypeOf<'s>>, is_top: bool) -> Result<Option<Node>, String> {
        let of = of.or_else(|| self.schema.of_object(patch));
        match patch {
            Node::Scalar(_) => Ok((!patch.is_null()).then(|| patch.clone())),
            Node::Mapping(entries) => {
                match directive(patch) {
                    Ok(Directive::Delete) => return Ok(None),
                    Err(why) if !is_top => return Err(why),
                    _ => {}
                }
                let mut adopted = Vec::with_capacity(entries.len());
                for (key, value) in entries.iter().filter(|(key, _)| **key != *DIRECTIVE) {
                    if let Some(value) = self.adopt(value, of.and_then(|of| of.field(key)), false)? {
                        adopted.push((Rc::clone(key), value));
                    }
                }
                Ok(Some(Node::Mapping(adopted)))
            }
            Node::Sequence(items) => match of.and_then(TypeOf::merge_keys) {
                // At the top nobody looks for a directive of the list itself.
                Some(keys) => {
                    let items = if is_top { items.clone() } else { list_directive(patch)?.1 };
                    self.associate(items, &With::Itself, of.and_then(TypeOf::items), keys).map(Some)
                }
                None => Ok(Some(patch.clone())),
            },
        }
    }

    /// Merges lists whose items are known by keys: those of the patch in their order, then the others.
    fn associate(
        &self,
        mut rest: Vec<Node>,
        with: &With<'_>,
        of: Option<TypeOf<'s>>,
        keys: &[String],
    ) -> Result<Node, String> {
        let patch = if let With::Patch(items) = with { items } else { &[][..] };
        if keys.is_empty() {
            if rest.iter().chain(patch).any(|item| item.scalar().is_none()) {
                return Err("an item of a list that is merged by its values is no text".to_owned());
            }
            return Ok(Node::Sequence(plain_values(patch, rest)));
        }
        let wanted = Wanted::new(patch, &rest, keys);
        let mut merged: Vec<Node> = Vec::new();
        for values in &wanted.values {
            let of_item = wanted.pairs(values);
            let index = rest.iter().position(|item| of_item.are_in(item));
            let old = index.map(|index| std::mem::replace(&mut rest[index], Node::null()));
            let new = patch.iter().find(|item| of_item.are_in(item));
            let replaced = old.clone().filter(|_| new.is_some_and(|new| directive(new) == Ok(Directive::Replace)));
            let item = match (old, with) {
                (Some(old), With::Itself) => self.adopt(&old, of, false)?,
                (old, _) => self.walk(old, new, of)?,
            };
            let Some(mut item) = item.filter(|item| !item.is_empty() || matches!(item, Node::Sequence(_))) else {
                // Without a value for its key, this takes out every item that has the key.
                if of_item.values.iter().all(|value| value.is_empty()) && rest.iter().any(is_no_mapping) {
                    return Err("an item of a list that is merged by a key is no mapping".to_owned());
                }
                rest.retain(|item| !item.is_empty() && !of_item.might_be_in(item));
                continue;
            };
            of_item.complete(&mut item);
            if let Some(index) = index {
                // The item that is there already has the last word, so replacing one alone comes to nothing.
                rest[index] = replaced.unwrap_or_else(|| item.clone());
            }
            put(&mut merged, item, &of_item);
        }
        if let Some(last) = wanted.values.last() {
            for item in rest {
                put_behind(&mut merged, item, &wanted.pairs(last).keys);
            }
            return Ok(Node::Sequence(merged));
        }
        Ok(Node::Sequence(rest))
    }
}

/// What a list is merged with.
enum With<'p> {
    /// The items of a patch.
    Patch(&'p [Node]),
    /// It comes from a patch, and is new.
    Itself,
    /// Nothing; but an item without its key does not survive it.
    Nothing,
}

fn word(text: &str) -> Result<Directive, String> {
    match text {
        "merge" => Ok(Directive::Merge),
        "replace" => Ok(Directive::Replace),
        "delete" => Ok(Directive::Delete),
        _ => Err(format!("kustomize knows no patch strategy {text:?}")),
    }
}

fn directive(patch: &Node) -> Result<Directive, String> {
    let text = patch.get(DIRECTIVE).map(|value| value.scalar().map_or("", |scalar| &*scalar.text));
    text.map_or(Ok(Directive::Merge), word)
}

/// What an item that holds nothing but a directive says of the list, and the items without it.
fn list_directive(patch: &Node) -> Result<(Directive, Vec<Node>), String> {
    let items = patch.items();
    let first = items.iter().find(|item| item.get(DIRECTIVE).is_some()).filter(|item| item.entries().len() == 1);
    let Some(first) = first else { return Ok((Directive::Merge, items.to_vec())) };
    let said = directive(first)?;
    let is_other = |item: &&Node| !item.is_empty() && (item.get(DIRECTIVE).is_none() || directive(item) != Ok(said));
    Ok((said, items.iter().filter(is_other).cloned().collect()))
}

fn is_no_mapping(item: &Node) -> bool {
    !matches!(item, Node::Mapping(_)) && !item.is_null()
}

fn without_directive(patch: &Node) -> Node {
    let mut patch = patch.clone();
    patch.remove(DIRECTIVE);
    patch
}

/// Whether it is null because somebody wrote `null` or `~`: then it stays where no patch speaks of it.
fn is_written_null(node: &Node) -> bool {
    node.scalar().is_some_and(|scalar| !scalar.text.is_empty())
}
