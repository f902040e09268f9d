//! What git hands a hook: ref updates.
use crate::tree::ObjectId;
use std::fmt;

/// One line of a push: a ref moves from one object to another.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RefUpdate {
    /// Where the ref pointed; `None` if the push creates it.
    pub old: Option<ObjectId>,
    /// Where it will point; `None` if the push deletes it.
    pub new: Option<ObjectId>,
    /// The ref.
    pub name: RefName,
}

/// A full ref name such as `refs/heads/main`, as bytes: git does not ask for UTF-8.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RefName(Vec<u8>);

impl RefName {
    /// From bytes as git writes them.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// UTF-8 as it is, anything else with U+FFFD; not escaped for a terminal (see `verdict::escape`).
impl fmt::Display for RefName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.0))
    }
}

impl fmt::Debug for RefName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.to_string())
    }
}

/// A line that is not `old new ref`.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of standard input is not \"<old id> <new id> <ref>\": {reason}")]
pub struct Malformed {
    /// 1-based.
    pub line: usize,
    /// What is wrong with it.
    pub reason: &'static str,
}

/// Reads the lines that git writes to a pre-receive hook. Blank lines (Gitea's delegate sends one) and CRLF are
/// tolerated, ids have 40 or 64 hexadecimal digits; anything else is an error, because a line that we cannot read is a
/// push that we cannot judge.
pub fn parse(input: &[u8]) -> Result<Vec<RefUpdate>, Malformed> {
    let lines = input.split(|&b| b == b'\n').enumerate();
    lines
        .map(|(index, line)| (index + 1, line.strip_suffix(b"\r").unwrap_or(line)))
        .filter(|(_, line)| !line.is_empty())
        .map(|(number, line)| parse_line(line).map_err(|reason| Malformed { line: number, reason }))
        .collect()
}

fn parse_line(line: &[u8]) -> Result<RefUpdate, &'static str> {
    let mut fields = line.splitn(3, |&b| b == b' ');
    let mut id = |what| fields.next().and_then(ObjectId::from_hex).ok_or(what);
    let old = id("the old id is not 40 or 64 hexadecimal digits")?;
    let new = id("the new id is not 40 or 64 hexadecimal digits")?;
    if old.as_bytes().len() != new.as_bytes().len() {
        return Err("the two ids have different lengths");
    }
    let name = fields.next().filter(|name| !name.is_empty()).ok_or("there is no ref name")?;
    let present = |id: ObjectId| (!id.is_zero()).then_some(id);
    Ok(RefUpdate { old: present(old), new: present(new), name: RefName::new(name) })
}

#[cfg(test)]
mod tests {
    use super::{RefName, parse};

    const A: &str = "1111111111111111111111111111111111111111";
    const ZERO: &str = "0000000000000000000000000000000000000000";

    #[test]
    fn updates_creations_and_deletions_are_told_apart() {
        let text = format!("{A} {A} refs/heads/main\n{ZERO} {A} refs/heads/new\n{A} {ZERO} refs/heads/gone\n");
        let updates = parse(text.as_bytes()).unwrap();
        let shape: Vec<_> = updates.iter().map(|u| (u.old.is_some(), u.new.is_some())).collect();
        assert_eq!(shape, [(true, true), (false, true), (true, false)]);
    }

    #[test]
    fn blank_lines_crlf_and_a_missing_last_newline_are_tolerated() {
        let text = format!("\n\r\n{A} {A} refs/heads/main\r\n\n{A} {A} refs/heads/b");
        let updates = parse(text.as_bytes()).unwrap();
        assert_eq!(updates.len(), 2);
        assert_eq!(updates[0].name.as_bytes(), b"refs/heads/main");
    }

    #[test]
    fn sha256_ids_are_read_and_zero_means_absent_at_any_length() {
        let text = format!("{} {} refs/heads/main", "0".repeat(64), "a".repeat(64));
        let updates = parse(text.as_bytes()).unwrap();
        assert_eq!(updates[0].old, None);
        assert_eq!(updates[0].new.unwrap().as_bytes().len(), 32);
    }

    #[test]
    fn ref_names_are_bytes() {
        let mut text = format!("{A} {A} refs/heads/").into_bytes();
        text.extend_from_slice(b"caf\xe9 x\n");
        assert_eq!(parse(&text).unwrap()[0].name, RefName::new(&b"refs/heads/caf\xe9 x"[..]));
    }

    #[test]
    fn anything_else_is_an_error_that_names_its_line() {
        for (text, line) in [
            ("nonsense", 1),
            (&format!("{A} {A} refs/heads/a\n{A} {A}\n"), 2),
            (&format!("{A} {A} "), 1),
            (&format!("{A} 22 refs/heads/a"), 1),
            (&format!("{A} {} refs/heads/a", "a".repeat(64)), 1),
            (&format!("{A}\t{A}\trefs/heads/a"), 1),
            (" ", 1),
        ] {
            assert_eq!(parse(text.as_bytes()).unwrap_err().line, line, "{text:?}");
        }
    }
}
