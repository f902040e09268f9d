//! Lines and columns, and what else stands on a line.

/// A place in the text, as editors count: both from 1, columns in Unicode characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Position {
    /// 1-based.
    pub line: u32,
    /// 1-based, in characters.
    pub column: u32,
}

impl Position {
    /// The beginning of a file.
    pub const START: Self = Self { line: 1, column: 1 };

    /// The place after `text`, if this is the place before it.
    pub(super) fn after(mut self, text: &str) -> Self {
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                '\r' if chars.peek() == Some(&'\n') => {}
                '\n' | '\r' => self = Self { line: self.line + 1, column: 1 },
                _ => self.column += 1,
            }
        }
        self
    }
}

pub(super) const BREAKS: [char; 2] = ['\n', '\r'];

/// Splits at the first line break, which belongs to neither part.
pub(super) fn split_line(text: &str) -> (&str, &str) {
    let Some(end) = text.find(BREAKS) else { return (text, "") };
    let (line, rest) = text.split_at(end);
    (line, rest.strip_prefix("\r\n").unwrap_or(&rest[1..]))
}

/// The comment that ends the line on which `text` goes on at byte `from`, if only the end of a key or of collections
/// stands before it.
pub(super) fn comment(text: &str, from: usize) -> Option<&str> {
    let rest = text[from..].trim_start_matches([' ', '\t', ':', ',', ']', '}']);
    let comment = rest.strip_prefix('#')?;
    let before = &text[..text.len() - rest.len()];
    before.ends_with([' ', '\t']).then(|| split_line(comment).0.trim())
}

/// How many bytes the header of a block scalar takes: the indicator, chomping, indentation.
pub(super) fn block_header(text: &str) -> usize {
    text.len() - text[1..].trim_start_matches(['+', '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']).len()
}

/// Where an indicator such as `|` stands in the text between the event before a node and its content. Nothing but other
/// indicators, properties and comments can come before it.
pub(super) fn find_indicator(between: &str, indicators: &[char]) -> Option<usize> {
    let mut at = 0;
    loop {
        let rest = &between[at..];
        at += match rest.chars().next()? {
            c if indicators.contains(&c) => return Some(at),
            '#' => split_line(rest).0.len(),
            '&' | '!' => rest.find(|c: char| c.is_ascii_whitespace()).unwrap_or(rest.len()),
            c => c.len_utf8(),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::{Position, comment, find_indicator, split_line};

    #[test]
    fn every_kind_of_line_break_counts_once_and_columns_count_characters() {
        let after = |text: &str| Position::START.after(text);
        assert_eq!(after("a\nb\r\nc\rdä"), Position { line: 4, column: 3 });
        assert_eq!(after(""), Position::START);
        assert_eq!(split_line("a\r\n\nb"), ("a", "\nb"));
    }

    #[test]
    fn a_comment_needs_space_before_it_and_nothing_else_between() {
        assert_eq!(comment("a: x # y #z \r\n", 4), Some("y #z"));
        assert_eq!(comment("{a: [x]}\t#y", 6), Some("y"));
        assert_eq!(comment("[a]#x", 2), None);
        assert_eq!(comment("a b # c", 1), None);
        assert_eq!(comment("a\n# c", 1), None);
        assert_eq!(comment("a #", 1), Some(""));
    }

    #[test]
    fn an_indicator_is_found_behind_properties_and_comments() {
        assert_eq!(find_indicator(": &a|b !x # | \n  |-\n", &['|', '>']), Some(17));
        assert_eq!(find_indicator(":\n", &['-']), None);
    }
}
