//! Whether an error is a template's: then it is for the renderer to judge, not a slip of the pen.
use super::lines::{BREAKS, Position};

/// The template expression that the parser tripped over at byte `offset` of `text` on `line`: on the same line, or on
/// the line with content before it, because `{{ if }}` alone is YAML and only what follows is not.
pub(super) fn near(text: &str, offset: usize, line: u32) -> Option<Position> {
    let offset = (0..=offset.min(text.len())).rev().find(|&at| text.is_char_boundary(at))?;
    let start = text[..offset].rfind(BREAKS).map_or(0, |at| at + 1);
    let end = text[start..].find(BREAKS).map_or(text.len(), |length| start + length);
    expression(&text[start..end], line).or_else(|| {
        let above = text[..start].trim_end();
        let blank = Position { line: 0, column: 1 }.after(&text[above.len()..start]).line;
        expression(&above[above.rfind(BREAKS).map_or(0, |at| at + 1)..], line.checked_sub(blank)?)
    })
}

fn expression(text: &str, line: u32) -> Option<Position> {
    let before = &text[..text.find("{{")?];
    Some(Position { line, ..Position::START.after(before) })
}

#[cfg(test)]
mod tests {
    use super::{Position, near};

    #[test]
    fn an_expression_is_looked_for_on_the_line_and_the_one_before() {
        let text = "a: {{ x }}\r\n\r\n  b: ü{{ y }}: c\n\nd\ne";
        let at = |needle: &str, line| near(text, text.find(needle).unwrap(), line);
        assert_eq!(at(": c", 3), Some(Position { line: 3, column: 7 }));
        assert_eq!(at("d", 5), Some(Position { line: 3, column: 7 }));
        assert_eq!(at("e", 6), None);
        assert_eq!(near(text, 999, 6), None);
        assert_eq!(near("", 0, 1), None);
    }
}
