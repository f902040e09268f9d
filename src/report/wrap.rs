//! Lines of at most 72 columns where the words allow it: `remote: ` takes eight of a terminal's eighty.

const WIDTH: usize = 72;

/// `text` broken between words, every line behind `indent`; a word that is longer stands alone and is not broken.
pub(super) fn wrap(text: &str, indent: &str) -> String {
    let mut out = String::new();
    let mut column = 0;
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let length = word.chars().count();
        if column > 0 && column + 1 + length <= WIDTH {
            out.push(' ');
            column += 1 + length;
        } else {
            if column > 0 {
                out.push('\n');
            }
            out.push_str(indent);
            column = indent.len() + length;
        }
        out.push_str(word);
    }
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use super::wrap;

    #[test]
    fn lines_break_between_words_and_long_words_stay_whole() {
        let long = "x".repeat(90);
        let text = format!("{} {long} end", "word ".repeat(20));
        let lines: Vec<String> = wrap(&text, "  ").lines().map(str::to_owned).collect();
        assert!(lines.iter().all(|line| line.starts_with("  ") && (line.len() <= 72 || line.contains(&long))));
        assert!(lines.contains(&format!("  {long}")), "{lines:?}");
    }
}
