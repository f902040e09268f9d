//! A tree that is a map, for tests of what is pure over [`pullgate::tree::Tree`].
use pullgate::tree::{Content, Entry, Error, ObjectId, RepoPath, Tree};
use std::{
    collections::{BTreeMap, hash_map::DefaultHasher},
    hash::{Hash, Hasher},
};

/// Files and symbolic links by path; directories are what the paths imply.
#[derive(Clone, Debug, Default)]
pub(crate) struct MapTree {
    directories: BTreeMap<ObjectId, Vec<(Vec<u8>, Entry)>>,
    contents: BTreeMap<ObjectId, Vec<u8>>,
    root: Option<ObjectId>,
}

impl MapTree {
    pub(crate) fn new<'a>(
        files: impl IntoIterator<Item = (&'a str, &'a str)>,
        links: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Self {
        let mut tree = Self::default();
        let mut leaves = BTreeMap::new();
        for (path, text) in files {
            leaves.insert(path.to_owned(), Entry::File(tree.keep(text)));
        }
        for (path, target) in links {
            leaves.insert(path.to_owned(), Entry::Symlink(tree.keep(target)));
        }
        tree.root = Some(tree.directory(&leaves));
        tree
    }

    fn keep(&mut self, text: &str) -> ObjectId {
        let id = id_of(text);
        self.contents.insert(id, text.as_bytes().to_vec());
        id
    }

    fn directory(&mut self, leaves: &BTreeMap<String, Entry>) -> ObjectId {
        let mut entries: BTreeMap<String, Entry> = BTreeMap::new();
        let mut below: BTreeMap<String, BTreeMap<String, Entry>> = BTreeMap::new();
        for (path, entry) in leaves {
            match path.split_once('/') {
                Some((name, rest)) => drop(below.entry(name.to_owned()).or_default().insert(rest.to_owned(), *entry)),
                None => drop(entries.insert(path.clone(), *entry)),
            }
        }
        for (name, leaves) in below {
            let id = self.directory(&leaves);
            entries.insert(name, Entry::Directory(id));
        }
        let id = id_of(&format!("{entries:?}"));
        self.directories.insert(id, entries.into_iter().map(|(name, entry)| (name.into_bytes(), entry)).collect());
        id
    }
}

fn id_of(text: &str) -> ObjectId {
    let words = (0..4u8).flat_map(|salt| {
        let mut hasher = DefaultHasher::new();
        (salt, text).hash(&mut hasher);
        hasher.finish().to_be_bytes()
    });
    ObjectId::from_bytes(&words.collect::<Vec<_>>()).expect("four words are 32 bytes")
}

impl Tree for MapTree {
    fn lookup(&self, path: &RepoPath) -> Result<Entry, Error> {
        let mut here = self.root.map_or(Entry::Absent, Entry::Directory);
        for name in path.components() {
            let Entry::Directory(id) = here else { return Ok(Entry::Absent) };
            let found = self.list(&id)?.into_iter().find(|(known, _)| known == name);
            here = found.map_or(Entry::Absent, |(_, entry)| entry);
        }
        Ok(here)
    }

    fn list(&self, id: &ObjectId) -> Result<Vec<(Vec<u8>, Entry)>, Error> {
        Ok(self.directories[id].clone())
    }

    fn read(&self, id: &ObjectId, limit: u64) -> Result<Content, Error> {
        let bytes = &self.contents[id];
        let size = bytes.len() as u64;
        Ok(if size > limit { Content::TooLarge(size) } else { Content::Bytes(bytes.clone()) })
    }
}
