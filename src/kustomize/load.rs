//! Reading from the tree as kustomize's loader does, and noting every look-up.
use crate::tree::{self, Content, Entry, ObjectId, RepoPath, Tree};
use std::{collections::BTreeMap, rc::Rc};

/// What a look-up found: enough to tell whether another tree gives the same answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    Absent,
    File(ObjectId),
    Link(ObjectId),
    /// What is in it is looked up by itself.
    Directory,
    Submodule(ObjectId),
}

impl From<Entry> for Seen {
    fn from(entry: Entry) -> Self {
        match entry {
            Entry::Absent => Self::Absent,
            Entry::File(id) => Self::File(id),
            Entry::Symlink(id) => Self::Link(id),
            Entry::Directory(_) => Self::Directory,
            Entry::Submodule(id) => Self::Submodule(id),
        }
    }
}

/// Every look-up of a build, with its answer.
#[derive(Clone, Debug, Default)]
pub struct Reads {
    seen: BTreeMap<RepoPath, Seen>,
}

impl Reads {
    /// Every path that was looked up.
    pub fn paths(&self) -> impl Iterator<Item = &RepoPath> {
        self.seen.keys()
    }

    /// Whether every look-up has the same answer in `tree`: then so has the build.
    pub fn hold_in(&self, tree: &dyn Tree) -> Result<bool, tree::Error> {
        for (path, seen) in &self.seen {
            if Seen::from(tree.lookup(path)?) != *seen {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Adds those of another build.
    pub fn extend(&mut self, other: &Self) {
        self.seen.extend(other.seen.iter().map(|(path, seen)| (path.clone(), *seen)));
    }

    /// Notes a look-up.
    pub(super) fn note(&mut self, path: &RepoPath, entry: Entry) {
        self.seen.insert(path.clone(), entry.into());
    }
}

/// A file that was read.
#[derive(Debug)]
pub(super) struct Loaded {
    /// Its path without links.
    pub(super) path: Rc<RepoPath>,
    pub(super) bytes: Vec<u8>,
}

/// Why a path gives no file.
#[derive(Debug)]
pub(super) enum NoFile {
    /// There is nothing, or a directory, or the path leaves the repository.
    Missing,
    /// It lies outside of the kustomization's directory, and only files in it are taken.
    Outside,
    /// It is a submodule, or a pointer to where Git LFS keeps the content. The code of the notice.
    Elsewhere(&'static str),
    /// It has more bytes than are read.
    TooLarge(u64),
}

/// The largest file that is read, in bytes.
const MAX_FILE: u64 = 16 << 20;

/// Looks up what `text` names as seen from `directory`, with links followed; `None` outside the repository.
pub(super) fn locate(
    tree: &dyn Tree,
    reads: &mut Reads,
    directory: &RepoPath,
    text: &str,
) -> Result<Option<(RepoPath, Entry)>, tree::Error> {
    let Some(named) = directory.resolve(text) else { return Ok(None) };
    let mut links = Vec::new();
    let (real, entry) = tree::follow_through(tree, &named, &mut links)?;
    for link in links {
        let entry = tree.lookup(&link)?;
        reads.note(&link, entry);
    }
    reads.note(&named, tree.lookup(&named)?);
    if real != named {
        reads.note(&real, tree.lookup(&real)?);
    }
    Ok(Some((real, entry)))
}

/// Reads the file that `text` names as seen from `root`, the directory of a kustomization.
pub(super) fn load(
    tree: &dyn Tree,
    reads: &mut Reads,
    root: &RepoPath,
    text: &str,
    root_only: bool,
) -> Result<Result<Loaded, NoFile>, tree::Error> {
    let (path, id) = match locate(tree, reads, root, text)? {
        Some((_, Entry::Submodule(_))) => return Ok(Err(NoFile::Elsewhere("submodule"))),
        Some((path, Entry::File(id))) => (path, id),
        _ => return Ok(Err(NoFile::Missing)),
    };
    if root_only && !path.is_within(root) {
        return Ok(Err(NoFile::Outside));
    }
    Ok(match tree.read(&id, MAX_FILE)? {
        Content::TooLarge(size) => Err(NoFile::TooLarge(size)),
        Content::Bytes(bytes) if bytes.starts_with(b"version https://git-lfs.github.com/spec/") => {
            Err(NoFile::Elsewhere("lfs"))
        }
        Content::Bytes(bytes) => Ok(Loaded { path: Rc::new(path), bytes }),
    })
}

/// Whether kustomize would fetch this from somewhere else.
pub(super) fn is_remote(text: &str) -> bool {
    if text.starts_with('/') {
        return false;
    }
    let (path, _) = text.split_once('?').unwrap_or((text, ""));
    let lower = path.to_ascii_lowercase();
    let lower = lower.strip_prefix("git::").unwrap_or(&lower);
    let schemes = ["http://", "https://", "ssh://", "file://"];
    let scheme = schemes.into_iter().find_map(|scheme| lower.strip_prefix(scheme));
    let rest = scheme.unwrap_or(lower);
    let (user, rest) = match rest.split_once('@') {
        Some((user, rest)) if !user.contains('/') => (Some(user), rest),
        _ => (None, rest),
    };
    let is_github = rest.starts_with("github.com/") || rest.starts_with("github.com:");
    let has_path = |rest: &str| rest.find(['/', ':']).is_some_and(|at| rest[at + 1..].contains(['/', '.']));
    match scheme {
        Some(_) => true,
        None => is_github || (user.is_some() && rest.contains(':') && has_path(rest)),
    }
}
