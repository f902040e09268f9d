//! A manifest file: its image slots, read once however many units use it.
use crate::{
    extract::{self, Slot},
    image::Place,
    tree::{Content, Entry, Error, ObjectId, RepoPath, Tree},
    yaml,
};
use std::{cell::RefCell, collections::HashMap, panic, rc::Rc};

/// Nodes that are looked at in a file, counted in every object that an alias brings them into.
pub(super) const MAX_NODES: usize = 10_000_000;

/// What a manifest file says.
#[derive(Debug, Default)]
pub(super) struct Manifest {
    pub(super) objects: Vec<Found>,
    /// Documents that could not be read: where, and why.
    pub(super) faults: Vec<(yaml::Position, &'static str, String)>,
}

/// An object that names images.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) title: String,
    /// Whether it says its version: every cluster refuses it if it does not.
    pub(super) has_api_version: bool,
    pub(super) slots: Vec<Slot>,
}

/// Manifests by the id of their content.
#[derive(Debug)]
pub(super) struct Manifests {
    /// The largest file that is read, in bytes.
    pub(super) limit: u64,
    read: RefCell<HashMap<ObjectId, Rc<Manifest>>>,
}

impl Manifests {
    pub(super) fn new(limit: u64) -> Self {
        Self { limit, read: RefCell::default() }
    }

    /// The manifest in the file `id` of `tree`.
    pub(super) fn read(&self, tree: &dyn Tree, id: &ObjectId) -> Result<Rc<Manifest>, Error> {
        if let Some(known) = self.read.borrow().get(id) {
            return Ok(Rc::clone(known));
        }
        let manifest = Rc::new(match tree.read(id, self.limit)? {
            // One file that trips the parser is one file that is not read, not a push that nobody can make.
            Content::Bytes(bytes) => panic::catch_unwind(|| parse(&bytes)).unwrap_or_else(|_| {
                unread("unreadable-yaml", "reading the file failed; this is a fault of pullgate".to_owned())
            }),
            Content::TooLarge(size) => {
                unread("too-large", format!("the file has {size} bytes; files over {} are not read", self.limit))
            }
        });
        self.read.borrow_mut().insert(*id, Rc::clone(&manifest));
        Ok(manifest)
    }
}

/// In place of a file that is not read.
fn unread(code: &'static str, why: String) -> Manifest {
    Manifest { faults: vec![(yaml::Position::START, code, why)], ..Manifest::default() }
}

fn parse(bytes: &[u8]) -> Manifest {
    if bytes.starts_with(b"version https://git-lfs.github.com/spec/") {
        return unread("lfs", "the file is a Git LFS pointer; its content is not in the repository".to_owned());
    }
    let stream = yaml::parse(bytes, &yaml::Limits::default());
    let mut left = MAX_NODES;
    let objects = stream.documents.iter().flat_map(|document| found(document, &mut left)).collect();
    let faults = stream.errors.iter().map(|error| {
        let code = if error.kind == yaml::ErrorKind::Template { "template" } else { "unreadable-yaml" };
        (error.position, code, error.kind.to_string())
    });
    let mut faults: Vec<_> = faults.collect();
    if left == 0 {
        let why = format!("aliases make more than {MAX_NODES} nodes of it; what comes after them is not read");
        faults.push((yaml::Position::START, "budget-exceeded", why));
    }
    Manifest { objects, faults }
}

/// The objects of a document that name images; looks at no more nodes than are `left`.
pub(super) fn found(document: &yaml::Document, left: &mut usize) -> Vec<Found> {
    let objects = extract::objects(document).into_iter().filter_map(|object| {
        let slots = extract::slots(&object, left);
        let has_api_version = object.api_version().is_some();
        (!slots.is_empty()).then(|| Found { title: object.title(), has_api_version, slots })
    });
    objects.collect()
}

/// Whether a file of this name may hold manifests by itself.
pub(super) fn is_manifest_name(path: &RepoPath) -> bool {
    let name = path.file_name().to_ascii_lowercase();
    [&b".yaml"[..], b".yml", b".json"].iter().any(|ending| name.ends_with(ending))
}

/// The place of `at` in the file `path`.
pub(super) fn place(path: &RepoPath, at: yaml::Position) -> Place {
    Place { path: path.clone(), line: at.line, column: at.column }
}

/// The id of a regular file.
pub(super) fn file_id(entry: Entry) -> Option<ObjectId> {
    if let Entry::File(id) = entry { Some(id) } else { None }
}
