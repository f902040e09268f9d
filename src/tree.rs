//! A tree of files as the rooms see it: paths, entries, and the one trait by which they read.
use std::fmt;

/// The name of a git object: 20 bytes (SHA-1) or 32 bytes (SHA-256).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectId {
    bytes: [u8; 32],
    len: u8,
}

impl ObjectId {
    /// From raw bytes; `None` unless there are 20 or 32 of them.
    pub fn from_bytes(raw: &[u8]) -> Option<Self> {
        let mut bytes = [0; 32];
        bytes.get_mut(..raw.len())?.copy_from_slice(raw);
        matches!(raw.len(), 20 | 32).then_some(Self { bytes, len: raw.len() as u8 })
    }

    /// From 40 or 64 hexadecimal digits of either case.
    pub fn from_hex(hex: &[u8]) -> Option<Self> {
        if !matches!(hex.len(), 40 | 64) {
            return None;
        }
        let digit = |c: u8| char::from(c).to_digit(16).map(|d| d as u8);
        let raw: Option<Vec<u8>> = hex.chunks(2).map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?)).collect();
        Self::from_bytes(&raw?)
    }

    /// The 20 or 32 bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }

    /// Whether every bit is zero: git's way to say "no object".
    pub fn is_zero(&self) -> bool {
        self.bytes == [0; 32]
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ObjectId({self})")
    }
}

/// A path inside a tree: bytes, `/` between components, no leading or trailing `/`; the empty path is the root.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct RepoPath(Vec<u8>);

impl RepoPath {
    /// The tree itself.
    pub fn root() -> Self {
        Self::default()
    }

    /// From bytes as git writes them; leading and trailing slashes are dropped.
    pub fn new(bytes: impl AsRef<[u8]>) -> Self {
        let bytes = bytes.as_ref();
        let start = bytes.iter().position(|&b| b != b'/').unwrap_or(bytes.len());
        let end = bytes.iter().rposition(|&b| b != b'/').map_or(start, |last| last + 1);
        Self(bytes[start..end].to_vec())
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether this is the tree itself.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// The path of `name` in this directory.
    #[must_use]
    pub fn join(&self, name: impl AsRef<[u8]>) -> Self {
        let name = name.as_ref();
        let mut path = Vec::with_capacity(self.0.len() + 1 + name.len());
        path.extend_from_slice(&self.0);
        if !path.is_empty() {
            path.push(b'/');
        }
        path.extend_from_slice(name);
        Self(path)
    }

    /// The directory that holds this path; `None` for the root.
    pub fn parent(&self) -> Option<Self> {
        if self.is_root() {
            return None;
        }
        let cut = self.0.iter().rposition(|&b| b == b'/').unwrap_or(0);
        Some(Self(self.0[..cut].to_vec()))
    }

    /// The last component; empty for the root.
    pub fn file_name(&self) -> &[u8] {
        self.0.rsplit(|&b| b == b'/').next().unwrap_or_default()
    }

    /// The components, first to last.
    pub fn components(&self) -> impl DoubleEndedIterator<Item = &[u8]> {
        self.0.split(|&b| b == b'/').filter(|part| !part.is_empty())
    }

    /// Whether it lies in a folder, or is a file, whose name begins with a dot.
    pub fn is_hidden(&self) -> bool {
        self.components().any(|name| name.starts_with(b"."))
    }

    /// What `relative` names as seen from this directory, with `.` and `..` resolved by name; `None` if it is absolute
    /// or leaves the tree.
    pub fn resolve(&self, relative: impl AsRef<[u8]>) -> Option<Self> {
        let relative = relative.as_ref();
        if relative.starts_with(b"/") {
            return None;
        }
        let mut path = Vec::with_capacity(self.0.len() + 1 + relative.len());
        path.extend_from_slice(&self.0);
        for part in relative.split(|&b| b == b'/') {
            match part {
                b"" | b"." => {}
                b".." if path.is_empty() => return None,
                b".." => path.truncate(path.iter().rposition(|&b| b == b'/').unwrap_or(0)),
                name => {
                    if !path.is_empty() {
                        path.push(b'/');
                    }
                    path.extend_from_slice(name);
                }
            }
        }
        Some(Self(path))
    }

    /// Whether this path is `directory` or lies below it.
    pub fn is_within(&self, directory: &Self) -> bool {
        directory.is_root()
            || self.0.strip_prefix(directory.0.as_slice()).is_some_and(|rest| rest.is_empty() || rest[0] == b'/')
    }
}

/// UTF-8 as it is, anything else with U+FFFD; not escaped for a terminal (see `verdict::escape`).
impl fmt::Display for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.0))
    }
}

impl fmt::Debug for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.to_string())
    }
}

/// What stands at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Entry {
    /// Nothing.
    Absent,
    /// A regular file; the executable bit is not kept, because it deploys nothing.
    File(ObjectId),
    /// A directory; equal ids mean equal content, all the way down.
    Directory(ObjectId),
    /// A symbolic link; its content is the target's path.
    Symlink(ObjectId),
    /// A submodule's commit, which lies in another repository and is never read.
    Submodule(ObjectId),
}

/// The content of a file or symbolic link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// All of it.
    Bytes(Vec<u8>),
    /// More than the limit that was asked for; its size in bytes.
    TooLarge(u64),
}

/// Reading the tree failed. The caller must treat this as "cannot tell", never as "nothing there".
#[derive(Debug, thiserror::Error)]
#[error("cannot read {what}: {reason}")]
pub struct Error {
    /// The object or path that could not be read.
    pub what: String,
    /// Why, in lower case, without a full stop.
    pub reason: String,
}

/// A tree that can be read: of a commit, in a test a map.
pub trait Tree {
    /// What stands at `path`. Symbolic links are not followed.
    fn lookup(&self, path: &RepoPath) -> Result<Entry, Error>;

    /// The entries of the directory `id` in git's order, each with its name.
    fn list(&self, id: &ObjectId) -> Result<Vec<(Vec<u8>, Entry)>, Error>;

    /// The bytes of the file or symbolic link `id`, unless there are more than `limit` of them.
    fn read(&self, id: &ObjectId, limit: u64) -> Result<Content, Error>;
}

/// How many symbolic links one path may go through, as in Linux.
const MAX_LINKS: usize = 40;

/// What stands at `path` once every symbolic link on the way is followed, and its path without links. Links that leave
/// the tree, dangle or loop are `Absent`, as they are for a clone of it.
pub fn follow(tree: &dyn Tree, path: &RepoPath) -> Result<(RepoPath, Entry), Error> {
    follow_through(tree, path, &mut Vec::new())
}

/// The same, and adds to `links` the path of every link that was followed.
pub fn follow_through(tree: &dyn Tree, path: &RepoPath, links: &mut Vec<RepoPath>) -> Result<(RepoPath, Entry), Error> {
    let entry = tree.lookup(path)?;
    if !matches!(entry, Entry::Absent | Entry::Symlink(_)) {
        return Ok((path.clone(), entry));
    }
    let absent = Ok((path.clone(), Entry::Absent));
    let mut count = 0;
    let mut reached = RepoPath::root();
    let mut ahead: Vec<Vec<u8>> = path.components().rev().map(<[u8]>::to_vec).collect();
    while let Some(name) = ahead.pop() {
        let next = reached.join(&name);
        match tree.lookup(&next)? {
            Entry::Symlink(id) => {
                count += 1;
                links.push(next);
                let Content::Bytes(target) = tree.read(&id, 4096)? else { return absent };
                if count > MAX_LINKS || target.starts_with(b"/") {
                    return absent;
                }
                // A link's `..` is meant from where it stands, and `reached` has no links left in it.
                for part in target.split(|&b| b == b'/').rev().filter(|part| !matches!(*part, b"" | b".")) {
                    ahead.push(part.to_vec());
                }
            }
            Entry::Absent if name == b".." => match reached.parent() {
                Some(parent) => reached = parent,
                None => return absent,
            },
            Entry::Absent => return absent,
            _ => reached = next,
        }
    }
    let entry = tree.lookup(&reached)?;
    Ok((reached, entry))
}

#[cfg(test)]
mod tests {
    use super::{ObjectId, RepoPath};

    #[test]
    fn an_id_has_forty_or_sixty_four_digits() {
        let id = ObjectId::from_hex(b"0123456789abcdefABCDEF012345678901234567").unwrap();
        assert_eq!(id.to_string(), "0123456789abcdefabcdef012345678901234567");
        assert!(ObjectId::from_hex(&[b'0'; 64]).unwrap().is_zero());
        for bad in [&b"0123"[..], &[b'0'; 39], &[b'g'; 40], &[b'0'; 41], b""] {
            assert_eq!(ObjectId::from_hex(bad), None);
        }
    }

    #[test]
    fn relative_paths_resolve_by_name_and_never_leave_the_tree() {
        let at = |dir: &str, rel: &str| RepoPath::new(dir).resolve(rel).map(|p| p.to_string());
        assert_eq!(at("apps/prod", "../base"), Some("apps/base".into()));
        assert_eq!(at("apps/prod", "./x/../y/"), Some("apps/prod/y".into()));
        assert_eq!(at("apps", ".."), Some(String::new()));
        assert_eq!(at("apps", "../.."), None);
        assert_eq!(at("apps", "/etc/passwd"), None);
    }

    #[test]
    fn within_compares_whole_components() {
        let within = |path: &str, dir: &str| RepoPath::new(path).is_within(&RepoPath::new(dir));
        assert!(within("apps/a", "apps") && within("apps", "apps") && within("apps", ""));
        assert!(!within("apps-2/a", "apps"));
    }
}
