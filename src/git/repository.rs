//! The repository: how it is opened, and what a ref or an id in it stands for.
use super::{
    base::{self, Base},
    commit_tree::CommitTree,
    directory::Directories,
    environment::Environment,
    error::{Error, causes},
    objects::{Objects, outside},
    reftable,
};
use crate::{push::RefName, tree::ObjectId};
use gix::objs::{CommitRefIter, Kind, TagRefIter};
use std::{fmt, path::Path};

/// How many tags of tags are followed.
const DEEPEST_TAG: usize = 10;

/// A repository, open for reading.
pub struct Repository {
    inner: gix::Repository,
    environment: Option<Environment>,
    objects: Objects,
    directories: Directories,
}

impl Repository {
    /// The repository of a push, from inside its hook.
    pub fn open_in_hook(environment: &Environment) -> Result<Self, Error> {
        Self::open_git_dir(&environment.git_dir, Some(environment.clone()))
    }

    /// The repository, with or without a working tree, that `directory` lies in.
    pub fn open(directory: &Path) -> Result<Self, Error> {
        let found = gix::discover::upwards(directory).map_err(|error| Error::open(directory, causes(&error)))?;
        let (git_dir, _) = found.0.into_repository_and_work_tree_directories();
        Self::open_git_dir(&git_dir, None)
    }

    fn open_git_dir(git_dir: &Path, environment: Option<Environment>) -> Result<Self, Error> {
        // Only the repository's own configuration is read, for its format, whoever owns it: nothing in it is executed.
        let options = gix::open::Options::isolated()
            .open_path_as_is(true)
            .with(gix::sec::Trust::Full)
            .config_overrides(["core.useReplaceRefs=false"]);
        let inner = gix::open_opts(git_dir, options).map_err(|error| Error::open(git_dir, causes(&error)))?;
        let own = inner.objects.store().to_cache();
        let objects = Objects::open(own, inner.object_hash(), environment.as_ref())?;
        Ok(Self { inner, environment, objects, directories: Directories::default() })
    }

    /// The repository's directory: the `.git` of a working tree, or all of a bare repository.
    pub fn path(&self) -> &Path {
        self.inner.path()
    }

    /// The object that `revision` names, in the syntax of `gitrevisions`(7).
    pub fn resolve(&self, revision: &str) -> Result<ObjectId, Error> {
        let none = |reason: String| Error::Revision { revision: revision.to_owned(), reason };
        if self.keeps_refs_as_files() {
            let id = self.inner.rev_parse_single(revision).map_err(|error| none(causes(&error)))?;
            return Ok(outside(&id));
        }
        let id = reftable::rev_parse(self.path(), self.environment.as_ref(), revision)?;
        id.map(|id| outside(&id)).ok_or_else(|| none("git knows none of that name".into()))
    }

    /// The tree of a commit, or of the commit or tree that a tag leads to; a tree itself; `None` for a file, which
    /// deploys nothing.
    pub fn tree(&self, id: &ObjectId) -> Result<Option<CommitTree<'_>>, Error> {
        let (id, kind, buffer) = self.peel(id)?;
        let root = match kind {
            Kind::Commit => CommitRefIter::from_bytes(&buffer, self.objects.hash())
                .tree_id()
                .map_err(|error| Error::damaged(&id, causes(&error)))?,
            Kind::Tree => id,
            Kind::Blob | Kind::Tag => return Ok(None),
        };
        Ok(Some(CommitTree { objects: &self.objects, directories: &self.directories, root }))
    }

    /// The commit that `id` is or, as a tag, leads to; `None` if it leads to a file or a tree.
    pub fn commit(&self, id: &ObjectId) -> Result<Option<ObjectId>, Error> {
        let (id, kind, _) = self.peel(id)?;
        Ok((kind == Kind::Commit).then(|| outside(&id)))
    }

    /// What a ref that is created at `new_commit` is compared with: where it left the default branch, which is what
    /// `HEAD` names.
    pub fn base_of_new_ref(&self, new_commit: &ObjectId) -> Result<Base, Error> {
        let new = self.objects.id(new_commit)?;
        Ok(self.default_tip()?.map_or(Base::Nothing, |tip| base::between(&self.objects, new, tip)))
    }

    /// The branch that `HEAD` names, which may have no commit yet; `None` if `HEAD` is a commit itself.
    pub fn default_branch(&self) -> Result<Option<RefName>, Error> {
        if !self.keeps_refs_as_files() {
            return Ok(reftable::head(self.path())?.map(RefName::new));
        }
        let name = self.inner.head_name().map_err(|error| Error::unreadable("HEAD", causes(&error)))?;
        Ok(name.map(|name| RefName::new(name.as_bstr().to_vec())))
    }

    /// The commit at the tip of the default branch; `None` before its first commit.
    fn default_tip(&self) -> Result<Option<gix::ObjectId>, Error> {
        if !self.keeps_refs_as_files() {
            return reftable::rev_parse(self.path(), self.environment.as_ref(), "HEAD^{commit}");
        }
        let unreadable = |error: gix::Error| Error::unreadable("HEAD", causes(&error));
        let head = self.inner.head().map_err(unreadable)?;
        if head.is_unborn() {
            return Ok(None);
        }
        if let Some(id) = head.id() {
            return Ok(Some(id.detach()));
        }
        // HEAD names a branch that is itself a symbolic ref.
        let branch = head.try_into_referent();
        branch.map(|mut branch| branch.follow_to_object().map(gix::Id::detach).map_err(unreadable)).transpose()
    }

    fn keeps_refs_as_files(&self) -> bool {
        self.inner
            .config_snapshot()
            .string("extensions.refStorage")
            .is_none_or(|storage| storage.as_slice() == b"files")
    }

    /// What `id` is once tags are followed, with its content.
    fn peel(&self, id: &ObjectId) -> Result<(gix::ObjectId, Kind, Vec<u8>), Error> {
        let first = self.objects.id(id)?;
        let (mut id, mut buffer) = (first, Vec::new());
        for _ in 0..=DEEPEST_TAG {
            // A file may be of any size, and its content is not asked for.
            if self.objects.header(&id)?.0 == Kind::Blob {
                return Ok((id, Kind::Blob, Vec::new()));
            }
            let kind = self.objects.find(&id, &mut buffer)?;
            if kind != Kind::Tag {
                return Ok((id, kind, buffer));
            }
            let target = TagRefIter::from_bytes(&buffer, self.objects.hash()).target_id();
            id = target.map_err(|error| Error::damaged(&id, causes(&error)))?;
        }
        Err(Error::damaged(&first, format!("it is a tag of more than {DEEPEST_TAG} tags")))
    }
}

impl fmt::Debug for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Repository").field("path", &self.path()).finish_non_exhaustive()
    }
}
