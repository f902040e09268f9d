//! Lists whose items are known by the values of keys: which items there are, and how kyaml puts them into a list.
use crate::kustomize::object::Node;
use std::{collections::HashSet, rc::Rc};

/// The values of the keys that the items of the result have, in order.
pub(super) struct Wanted<'k> {
    keys: &'k [String],
    pub(super) values: Vec<Vec<String>>,
}

/// Keys with their values, which name an item.
pub(super) struct Pairs<'w> {
    pub(super) keys: Vec<&'w str>,
    pub(super) values: Vec<&'w str>,
}

impl<'k> Wanted<'k> {
    pub(super) fn new(patch: &[Node], old: &[Node], keys: &'k [String]) -> Self {
        let mut values: Vec<Vec<String>> = Vec::new();
        let mut seen = HashSet::new();
        for item in patch.iter().chain(old) {
            let value = |key: &String| match item.get(key) {
                Some(Node::Scalar(value)) if !value.is_null() => value.text.to_string(),
                _ => String::new(),
            };
            let own: Vec<String> = keys.iter().map(value).collect();
            if seen.insert(own.clone()) {
                values.push(own);
            }
        }
        // Two items are the same if they have a value in common and one lacks the others.
        if keys.len() > 1 {
            for one in 0..values.len() {
                for other in 0..values.len() {
                    if let Some(both) = completed(&values[one], &values[other]) {
                        values[one].clone_from(&both);
                        values[other] = both;
                    }
                }
            }
        }
        Self { keys, values }
    }

    /// The keys that any item has, with these values; all of them if no item has any.
    pub(super) fn pairs<'w>(&'w self, values: &'w [String]) -> Pairs<'w> {
        let is_used = |index: usize| self.values.iter().any(|values| !values[index].is_empty());
        let is_any_used = (0..self.keys.len()).any(is_used);
        let used = (0..self.keys.len()).filter(|&index| !is_any_used || is_used(index));
        let (keys, values) = used.map(|index| (self.keys[index].as_str(), values[index].as_str())).unzip();
        Pairs { keys, values }
    }
}

fn completed(one: &[String], other: &[String]) -> Option<Vec<String>> {
    let pairs = || one.iter().zip(other);
    let fits = pairs().all(|(a, b)| a == b || a.is_empty() || b.is_empty()) && pairs().any(|(a, b)| a == b);
    fits.then(|| pairs().map(|(a, b)| if a.is_empty() { b.clone() } else { a.clone() }).collect())
}

impl Pairs<'_> {
    fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.keys.iter().copied().zip(self.values.iter().copied())
    }

    /// Whether an item has every key with its value.
    pub(super) fn are_in(&self, item: &Node) -> bool {
        let text = |key| item.get(key).and_then(Node::scalar).map(|scalar| &*scalar.text);
        self.iter().all(|(key, value)| text(key) == Some(value))
    }

    /// The same, where an empty value is any.
    pub(super) fn might_be_in(&self, item: &Node) -> bool {
        self.iter().all(|(key, value)| match item.get(key) {
            Some(Node::Scalar(scalar)) => value.is_empty() || *scalar.text == *value,
            Some(_) => value.is_empty(),
            None => false,
        })
    }

    pub(super) fn complete(&self, item: &mut Node) {
        for (key, value) in self.iter().filter(|(_, value)| !value.is_empty()) {
            if item.get(key).is_none() {
                item.set(key, Node::string(value));
            }
        }
    }
}

/// Replaces the item that is meant, or adds it.
pub(super) fn put(items: &mut Vec<Node>, item: Node, pairs: &Pairs<'_>) {
    match items.iter_mut().find(|known| pairs.might_be_in(known)) {
        Some(known) => *known = item,
        None => items.push(item),
    }
}

/// Adds an item that is left over, in the way of kyaml: one that has none of its keys pushes out all before it.
pub(super) fn put_behind(items: &mut Vec<Node>, item: Node, keys: &[&str]) {
    let values: Vec<Option<&str>> =
        keys.iter().map(|key| item.get(key).map(|value| value.scalar().map_or("", |scalar| &*scalar.text))).collect();
    if values.iter().all(Option::is_none) {
        items.clear();
    }
    let known: Vec<&str> = values.iter().flatten().copied().collect();
    if known.len() == keys.len() {
        let pairs = Pairs { keys: keys.to_vec(), values: known };
        let place = items.iter().position(|item| pairs.might_be_in(item));
        let owned = item.clone();
        match place {
            Some(place) => items[place] = owned,
            None => items.push(owned),
        }
    } else {
        items.push(item);
    }
}

/// The values of a list of plain values: those of the patch, then the others.
pub(super) fn plain_values(patch: &[Node], old: Vec<Node>) -> Vec<Node> {
    let mut seen = HashSet::new();
    let all = patch.iter().cloned().chain(old);
    all.filter(|item| item.scalar().is_none_or(|scalar| seen.insert(Rc::clone(&scalar.text)))).collect()
}
