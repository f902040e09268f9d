//! A node of a document: the view that every reader has.
use super::{
    document::{Content, Document},
    lines::{self, Position},
    merge,
    resolve::is_null,
    scalar::{Scalar, Style},
};
use std::fmt;

/// A node, or an alias that stands for one. Everything but [`Node::used_at`] and [`Node::comment`] looks through the
/// alias. Anchors can make a document a graph with cycles: who walks it marks what it has seen by [`Node::id`].
#[derive(Clone, Copy)]
pub struct Node<'a> {
    document: &'a Document,
    index: u32,
}

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Keys and values.
    Mapping,
    /// Items.
    Sequence,
    /// Text, or null.
    Scalar,
}

impl<'a> Node<'a> {
    pub(super) fn new(document: &'a Document, index: u32) -> Self {
        Self { document, index }
    }

    fn resolved(self) -> u32 {
        self.document.resolved(self.index)
    }

    /// What it is.
    pub fn kind(self) -> Kind {
        match self.document.raw(self.resolved()).content {
            Content::Mapping { .. } => Kind::Mapping,
            Content::Sequence { .. } => Kind::Sequence,
            Content::Scalar { .. } | Content::Alias(_) => Kind::Scalar,
        }
    }

    /// The value of a key: of its last occurrence, else by merge keys (`<<`), of which the first that has it wins.
    /// `None` also if this is not a mapping.
    pub fn get(self, key: &str) -> Option<Node<'a>> {
        merge::value(self.document, self.resolved(), key).map(|index| Self::new(self.document, index))
    }

    /// Keys and values as the mapping means them: of duplicate keys the last, merge keys replaced by what they add.
    /// Keys that are no scalars are kept as they are. Empty if this is not a mapping.
    pub fn entries(self) -> impl Iterator<Item = (Node<'a>, Node<'a>)> {
        let (document, mapping) = (self.document, self.resolved());
        let irregular = matches!(document.raw(mapping).content, Content::Mapping { irregular: true, .. });
        let written = (!irregular).then(|| document.pairs(mapping)).into_iter().flatten();
        let meant = irregular.then(|| merge::entries(document, mapping)).into_iter().flatten();
        written.chain(meant).map(move |(key, value)| (Self::new(document, key), Self::new(document, value)))
    }

    /// The items of a sequence; empty for anything else.
    pub fn items(self) -> impl Iterator<Item = Node<'a>> {
        let (document, index) = (self.document, self.resolved());
        let is_sequence = matches!(document.raw(index).content, Content::Sequence { .. });
        let items = is_sequence.then(|| document.children(index)).into_iter().flatten();
        items.map(move |item| Self::new(document, item))
    }

    /// The scalar; `None` for a collection.
    pub fn scalar(self) -> Option<Scalar<'a>> {
        let Content::Scalar { text, style, tag } = self.document.raw(self.resolved()).content else { return None };
        let tag = (tag as usize).checked_sub(1).map(|tag| &*self.document.tags[tag]);
        Some(Scalar { text: self.document.text(text), style, tag })
    }

    /// The text of a scalar of any type; `None` for null and for collections.
    pub fn as_str(self) -> Option<&'a str> {
        self.scalar().filter(|scalar| !is_null(*scalar)).map(|scalar| scalar.text)
    }

    /// Where the content starts: at the quote if there is one, at the `|` or `>` of a block scalar. Behind an alias,
    /// where the anchor's content stands, because that is what a person edits.
    pub fn position(self) -> Position {
        self.document.raw(self.resolved()).position
    }

    /// Where the alias stands, else the same as [`Node::position`].
    pub fn used_at(self) -> Position {
        self.document.raw(self.index).position
    }

    /// Where the content of a literal block starts: the line after the `|`, at the column of its indentation. A place
    /// inside the text is this far from the same place in the document. `None` for anything else and for blank text.
    pub fn content_start(self) -> Option<Position> {
        let raw = self.document.raw(self.resolved());
        let Content::Scalar { text, style: Style::Literal, .. } = raw.content else { return None };
        let spaces = |line: &str| line.len() - line.trim_start_matches(' ').len();
        let first = |text: &'a str| text.split(lines::BREAKS).find(|line| !line.trim_matches(' ').is_empty());
        let written = first(lines::split_line(&self.document.source[raw.start as usize..]).1)?;
        let indentation = spaces(written).checked_sub(spaces(first(self.document.text(text))?))?;
        Some(Position { line: raw.position.line + 1, column: indentation as u32 + 1 })
    }

    /// The comment that follows on the same line, without `#` and trimmed. After the last item of a flow collection the
    /// comment belongs to both; the comment after `key:` belongs to the key.
    pub fn comment(self) -> Option<&'a str> {
        let (source, raw) = (&*self.document.source, self.document.raw(self.index));
        let end = match raw.content {
            Content::Mapping { flow: false, .. } | Content::Sequence { flow: false } => return None,
            Content::Scalar { style: Style::Literal | Style::Folded, .. } => {
                raw.start as usize + lines::block_header(&source[raw.start as usize..])
            }
            _ => raw.end as usize,
        };
        lines::comment(source, end)
    }

    /// The same number for the same content of this document, however it is reached.
    pub fn id(self) -> usize {
        self.resolved() as usize
    }

    /// The keys that a later occurrence of the same key in this mapping makes void.
    pub fn duplicate_keys(self) -> Vec<Node<'a>> {
        let lost = merge::overridden(self.document, self.resolved());
        lost.into_iter().map(|key| Self::new(self.document, key)).collect()
    }

    /// Whether this is a template expression: a scalar that begins with `{{`, or the mapping with a mapping as its key
    /// as which YAML reads an unquoted one.
    pub fn is_template(self) -> bool {
        let raw = self.document.raw(self.resolved());
        match raw.content {
            Content::Mapping { flow: true, .. } => self.document.source[raw.start as usize..].starts_with("{{"),
            Content::Scalar { text, .. } => self.document.text(text).trim_start().starts_with("{{"),
            _ => false,
        }
    }
}

impl fmt::Debug for Node<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Position { line, column } = self.used_at();
        write!(f, "{:?} at {line}:{column}", self.kind())?;
        self.scalar().map_or(Ok(()), |scalar| write!(f, " {:?}", scalar.text))
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, Node, Position, Style};
    use crate::yaml::{Limits, parse};

    fn check(text: &str, test: impl Fn(Node<'_>)) {
        let stream = parse(text.as_bytes(), &Limits::default());
        assert_eq!(stream.errors, [], "{text}");
        test(stream.documents[0].root());
    }

    fn place(node: Option<Node<'_>>) -> (u32, u32) {
        let Position { line, column } = node.unwrap().position();
        (line, column)
    }

    #[test]
    fn every_way_to_write_a_scalar_gives_its_text_its_style_and_its_place() {
        for (text, want, style, at) in [
            ("k: a b", "a b", Style::Plain, (1, 4)),
            ("k: a\n  b # c", "a b", Style::Plain, (1, 4)),
            ("k:\n  a", "a", Style::Plain, (2, 3)),
            ("k: a#b\t", "a#b", Style::Plain, (1, 4)),
            ("k: 'it''s'", "it's", Style::SingleQuoted, (1, 4)),
            ("k: \"a\\x2eb\\u00fc\"", "a.bü", Style::DoubleQuoted, (1, 4)),
            ("k: \"1.4\"", "1.4", Style::DoubleQuoted, (1, 4)),
            ("? k\n: !t &x a", "a", Style::Plain, (2, 9)),
            ("\"k\": a\r\n...\r\n", "a", Style::Plain, (1, 6)),
            ("ü: ü\nk: a", "a", Style::Plain, (2, 4)),
            ("{ü: ü, k: a}", "a", Style::Plain, (1, 11)),
            ("k: |\n a\n  b\n", "a\n b\n", Style::Literal, (1, 4)),
            ("k: !!str &b|c # |\n  |2-\n   a\n", " a", Style::Literal, (2, 3)),
            ("k: |\n---\n", "", Style::Literal, (1, 4)),
            ("k: >-\n\n  a\n  b\n", "\na b", Style::Folded, (1, 4)),
            ("k: |\r\n  a\r\n  b\r\n", "a\nb\n", Style::Literal, (1, 4)),
            ("k: |\n  ---\n  a: b\n", "---\na: b\n", Style::Literal, (1, 4)),
        ] {
            check(text, |root| {
                let scalar = root.get("k").and_then(Node::scalar).unwrap();
                assert_eq!((scalar.text, scalar.style, place(root.get("k"))), (want, style, at), "{text:?}");
            });
        }
    }

    #[test]
    fn null_has_no_text_unless_it_is_quoted_or_tagged() {
        check("- \n- ~\n- null\n- ''\n- !!str\n- !!str ~\n- !!null ''\n- 1.10\n- no\n", |root| {
            let texts: Vec<_> = root.items().map(Node::as_str).collect();
            assert_eq!(texts, [None, None, None, Some(""), Some(""), Some("~"), None, Some("1.10"), Some("no")]);
        });
    }

    #[test]
    fn tags_are_kept_in_short() {
        check("- !!str a\n- !<tag:yaml.org,2002:int> 1\n- !Sub b\n- ! c\n- !!binary ZA==\n- d\n", |root| {
            let tags: Vec<_> = root.items().map(|item| item.scalar().unwrap().tag.unwrap_or("-")).collect();
            assert_eq!(tags, ["!!str", "!!int", "!Sub", "!", "!!binary", "-"]);
        });
    }

    #[test]
    fn collections_start_at_their_first_character() {
        check("a:\n  b: 1\nc: &x\n- d\ne: [f]\ng: !t {h: 1}\n", |root| {
            assert_eq!(place(root.get("a")), (2, 3));
            assert_eq!(place(root.get("c")), (4, 1));
            assert_eq!(place(root.get("e")), (5, 4));
            assert_eq!(place(root.get("g")), (6, 7));
            check("c: &a-b # -\n- # -\n  - - d\ne:\n  - f", |root| {
                assert_eq!((place(root.get("c")), place(root.get("e"))), ((2, 1), (5, 3)));
                assert_eq!(place(root.get("c").unwrap().items().next()), (3, 3));
            });
            assert_eq!((root.kind(), root.get("c").unwrap().kind()), (Kind::Mapping, Kind::Sequence));
        });
    }

    #[test]
    fn an_alias_is_its_anchor_and_knows_where_it_stands() {
        check("a: &x {k: 1}\nb: *x\nc: &x 2\nd: *x # e\n*x : f\n", |root| {
            let [a, b, d] = ["a", "b", "d"].map(|key| root.get(key).unwrap());
            assert_eq!((a.id(), a.position(), b.kind()), (b.id(), b.position(), Kind::Mapping));
            assert_eq!((b.used_at(), a.used_at()), (Position { line: 2, column: 4 }, a.position()));
            assert_eq!(b.get("k").unwrap().as_str(), Some("1"));
            assert_eq!((d.as_str(), d.comment()), (Some("2"), Some("e")));
            assert_eq!(root.get("2").unwrap().as_str(), Some("f"));
        });
    }

    #[test]
    fn a_node_that_contains_itself_is_one_node() {
        check("&a [*a, {b: *a}]", |root| {
            assert_eq!(root.items().next().unwrap().id(), root.id());
            assert_eq!(root.items().nth(1).unwrap().get("b").unwrap().items().count(), 2);
        });
    }

    #[test]
    fn a_comment_belongs_to_what_it_follows() {
        let setter = r#"{"$imagepolicy": "flux-system:app:tag"}"#;
        for (text, want) in [
            (format!("k: a # {setter}\n"), Some(setter)),
            (format!("k: 'a'\t#{setter}"), Some(setter)),
            ("k: a\n# b\n".into(), None),
            ("k: a#b\n".into(), None),
            ("k: | # b\n  a # c\n".into(), Some("b")),
            ("k: |\n  a # c\n".into(), None),
            ("k: {a: 1, b: 2} # c\n".into(), Some("c")),
            ("k: a\n  b # c\n".into(), Some("c")),
            ("k: # c\n  a: b # d\n".into(), None),
            ("{k: a, b: c} # d".into(), None),
        ] {
            check(&text, |root| assert_eq!(root.get("k").unwrap().comment(), want, "{text:?}"));
        }
        check("k: # c\n  - {a: 1, b: 2} # d\n", |root| {
            let (key, value) = root.entries().next().unwrap();
            assert_eq!(key.comment(), Some("c"));
            let last = value.items().next().unwrap().get("b").unwrap();
            assert_eq!(last.comment(), Some("d"));
        });
    }

    #[test]
    fn the_content_of_a_literal_block_can_be_found() {
        for (text, want) in [
            ("k: |\n  a: b\n", Some((2, 3))),
            ("a:\n  k: |-\r\n\r\n    a: b\r\n", Some((3, 5))),
            ("k: |1\n   a\n", Some((2, 2))),
            ("k: |\n   \n", None),
            ("k: >\n  a\n", None),
            ("k: a\n", None),
        ] {
            check(text, |root| {
                let k = root.get("k").or_else(|| root.get("a")?.get("k")).unwrap();
                assert_eq!(k.content_start().map(|at| (at.line, at.column)), want, "{text:?}");
            });
        }
    }

    #[test]
    fn templates_that_are_yaml_are_known_as_what_they_are() {
        check("a: {{ .Values.x }}\nb: '{{ .Values.y }}:1'\nc: {d: e}\nf: x{{ y }}\n", |root| {
            let templates: Vec<_> = root.entries().map(|(_, value)| value.is_template()).collect();
            assert_eq!(templates, [true, true, false, false]);
        });
    }

    #[test]
    fn asking_a_node_for_what_it_is_not_gives_nothing() {
        check("- a", |root| {
            assert!(root.get("a").is_none() && root.entries().next().is_none() && root.scalar().is_none());
            assert!(root.items().next().unwrap().items().next().is_none() && root.duplicate_keys().is_empty());
        });
    }
}
