//! Bytes to text: UTF-8, or UTF-16 with a byte order mark.
use super::{
    error::{Error, ErrorKind},
    lines::Position,
};
use std::borrow::Cow;

const NOT_UTF8: ErrorKind = ErrorKind::Encoding("the text is not valid UTF-8");
const NOT_UTF16: ErrorKind = ErrorKind::Encoding("the text is not valid UTF-16");
const NOT_TEXT: ErrorKind = ErrorKind::Encoding("not a text: there are NUL bytes in it");

/// The text without byte order marks. What is not valid becomes U+FFFD and an error beside the text, so that what can
/// be read is read; something with NUL bytes is no text.
pub(super) fn text(bytes: &[u8]) -> Result<(Cow<'_, str>, Option<Error>), Error> {
    let (text, invalid) = match bytes {
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => utf8(rest),
        _ => utf8(bytes),
    };
    if let Some(at) = text.find('\0') {
        return Err(NOT_TEXT.at(Position::START.after(&text[..at])));
    }
    // Files that were put together keep their marks; at the start of a line they are nothing but that.
    let text = if text.contains("\n\u{feff}") { text.replace("\n\u{feff}", "\n").into() } else { text };
    Ok((text, invalid))
}

fn utf8(bytes: &[u8]) -> (Cow<'_, str>, Option<Error>) {
    let text = String::from_utf8_lossy(bytes);
    let invalid = matches!(text, Cow::Owned(_)).then(|| first_invalid(&text, NOT_UTF8));
    (text, invalid)
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> (Cow<'static, str>, Option<Error>) {
    let (pairs, odd) = bytes.as_chunks();
    let decoded = char::decode_utf16(pairs.iter().copied().map(unit));
    let mut valid = odd.is_empty();
    let text: String =
        decoded.map(|c| c.inspect_err(|_| valid = false).unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
    let invalid = (!valid).then(|| first_invalid(&text, NOT_UTF16));
    (text.into(), invalid)
}

fn first_invalid(text: &str, kind: ErrorKind) -> Error {
    let at = text.find(char::REPLACEMENT_CHARACTER).unwrap_or(text.len());
    kind.at(Position::START.after(&text[..at]))
}

#[cfg(test)]
mod tests {
    use super::{NOT_TEXT, NOT_UTF8, NOT_UTF16, text};
    use crate::yaml::Position;

    fn encode(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn byte_order_marks_choose_the_encoding_and_vanish() {
        let sample = "\u{feff}a: ü😀\n";
        for bytes in [sample.as_bytes().to_vec(), encode(sample, u16::to_be_bytes), encode(sample, u16::to_le_bytes)] {
            assert_eq!(text(&bytes).unwrap(), ("a: ü😀\n".into(), None));
        }
        assert_eq!(text("\u{feff}a\n---\n\u{feff}b".as_bytes()).unwrap().0, "a\n---\nb");
    }

    #[test]
    fn what_is_not_valid_is_replaced_and_reported() {
        let (read, error) = text(b"a: b\nc: caf\xe9\n").unwrap();
        assert_eq!(read, "a: b\nc: caf\u{fffd}\n");
        assert_eq!(error, Some(NOT_UTF8.at(Position { line: 2, column: 7 })));
        assert_eq!(text(b"\xff\xfea\0\x00\xd8").unwrap().1.unwrap().kind, NOT_UTF16);
        assert_eq!(text(b"\xff\xfea\0b").unwrap().1.unwrap().kind, NOT_UTF16);
    }

    #[test]
    fn nul_bytes_mean_that_it_is_no_text() {
        assert_eq!(text(b"a\nb\0").unwrap_err(), NOT_TEXT.at(Position { line: 2, column: 2 }));
        assert_eq!(text(b"\xff\xfe\0\0a\0\0\0").unwrap_err().kind, NOT_TEXT);
    }
}
