//! Which paths differ between two trees.
use crate::tree::{Entry, Error, ObjectId, RepoPath, Tree};
use std::collections::BTreeMap;

/// Paths that are compared. Equal directories are stored once in git, so a tree of a few kilobytes can have any number.
const MAX_PATHS: usize = 2_000_000;
/// The longest path, in bytes: what Linux can name.
const MAX_PATH: usize = 4096;

/// A path at which two trees differ; never a directory on either side.
#[derive(Clone, Debug)]
pub(super) struct Difference {
    pub(super) path: RepoPath,
    pub(super) old: Entry,
    pub(super) new: Entry,
}

/// The differences in order of path. Directories of the same id are not entered; a change of mode alone is none.
pub(super) fn differences(old: Option<&dyn Tree>, new: &dyn Tree) -> Result<Vec<Difference>, Error> {
    let root = RepoPath::root();
    let before = old.map_or(Ok(Entry::Absent), |old| old.lookup(&root))?;
    let mut walk = Walk { old, new, found: Vec::new(), compared: 0 };
    walk.compare(&root, before, new.lookup(&root)?)?;
    Ok(walk.found)
}

struct Walk<'t> {
    old: Option<&'t dyn Tree>,
    new: &'t dyn Tree,
    found: Vec<Difference>,
    compared: usize,
}

impl Walk<'_> {
    fn compare(&mut self, path: &RepoPath, old: Entry, new: Entry) -> Result<(), Error> {
        if old == new {
            return Ok(());
        }
        self.compared += 1;
        if self.compared > MAX_PATHS || path.as_bytes().len() > MAX_PATH {
            let reason = format!("more than {MAX_PATHS} paths differ, or one is longer than {MAX_PATH} bytes");
            return Err(Error { what: "the difference of two trees".to_owned(), reason });
        }
        let directory = |entry| if let Entry::Directory(id) = entry { Some(id) } else { None };
        let leaf = |entry| if matches!(entry, Entry::Directory(_)) { Entry::Absent } else { entry };
        if leaf(old) != leaf(new) {
            self.found.push(Difference { path: path.clone(), old: leaf(old), new: leaf(new) });
        }
        if directory(old).is_some() || directory(new).is_some() {
            self.compare_directories(path, directory(old), directory(new))?;
        }
        Ok(())
    }

    fn compare_directories(
        &mut self,
        path: &RepoPath,
        old: Option<ObjectId>,
        new: Option<ObjectId>,
    ) -> Result<(), Error> {
        let mut names: BTreeMap<Vec<u8>, (Entry, Entry)> = BTreeMap::new();
        if let (Some(tree), Some(id)) = (self.old, old) {
            for (name, entry) in tree.list(&id)? {
                names.entry(name).or_insert((Entry::Absent, Entry::Absent)).0 = entry;
            }
        }
        if let Some(id) = new {
            for (name, entry) in self.new.list(&id)? {
                names.entry(name).or_insert((Entry::Absent, Entry::Absent)).1 = entry;
            }
        }
        names.into_iter().try_for_each(|(name, (old, new))| self.compare(&path.join(name), old, new))
    }
}
