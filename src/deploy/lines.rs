//! Which lines of a changed file are new: a finding points at the line that the push has written.
use crate::{
    image::Place,
    tree::{Content, Entry, RepoPath, Tree, follow},
};
use std::{
    cell::RefCell,
    collections::{HashMap, HashSet},
};

/// The largest file whose lines are compared, in bytes.
const MAX_FILE: u64 = 4 << 20;

/// The lines of two trees.
pub(super) struct Lines<'t> {
    old: Option<&'t dyn Tree>,
    new: &'t dyn Tree,
    /// The numbers of the lines of a file that the old file does not have; `None` for a file that has none to compare.
    fresh: RefCell<HashMap<RepoPath, Option<HashSet<u32>>>>,
}

impl<'t> Lines<'t> {
    pub(super) fn new(old: Option<&'t dyn Tree>, new: &'t dyn Tree) -> Self {
        Self { old, new, fresh: RefCell::default() }
    }

    /// Whether the line at `place` stands nowhere in the old file. Where that cannot be told, it is taken for new.
    pub(super) fn are_new(&self, place: &Place) -> bool {
        let mut fresh = self.fresh.borrow_mut();
        let lines = fresh.entry(place.path.clone()).or_insert_with(|| self.compare(&place.path));
        lines.as_ref().is_none_or(|lines| lines.contains(&place.line))
    }

    fn compare(&self, path: &RepoPath) -> Option<HashSet<u32>> {
        let (old, new) = (read(self.old?, path)?, read(self.new, path)?);
        let known: HashSet<&[u8]> = old.split(|&byte| byte == b'\n').collect();
        let numbered = (1..).zip(new.split(|&byte| byte == b'\n'));
        Some(numbered.filter(|(_, line)| !known.contains(line)).map(|(number, _)| number).collect())
    }
}

/// The content of a file; `None` also if it cannot be read, for then its lines are not what the build fails on.
fn read(tree: &dyn Tree, path: &RepoPath) -> Option<Vec<u8>> {
    let (_, Entry::File(id)) = follow(tree, path).ok()? else { return None };
    match tree.read(&id, MAX_FILE).ok()? {
        Content::Bytes(bytes) => Some(bytes),
        Content::TooLarge(_) => None,
    }
}
