//! What a mapping means: duplicate keys and merge keys resolved.
//!
//! A merge key counts what is complete where it stands. A mapping that merges itself thus gains nothing, and merging
//! always ends; how much it may add in all is bounded when the document is built.
use super::{
    document::{Content, Document},
    scalar::Style,
};
use std::collections::HashMap;

/// The value of `key` in `mapping`; its last occurrence, else by merge keys.
pub(super) fn value(document: &Document, mapping: u32, key: &str) -> Option<u32> {
    let mut waiting = vec![mapping];
    while let Some(mapping) = waiting.pop() {
        let own = document.pairs(mapping).filter(|&(own, _)| document.scalar_text(own) == Some(key));
        if let Some((_, value)) = own.filter(|&(own, _)| !is_merge_key(document, own)).last() {
            return Some(value);
        }
        push_merged(document, mapping, &mut waiting);
    }
    None
}

/// The entries of `mapping` in effect: its own in the order of their first occurrence, then those merged.
pub(super) fn entries(document: &Document, mapping: u32) -> Vec<(u32, u32)> {
    let mut entries = Vec::new();
    // For each key where its entry is, and whose it is: a later one replaces it only in the same mapping.
    let mut known: HashMap<&str, (usize, u32)> = HashMap::new();
    let mut waiting = vec![mapping];
    while let Some(mapping) = waiting.pop() {
        for (key, value) in document.pairs(mapping).filter(|&(key, _)| !is_merge_key(document, key)) {
            let Some(text) = document.scalar_text(key) else {
                entries.push((key, value));
                continue;
            };
            let &mut (slot, owner) = known.entry(text).or_insert((entries.len(), mapping));
            if slot == entries.len() {
                entries.push((key, value));
            } else if owner == mapping {
                entries[slot] = (key, value);
            }
        }
        push_merged(document, mapping, &mut waiting);
    }
    entries
}

/// The keys of `mapping` that come again.
pub(super) fn overridden(document: &Document, mapping: u32) -> Vec<u32> {
    let mut last: HashMap<&str, u32> = HashMap::new();
    let keys = document.pairs(mapping).filter(|&(key, _)| !is_merge_key(document, key));
    keys.filter_map(|(key, _)| last.insert(document.scalar_text(key)?, key)).collect()
}

/// Whether `key` is `<<`, unquoted or tagged as a merge key.
pub(super) fn is_merge_key(document: &Document, key: u32) -> bool {
    let Content::Scalar { text, style, tag } = document.raw(document.resolved(key)).content else { return false };
    let is_tagged = || document.tags.get(tag as usize - 1).is_some_and(|tag| &**tag == "!!merge");
    document.text(text) == "<<" && if tag == 0 { style == Style::Plain } else { is_tagged() }
}

/// The mappings that `mapping` merges, the first in effect first. A later merge key comes before an earlier one, as a
/// later duplicate of any key does.
pub(super) fn merged(document: &Document, mapping: u32) -> Vec<u32> {
    let mut sources = Vec::new();
    let values: Vec<u32> =
        document.pairs(mapping).filter(|&(key, _)| is_merge_key(document, key)).map(|(_, value)| value).collect();
    for value in values.into_iter().rev() {
        // As in go-yaml, an alias can stand for a mapping here but not for a list of them.
        match document.raw(value).content {
            Content::Sequence { .. } => sources.extend(document.children(value)),
            _ => sources.push(value),
        }
    }
    sources.retain(|&source| is_complete(document, source));
    let targets = sources.into_iter().map(|source| document.resolved(source));
    targets.filter(|&target| document.is_mapping(target)).collect()
}

fn push_merged(document: &Document, mapping: u32, waiting: &mut Vec<u32>) {
    if matches!(document.raw(mapping).content, Content::Mapping { irregular: true, .. }) {
        waiting.extend(merged(document, mapping).into_iter().rev());
    }
}

/// Whether what `index` refers to was complete where `index` stands: it is no alias to something around it.
fn is_complete(document: &Document, index: u32) -> bool {
    let target = document.resolved(index);
    target == index || document.raw(target).next <= index
}

#[cfg(test)]
mod tests {
    use crate::yaml::{Limits, Node, parse};

    fn check(text: &str, test: impl Fn(Node<'_>)) {
        let stream = parse(text.as_bytes(), &Limits::default());
        assert_eq!(stream.errors, [], "{text}");
        test(stream.documents[0].root());
    }

    fn entries(node: Node<'_>) -> String {
        let text = |node: Node<'_>| node.as_str().unwrap_or("?").to_owned();
        node.entries().map(|(key, value)| format!("{}={} ", text(key), text(value))).collect()
    }

    #[test]
    fn of_duplicate_keys_the_last_wins_and_the_others_are_named() {
        check("a: 1\nb: 2\na: 3\n\"a\": 4\n", |root| {
            assert_eq!(root.get("a").unwrap().as_str(), Some("4"));
            assert_eq!(entries(root), "a=4 b=2 ");
            let lines: Vec<u32> = root.duplicate_keys().iter().map(|key| key.position().line).collect();
            assert_eq!(lines, [1, 3]);
        });
    }

    #[test]
    fn own_keys_come_before_merged_ones_and_earlier_merges_before_later_ones() {
        let text = "x: &x {a: x, b: x, c: x}\ny: &y {b: y, c: y, d: y}\nz: {<<: [*y, *x, {e: i}], c: own}\n";
        check(text, |root| {
            let z = root.get("z").unwrap();
            assert_eq!(entries(z), "c=own b=y d=y a=x e=i ");
            for (key, value) in [("a", "x"), ("b", "y"), ("c", "own"), ("d", "y"), ("e", "i")] {
                assert_eq!(z.get(key).unwrap().as_str(), Some(value), "{key}");
            }
            assert!(z.get("<<").is_none() && z.duplicate_keys().is_empty());
        });
    }

    #[test]
    fn merges_of_merges_are_followed_and_a_value_keeps_its_place() {
        check("a: &a {k: 1}\nb: &b\n  <<: *a\nc:\n  <<: *b\n", |root| {
            let value = root.get("c").unwrap().get("k").unwrap();
            assert_eq!((value.position().line, value.position().column), (1, 11));
        });
    }

    #[test]
    fn a_quoted_merge_key_is_a_key_and_a_tagged_one_merges() {
        check("a: &a {k: 1}\nb: {'<<': *a}\nc: {!!merge <<: *a}\n", |root| {
            assert!(root.get("b").unwrap().get("k").is_none() && root.get("b").unwrap().get("<<").is_some());
            assert_eq!(entries(root.get("c").unwrap()), "k=1 ");
        });
    }

    #[test]
    fn merging_oneself_or_something_around_adds_nothing() {
        for text in ["&a {<<: *a, k: 1}", "&a {k: 1, <<: [*a, *a]}", "k: 1\n<<: &b {<<: *b}"] {
            check(text, |root| assert_eq!(entries(root), "k=1 ", "{text}"));
        }
        check("&t {l: &l [*t], m: {<<: *t, n: {<<: *l}}}", |root| {
            assert_eq!(root.get("m").unwrap().entries().count(), 1);
            assert!(root.get("m").unwrap().get("n").unwrap().get("m").is_none());
        });
    }

    #[test]
    fn merging_what_is_no_mapping_adds_nothing() {
        check("a: &a x\nl: &l [{k: 1}]\nb: {<<: *a}\nc: {<<: [*a, 1, [2]]}\nd: {<<: *l}\ne: {<<: }\n", |root| {
            for (key, value) in root.entries().skip(2) {
                assert_eq!(value.entries().count(), 0, "{key:?}");
            }
        });
    }
}
