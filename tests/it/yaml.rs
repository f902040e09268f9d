//! YAML against serde_yaml, and against input that means no good.
use proptest::{collection::vec, prelude::*, sample::select};
use pullgate::yaml::{Document, ErrorKind, Kind, Limits, Node, Position, Stream, Style, parse, resolve};
use serde_yaml::Value;
use std::{collections::HashSet, fs, path::Path, time::Duration, time::Instant};

fn manifests() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/yaml");
    let mut paths: Vec<_> =
        fs::read_dir(folder).expect("the folder is there").flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths.into_iter().map(|path| (path.display().to_string(), fs::read(path).expect("a case is readable"))).collect()
}

fn read(bytes: &[u8]) -> Stream {
    parse(bytes, &Limits::default())
}

#[test]
fn manifests_are_read_as_serde_yaml_reads_them() {
    let mut strings = 0;
    for (path, bytes) in manifests() {
        let stream = read(&bytes);
        assert_eq!(stream.errors, [], "{path}");
        let documents = serde_yaml::Deserializer::from_slice(&bytes);
        let mut theirs: Vec<Value> =
            documents.map(|document| serde::Deserialize::deserialize(document).unwrap()).collect();
        theirs.retain(|value| !value.is_null());
        assert_eq!(stream.documents.len(), theirs.len(), "{path}");
        for (ours, theirs) in stream.documents.iter().zip(&mut theirs) {
            theirs.apply_merge().unwrap();
            compare(ours.root(), theirs, &mut strings);
        }
    }
    assert!(strings > 110, "only {strings} strings were compared");
}

fn core(node: Node<'_>) -> resolve::Value {
    resolve::core(node.scalar().expect("theirs is a scalar"))
}

fn compare(ours: Node<'_>, theirs: &Value, strings: &mut usize) {
    match theirs {
        Value::Mapping(mapping) => {
            assert_eq!(ours.entries().count(), mapping.len(), "{ours:?}");
            for (key, value) in mapping {
                let key = key.as_str().expect("the keys of the manifests are strings");
                compare(ours.get(key).unwrap_or_else(|| panic!("{key} in {ours:?}")), value, strings);
            }
        }
        Value::Sequence(items) => {
            assert_eq!(ours.items().count(), items.len(), "{ours:?}");
            ours.items().zip(items).for_each(|(ours, theirs)| compare(ours, theirs, strings));
        }
        Value::String(text) => {
            assert_eq!(ours.as_str(), Some(&**text), "{ours:?}");
            *strings += 1;
        }
        Value::Null => assert_eq!((ours.as_str(), ours.kind()), (None, Kind::Scalar), "{ours:?}"),
        Value::Bool(value) => assert_eq!(core(ours), resolve::Value::Bool(*value)),
        Value::Number(number) => match core(ours) {
            resolve::Value::Int(value) => assert_eq!(Some(value), number.as_i64().map(i128::from)),
            resolve::Value::Float(value) => assert_eq!(Some(value), number.as_f64()),
            other => panic!("{ours:?} is {other:?}"),
        },
        Value::Tagged(tagged) => compare(ours, &tagged.value, strings),
    }
}

/// Every node of a document, and every alias; behind an alias nothing comes twice.
fn nodes(document: &Document) -> Vec<Node<'_>> {
    let (mut nodes, mut seen) = (Vec::new(), HashSet::new());
    let mut waiting = vec![document.root()];
    while let Some(node) = waiting.pop() {
        nodes.push(node);
        if seen.insert(node.id()) {
            waiting.extend(node.entries().flat_map(|(key, value)| [key, value]));
            waiting.extend(node.items());
        }
    }
    nodes
}

/// Holds what the nodes say about places against the text. Returns how many nodes there are.
fn check_places(stream: &Stream, text: &str) -> usize {
    let lines = text.replace("\r\n", "\n").replace('\r', "\n");
    let lines: Vec<&str> = lines.split('\n').collect();
    let at = |place: Position| lines[place.line as usize - 1].chars().nth(place.column as usize - 1);
    let nodes: Vec<Node<'_>> = stream.documents.iter().flat_map(nodes).collect();
    for node in &nodes {
        assert!(node.used_at() == node.position() || at(node.used_at()) == Some('*'), "{node:?}");
        assert!(
            node.comment().is_none_or(|comment| lines[node.used_at().line as usize - 1..].concat().contains(comment))
        );
        if let Some(start) = node.content_start() {
            let text = node.scalar().expect("only a scalar has content").text;
            let (skip, first) = text
                .split('\n')
                .enumerate()
                .find(|(_, line)| !line.trim_matches(' ').is_empty())
                .expect("blank text has no start");
            let written = lines[start.line as usize - 1 + skip];
            assert_eq!(&written[start.column as usize - 1..], first, "{node:?}");
        }
        let Some(scalar) = node.scalar().filter(|scalar| !scalar.text.is_empty()) else { continue };
        let first = match scalar.style {
            Style::Plain => scalar.text.chars().next(),
            Style::SingleQuoted => Some('\''),
            Style::DoubleQuoted => Some('"'),
            Style::Literal => Some('|'),
            Style::Folded => Some('>'),
        };
        assert_eq!(at(node.position()), first, "{node:?}");
    }
    nodes.len()
}

/// Holds the two ways to read a mapping against each other.
fn check_entries(stream: &Stream) {
    for node in stream.documents.iter().flat_map(nodes) {
        for (key, value) in node.entries() {
            let found = key.scalar().map(|key| node.get(key.text).expect("an entry can be had by its key").id());
            assert!(found.is_none_or(|found| found == value.id()), "{node:?} has another value for {key:?}");
        }
    }
}

#[test]
fn what_nodes_say_about_places_is_what_stands_there() {
    let count: usize =
        manifests().iter().map(|(_, bytes)| check_places(&read(bytes), &String::from_utf8_lossy(bytes))).sum();
    assert!(count > 350, "{count}");
}

const TOKENS: &[&str] = &[
    "- ",
    "? ",
    ": ",
    "a: ",
    "&a ",
    "*a ",
    "<<: *a\n",
    "!!str ",
    "!t ",
    "[",
    "]",
    "{",
    "}",
    ", ",
    "'",
    "\"",
    "\\",
    "|\n",
    ">-\n",
    "|2\n",
    "# c\n",
    " #",
    "\n",
    "\n  ",
    "\r\n",
    "\r",
    "\t",
    "---\n",
    "...\n",
    "%YAML 1.2\n",
    "%TAG ! x\n",
    "{{ x }}",
    "{{- if }}",
    "~",
    "ü",
    "\u{2028}",
    "\u{85}",
    "\u{feff}",
    "\u{7f}",
    "1e9",
    "@",
    "`",
    "=",
];

/// Replaces part of a text by a token, again and again.
fn mutate(text: &str, edits: &[(prop::sample::Index, usize, &str)]) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for (index, length, token) in edits {
        let start = index.index(chars.len() + 1);
        let end = (start + length).min(chars.len());
        chars.splice(start..end, token.chars());
    }
    chars.into_iter().collect()
}

/// Without byte order marks, which are not counted as columns.
fn without_marks(text: &str) -> String {
    text.replace('\u{feff}', "")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_are_survived(bytes in vec(any::<u8>(), 0..512)) {
        let started = Instant::now();
        read(&bytes);
        prop_assert!(started.elapsed() < Duration::from_secs(1));
    }

    #[test]
    fn arbitrary_yaml_is_survived_and_its_places_are_right(tokens in vec(select(TOKENS), 0..40)) {
        let text = without_marks(&tokens.concat());
        let stream = read(text.as_bytes());
        check_places(&stream, &text);
        check_entries(&stream);
    }

    #[test]
    fn mutated_manifests_are_survived_and_their_places_are_right(
        manifest in any::<prop::sample::Index>(),
        edits in vec((any::<prop::sample::Index>(), 0..6_usize, select(TOKENS)), 1..8),
    ) {
        let manifests = manifests();
        let text = mutate(&String::from_utf8_lossy(&manifest.get(&manifests).1), &edits);
        let text = without_marks(&text);
        let started = Instant::now();
        let stream = read(text.as_bytes());
        prop_assert!(started.elapsed() < Duration::from_secs(1));
        check_places(&stream, &text);
        check_entries(&stream);
    }
}

/// How long it takes to read the text and to ask every node for its comment.
fn time(text: &str) -> (Stream, Duration) {
    let started = Instant::now();
    let stream = read(text.as_bytes());
    let comments = stream.documents.iter().flat_map(nodes).filter_map(Node::comment).count();
    assert!(comments <= text.len());
    (stream, started.elapsed())
}

#[test]
fn nesting_costs_no_time() {
    let (stream, took) = time(&"{a: ".repeat(20_000));
    assert_eq!(stream.errors[0].kind, ErrorKind::TooDeep(128));
    assert!(took < Duration::from_millis(500), "{took:?}");
}

#[test]
fn aliases_are_not_expanded() {
    let (stream, took) = time(&format!("a: &a {}\nb: [{}]\n", "x".repeat(100_000), "*a, ".repeat(20_000)));
    assert_eq!(stream.documents[0].root().get("b").unwrap().items().count(), 20_000);
    assert!(took < Duration::from_secs(1), "{took:?}");

    let mut laughs = String::from("a0: &a0 [lol]\n");
    for n in 1..60 {
        laughs += &format!("a{n}: &a{n} [{}]\n", format!("*a{}, ", n - 1).repeat(9));
    }
    let (stream, took) = time(&laughs);
    assert_eq!(stream.documents[0].root().entries().count(), 60);
    assert!(took < Duration::from_millis(500), "{took:?}");
}

#[test]
fn no_repeated_token_takes_more_than_linear_time() {
    for token in
        TOKENS.iter().chain(&["a: b\n", "- a\n", "a:\n- ", "'a': ", "|\n a\n", "&a a: *a\n", "[*a, &a ", "? [a]\n"])
    {
        let (_, took) = time(&token.repeat(100_000 / token.len()));
        assert!(took < Duration::from_secs(2), "{token:?} took {took:?}");
    }
}
