//! The tree of a commit, read from the object directories.
use super::{
    directory::Directories,
    error::Error,
    objects::{Objects, outside},
};
use crate::tree::{self, Content, Entry, ObjectId, RepoPath, Tree};
use gix::objs::Kind;
use std::fmt;

/// The tree of a commit.
pub struct CommitTree<'r> {
    pub(super) objects: &'r Objects,
    pub(super) directories: &'r Directories,
    pub(super) root: gix::ObjectId,
}

impl CommitTree<'_> {
    /// The tree's own id: equal ids mean that two commits deploy the same.
    pub fn id(&self) -> ObjectId {
        outside(&self.root)
    }

    fn content(&self, id: &ObjectId, limit: u64) -> Result<Content, Error> {
        let id = self.objects.id(id)?;
        let (kind, size) = self.objects.header(&id)?;
        if kind != Kind::Blob {
            return Err(Error::damaged(&id, format!("it is a {kind}, not a file")));
        }
        if size > limit {
            return Ok(Content::TooLarge(size));
        }
        let mut bytes = Vec::new();
        self.objects.find(&id, &mut bytes)?;
        Ok(Content::Bytes(bytes))
    }
}

impl Tree for CommitTree<'_> {
    fn lookup(&self, path: &RepoPath) -> Result<Entry, tree::Error> {
        let mut here = Entry::Directory(self.id());
        for name in path.components() {
            let Entry::Directory(id) = here else {
                return Ok(Entry::Absent);
            };
            here = self.directories.read(self.objects, &self.objects.id(&id)?)?.entry(name);
        }
        Ok(here)
    }

    fn list(&self, id: &ObjectId) -> Result<Vec<(Vec<u8>, Entry)>, tree::Error> {
        let directory = self.directories.read(self.objects, &self.objects.id(id)?)?;
        Ok(directory.entries.clone())
    }

    fn read(&self, id: &ObjectId, limit: u64) -> Result<Content, tree::Error> {
        Ok(self.content(id, limit)?)
    }
}

impl fmt::Debug for CommitTree<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CommitTree").field("root", &self.root).finish_non_exhaustive()
    }
}
