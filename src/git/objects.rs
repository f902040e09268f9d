//! Objects by id, looked for in the quarantine and wherever else git would look.
use super::{
    alternates,
    environment::Environment,
    error::{Error, causes},
};
use crate::tree::ObjectId;
use gix::{
    objs::{Data, Find, Kind},
    odb::{Handle, Header, pack::cache::lru::MemoryCappedHashmap},
};
use std::{
    cell::Cell,
    collections::BTreeSet,
    path::{Path, PathBuf},
};

/// Bytes of unpacked delta bases that are kept. Without it, reading a few thousand files of one pack takes three to five
/// times as long. It takes memory only as it fills.
const PACK_CACHE: usize = 96 << 20;

/// All object directories of a repository as one.
pub(super) struct Objects {
    hash: gix::hash::Kind,
    /// The quarantine first. What they hold is listed once, not again for every object that is elsewhere.
    stores: Vec<Handle>,
    /// The one that had the last object: neighbours lie together, and asking the others costs a system call each.
    nearest: Cell<usize>,
}

impl Objects {
    /// The objects of the repository whose own store is `own`, and in a hook those that `environment` names.
    pub(super) fn open(
        mut own: Handle,
        hash: gix::hash::Kind,
        environment: Option<&Environment>,
    ) -> Result<Self, Error> {
        let own_directory = canonical(own.store_ref().path())?;
        own.set_pack_cache(|| Box::new(MemoryCappedHashmap::new(PACK_CACHE)));
        let mut seen = BTreeSet::from([own_directory.clone()]);
        let mut stores = Vec::new();

        let quarantine = environment.and_then(|environment| environment.object_directory.as_deref());
        if let Some(quarantine) = quarantine.map(canonical).transpose()?
            && seen.insert(quarantine.clone())
        {
            stores.push(open(&quarantine, hash)?);
        }
        let mut nested = alternates::nested(&own_directory)?;
        // Like git, passes over directories that do not exist.
        let named = environment.map(Environment::alternate_directories).unwrap_or_default();
        for directory in named.iter().filter_map(|directory| directory.canonicalize().ok()) {
            if seen.insert(directory.clone()) {
                nested.extend(alternates::nested(&directory)?);
                stores.push(open(&directory, hash)?);
            }
        }
        stores.push(own);
        for directory in nested {
            if seen.insert(directory.clone()) {
                stores.push(open(&directory, hash)?);
            }
        }
        stores.iter_mut().for_each(|store| store.refresh_never());
        Ok(Self { hash, stores, nearest: Cell::new(0) })
    }

    /// The kind of hash that names the objects here.
    pub(super) fn hash(&self) -> gix::hash::Kind {
        self.hash
    }

    /// `id` as gix has it. An id of the other hash's length names nothing here.
    pub(super) fn id(&self, id: &ObjectId) -> Result<gix::ObjectId, Error> {
        let known = gix::ObjectId::try_from(id.as_bytes()).ok().filter(|known| known.kind() == self.hash);
        known.ok_or(Error::MissingObject { id: *id })
    }

    /// Puts the content of the object into `buffer`.
    pub(super) fn find(&self, id: &gix::oid, buffer: &mut Vec<u8>) -> Result<Kind, Error> {
        if self.is_empty_tree(id) {
            buffer.clear();
            return Ok(Kind::Tree);
        }
        self.look(id, |store| Ok(store.try_find(id, buffer)?.map(|data| data.kind)))
    }

    /// The kind of the object and its size in bytes, without unpacking it.
    pub(super) fn header(&self, id: &gix::oid) -> Result<(Kind, u64), Error> {
        if self.is_empty_tree(id) {
            return Ok((Kind::Tree, 0));
        }
        self.look(id, |store| Ok(Header::try_header(store, id)?.map(|header| (header.kind(), header.size()))))
    }

    /// What `ask` finds of the object in the first store that has it.
    fn look<T>(&self, id: &gix::oid, mut ask: impl FnMut(&Handle) -> gix::Result<Option<T>>) -> Result<T, Error> {
        let damaged = |error: gix::Error| Error::damaged(id, causes(&error));
        let nearest = self.nearest.get();
        for at in std::iter::once(nearest).chain((0..self.stores.len()).filter(|&at| at != nearest)) {
            if let Some(found) = ask(&self.stores[at]).map_err(damaged)? {
                self.nearest.set(at);
                return Ok(found);
            }
        }
        // As git does: it may have been packed since the directories were listed.
        for store in &self.stores {
            if let Some(found) = ask(&store.store().to_cache()).map_err(damaged)? {
                return Ok(found);
            }
        }
        Err(Error::MissingObject { id: outside(id) })
    }

    /// git knows this one without storing it.
    fn is_empty_tree(&self, id: &gix::oid) -> bool {
        id == gix::ObjectId::empty_tree(self.hash)
    }
}

/// For gix's walks: here, too, what is missing is an error, where gix would take it for the end of a shallow history.
impl Find for Objects {
    fn try_find<'a>(&self, id: &gix::oid, buffer: &'a mut Vec<u8>) -> gix::Result<Option<Data<'a>>> {
        let kind = self.find(id, buffer).map_err(gix::Error::from_error)?;
        Ok(Some(Data { kind, object_hash: self.hash, data: buffer }))
    }
}

/// The id as the other rooms have it.
pub(super) fn outside(id: &gix::oid) -> ObjectId {
    ObjectId::from_bytes(id.as_bytes()).expect("gix's ids have 20 or 32 bytes")
}

fn open(directory: &Path, hash: gix::hash::Kind) -> Result<Handle, Error> {
    gix::odb::at(directory, hash).map_err(|error| Error::open(directory, error.to_string()))
}

fn canonical(directory: &Path) -> Result<PathBuf, Error> {
    directory.canonicalize().map_err(|error| Error::open(directory, error.to_string()))
}
