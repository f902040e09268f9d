//! A stream of documents, read within limits.
use super::{
    builder::{Builder, offset, position},
    decode,
    document::Document,
    error::{Error, ErrorKind},
    limits::Limits,
    lines::Position,
    template,
};
use granit_parser::{ErrorKind as Fault, Event, Options, Parser, ScanError, options};
use std::{sync::Arc, time::Instant};

/// What could be read, and what could not.
#[derive(Debug, Default)]
pub struct Stream {
    /// The documents that have content and could be read.
    pub documents: Vec<Document>,
    /// In the order of the text. Without any, `documents` is all there is.
    pub errors: Vec<Error>,
}

/// Reads a stream of YAML documents. A broken document is lost alone; reading goes on at the next document marker.
pub fn parse(bytes: &[u8], limits: &Limits) -> Stream {
    let mut stream = Stream::default();
    if bytes.len() > limits.bytes.min(MOST_BYTES) {
        stream.errors.push(ErrorKind::TooLarge(limits.bytes.min(MOST_BYTES)).at(Position::START));
        return stream;
    }
    match decode::text(bytes) {
        Ok((text, invalid)) => {
            stream.errors.extend(invalid);
            read(&text, limits, &mut stream);
        }
        Err(error) => stream.errors.push(error),
    }
    stream
}

/// Offsets are kept in 32 bits, and decoding can triple a text.
const MOST_BYTES: usize = u32::MAX as usize / 4;

/// The clock is looked at once in so many events.
const EVENTS_A_LOOK: usize = 1024;

fn read(text: &str, limits: &Limits, stream: &mut Stream) {
    let started = Instant::now();
    let mut parser = Parser::new_from_str_with_options(text, options_of(limits));
    let mut builder = Builder::new(Arc::from(text), limits);
    // Whether the last event ended a document, with neither `---` nor `...` to be seen yet.
    let mut loose_end = false;
    for count in 1_usize.. {
        let Some(event) = parser.next_event() else { return };
        let late = count.is_multiple_of(EVENTS_A_LOOK) && started.elapsed() > limits.time;
        let ended = matches!(&event, Ok((Event::DocumentEnd, span)) if span.is_empty());
        let built = match event {
            Ok((_, span)) if late => Err(ErrorKind::TimedOut(limits.time).at(position(span.start))),
            Ok((event, span)) => builder.take(event, span),
            Err(error) => {
                // What follows belongs to the document, which is thus not what it seemed to be.
                stream.documents.pop_if(|_| loose_end);
                Err(explain(&error, text, limits))
            }
        };
        loose_end = ended && matches!(built, Ok(Some(_)));
        match built {
            Ok(document) => stream.documents.extend(document),
            Err(error) => {
                let stop = error.kind.ends_the_stream() || stream.errors.len() > limits.documents;
                stream.errors.push(error);
                builder.abandon();
                if stop || !parser.proceed_next_document().unwrap_or(false) {
                    return;
                }
            }
        }
    }
}

fn options_of(limits: &Limits) -> Options {
    // Comments are looked up in the text when somebody asks: as events, many of them in a row are an error.
    let mut options = options! { flow_nesting_limit: limits.depth, block_nesting_limit: limits.depth };
    options.set_emit_comments(false);
    options
}

fn explain(error: &ScanError, text: &str, limits: &Limits) -> Error {
    let marker = *error.marker();
    if matches!(error.kind(), Fault::RecursionLimitExceeded) {
        return ErrorKind::TooDeep(limits.depth).at(position(marker));
    }
    match template::near(text, offset(marker), marker.line() as u32) {
        Some(expression) => ErrorKind::Template.at(expression),
        None => ErrorKind::Syntax(error.kind().to_string()).at(position(marker)),
    }
}

#[cfg(test)]
mod tests {
    use super::{ErrorKind, Limits, Stream, parse};
    use std::time::Duration;

    fn read(text: &str) -> Stream {
        parse(text.as_bytes(), &Limits::default())
    }

    /// The lines of the documents, then line, column and kind of the errors.
    fn outline(stream: &Stream) -> (Vec<u32>, Vec<(u32, u32, &ErrorKind)>) {
        let errors = stream.errors.iter().map(|e| (e.position.line, e.position.column, &e.kind));
        (stream.documents.iter().map(super::Document::line).collect(), errors.collect())
    }

    #[test]
    fn empty_documents_are_left_out() {
        let lines = |text: &str| outline(&read(text)).0;
        assert_eq!(lines(""), [0; 0]);
        assert_eq!(lines("# only a comment\n"), [0; 0]);
        assert_eq!(lines("---\n# a\n---\na: 1\n...\n---\n---\nb: 2\n---\n"), [4, 8]);
        assert_eq!(lines("%YAML 1.2\n--- a\n"), [2]);
    }

    #[test]
    fn a_broken_document_is_lost_alone() {
        for broken in ["a: 'x\nb: 1", "a: [b\nc: d", "a: b: c", "a: *b", "a: \"\\q\"", "- a\nb: c", "[a]\nb: c", "%TAG"]
        {
            let text = format!("first: 1\n---\n{broken}\n---\nlast: |\n  ---\n  x\n");
            let stream = read(&text);
            let (documents, errors) = outline(&stream);
            assert_eq!(documents.len(), 2, "{broken:?} {errors:?}");
            assert!(matches!(errors[..], [(3..=5, _, ErrorKind::Syntax(_))]), "{broken:?} {errors:?}");
            assert!(stream.documents[1].root().get("last").is_some());
        }
    }

    #[test]
    fn places_are_right_after_a_document_that_was_lost() {
        let stream = read("a: *b |\n c\n...\n# d\n|\n  e\n");
        let root = stream.documents[0].root();
        assert_eq!((root.as_str(), root.position().line), (Some("e\n"), 5));
    }

    #[test]
    fn a_template_is_an_error_of_its_own_at_the_expression() {
        for (template, at) in [
            ("a: 1\n{{- if .x }}\nb: 2\n{{- end }}", (2, 1)),
            ("a:\n  {{- toYaml .x | nindent 2 }}", (2, 3)),
            ("image: {{ .a }}:{{ .b }}", (1, 8)),
            ("a: b\n{{ if .x }}\n\nc: d\n{{ end }}", (2, 1)),
            ("a: \"{{ .x | default \"y\" }}\"", (1, 5)),
            ("{{/* a comment */}}\na: b", (1, 1)),
        ] {
            let stream = read(&format!("{template}\n---\nok: 1\n"));
            let (documents, errors) = outline(&stream);
            assert_eq!(documents.len(), 1, "{template:?}");
            assert_eq!(errors, [(at.0, at.1, &ErrorKind::Template)], "{template:?}");
        }
        let quoted = read("a: '{{ .x }}'\nb: 1\nc: 'x\n");
        assert!(matches!(quoted.errors[0].kind, ErrorKind::Syntax(_)));
    }

    #[test]
    fn limits_end_what_they_limit() {
        let default = Limits::default();
        let kind = |text: &str, limits: Limits| {
            let stream = parse(text.as_bytes(), &limits);
            (stream.documents.len(), stream.errors.first().map(|error| error.kind.clone()))
        };
        let documents = |documents| Limits { documents, ..default.clone() };
        assert_eq!(kind("a: 1", Limits { bytes: 3, ..default.clone() }), (0, Some(ErrorKind::TooLarge(3))));
        assert_eq!(kind("a\n---\nb\n---\nc", documents(2)), (2, Some(ErrorKind::TooManyDocuments(2))));
        assert_eq!(kind("---\n---\n---\n", documents(2)), (0, Some(ErrorKind::TooManyDocuments(2))));
        let nodes = |nodes| Limits { nodes, ..default.clone() };
        assert_eq!(kind("a\n---\n[b, c, d]", nodes(4)), (1, Some(ErrorKind::TooManyNodes(4))));
        let no_time = Limits { time: Duration::ZERO, ..default.clone() };
        assert_eq!(kind(&"- a\n".repeat(9999), no_time), (0, Some(ErrorKind::TimedOut(Duration::ZERO))));
    }

    #[test]
    fn depth_counts_collections_of_both_kinds_together() {
        let limits = Limits { depth: 4, ..Limits::default() };
        for (text, fits) in
            [("[[[[]]]]", true), ("[[[[[]]]]]", false), ("a: {b: [c: d]}", true), ("- - - - - a", false)]
        {
            let text = format!("{text}\n---\nok: 1\n");
            let stream = parse(text.as_bytes(), &limits);
            assert_eq!(stream.documents.len(), if fits { 2 } else { 1 }, "{text}");
            assert_eq!(stream.errors.first().map(|e| &e.kind), (!fits).then_some(&ErrorKind::TooDeep(4)), "{text}");
        }
        for deep in ["[".repeat(10_000), "- ".repeat(10_000), "{a: ".repeat(10_000), "? ".repeat(10_000)] {
            assert_eq!(read(&deep).errors[0].kind, ErrorKind::TooDeep(128));
        }
    }

    #[test]
    fn what_merge_keys_add_is_bounded() {
        let mut text = String::from("k0: &k0 {a: b}\n");
        for n in 1..5000 {
            text += &format!("k{n}: &k{n} {{<<: *k{}, x{n}: y}}\n", n - 1);
        }
        assert!(matches!(read(&text).errors[..], [crate::yaml::Error { kind: ErrorKind::TooManyNodes(_), .. }]));
    }

    #[test]
    fn what_is_no_text_has_no_documents() {
        let stream = parse(b"a: 1\n\0", &Limits::default());
        assert!(stream.documents.is_empty() && matches!(stream.errors[0].kind, ErrorKind::Encoding(_)));
        let lossy = parse(b"a: caf\xe9\nb: 2\n", &Limits::default());
        assert!(lossy.documents.len() == 1 && matches!(lossy.errors[0].kind, ErrorKind::Encoding(_)));
    }

    #[test]
    fn an_error_says_where_and_what() {
        let error = read("a: [b\n").errors.remove(0).to_string();
        assert!(error.starts_with("line 1, column 4: unclosed bracket"), "{error}");
    }
}
