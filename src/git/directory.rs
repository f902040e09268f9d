//! One parsed tree object, and the ones that were parsed before.
use super::{
    error::{Error, causes},
    objects::{Objects, outside},
};
use crate::tree::Entry;
use gix::objs::{Kind, TreeRefIter, tree::EntryKind};
use std::{cell::RefCell, collections::HashMap, rc::Rc};

/// Entries that are kept in memory, about 100 bytes each; past that, the cache starts anew.
const CACHED_ENTRIES: usize = 200_000;

/// A directory's entries.
pub(super) struct Directory {
    /// In git's order.
    pub(super) entries: Vec<(Vec<u8>, Entry)>,
    /// Indices into `entries`, by name.
    by_name: Vec<usize>,
}

impl Directory {
    /// From the content of a tree object. Names that no checkout could write, and two entries of one name, are errors:
    /// readers would differ in what they see, and the push decides what they read.
    fn parse(data: &[u8], hash: gix::hash::Kind) -> Result<Self, String> {
        let mut entries = Vec::new();
        for entry in TreeRefIter::from_bytes(data, hash) {
            let entry = entry.map_err(|error| causes(&error))?;
            let name: &[u8] = entry.filename;
            if matches!(name, b"" | b"." | b"..") || name.contains(&b'/') {
                return Err(format!("it has an entry named {:?}", String::from_utf8_lossy(name)));
            }
            let id = outside(entry.oid);
            let entry = match entry.mode.kind() {
                EntryKind::Tree => Entry::Directory(id),
                EntryKind::Blob | EntryKind::BlobExecutable => Entry::File(id),
                EntryKind::Link => Entry::Symlink(id),
                EntryKind::Commit => Entry::Submodule(id),
            };
            entries.push((name.to_vec(), entry));
        }
        let mut by_name: Vec<usize> = (0..entries.len()).collect();
        by_name.sort_by(|&a, &b| entries[a].0.cmp(&entries[b].0));
        if let Some(twice) = by_name.windows(2).find(|pair| entries[pair[0]].0 == entries[pair[1]].0) {
            return Err(format!("it has two entries named {:?}", String::from_utf8_lossy(&entries[twice[0]].0)));
        }
        Ok(Self { entries, by_name })
    }

    /// What `name` is here.
    pub(super) fn entry(&self, name: &[u8]) -> Entry {
        let place = self.by_name.binary_search_by(|&index| self.entries[index].0.as_slice().cmp(name));
        place.map_or(Entry::Absent, |place| self.entries[self.by_name[place]].1)
    }
}

/// Directories by the id of their tree object.
#[derive(Default)]
pub(super) struct Directories {
    read: RefCell<Read>,
}

#[derive(Default)]
struct Read {
    by_id: HashMap<gix::ObjectId, Rc<Directory>>,
    /// Of all of them together.
    entries: usize,
}

impl Directories {
    /// The directory `id`, from memory if it was read before.
    pub(super) fn read(&self, objects: &Objects, id: &gix::oid) -> Result<Rc<Directory>, Error> {
        if let Some(directory) = self.read.borrow().by_id.get(id) {
            return Ok(Rc::clone(directory));
        }
        let mut buffer = Vec::new();
        if objects.find(id, &mut buffer)? != Kind::Tree {
            return Err(Error::damaged(id, "it is not a tree"));
        }
        let directory = Directory::parse(&buffer, id.kind()).map_err(|reason| Error::damaged(id, reason))?;
        let directory = Rc::new(directory);
        let mut read = self.read.borrow_mut();
        if read.entries + directory.entries.len() > CACHED_ENTRIES {
            *read = Read::default();
        }
        read.entries += directory.entries.len();
        read.by_id.insert(id.to_owned(), Rc::clone(&directory));
        Ok(directory)
    }
}
