//! All kustomizations of a tree and who consumes whom.
use super::file::{Kustomization, is_kustomization_name};
use crate::tree::{self, Content, Entry, ObjectId, RepoPath, Tree};
use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet, HashMap, HashSet, hash_map},
    panic,
    rc::Rc,
};

/// The largest kustomization file that is read, in bytes. Real ones have a few hundred.
const MAX_FILE: u64 = 4 << 20;
/// How deep directories may lie in one another: as deep as a path that Linux can name.
const MAX_DIRECTORIES: usize = 2048;
/// How many kustomization files one tree may have. Equal directories are stored once in git, so a tree of a few
/// kilobytes can have any number of them.
const MAX_KUSTOMIZATIONS: usize = 200_000;

/// Parsed files and searched directories, shared by the graphs of the old and the new tree: what has not changed is read
/// once.
#[derive(Debug, Default)]
pub struct Parsed {
    files: RefCell<HashMap<(RepoPath, ObjectId), Rc<Kustomization>>>,
    directories: RefCell<HashMap<ObjectId, Rc<Found>>>,
}

/// What a directory holds, all the way down.
#[derive(Debug, Default)]
struct Found {
    /// The names of its kustomization files.
    files: Vec<(Vec<u8>, Entry)>,
    /// The directories in it that hold any.
    below: Vec<(Vec<u8>, Rc<Found>)>,
    has_links: bool,
    /// How many kustomization files there are.
    count: usize,
}

/// The kustomizations of one tree.
#[derive(Debug)]
pub struct Graph {
    kustomizations: BTreeMap<RepoPath, Node>,
    /// A path, and the directories of the kustomizations that name it.
    consumers: HashMap<RepoPath, Vec<RepoPath>>,
}

/// A directory with a kustomization file, or with too many of them.
#[derive(Debug)]
struct Node {
    file: RepoPath,
    parsed: Rc<Kustomization>,
    ambiguous: bool,
}

impl Graph {
    /// Reads every kustomization of `tree`. Folders whose name begins with a dot are not searched: they hold what is for
    /// other tools. What a kustomization names in them is consumed all the same.
    pub fn read(tree: &dyn Tree, parsed: &Parsed) -> Result<Self, tree::Error> {
        let mut graph = Self { kustomizations: BTreeMap::new(), consumers: HashMap::new() };
        let Entry::Directory(root) = tree.lookup(&RepoPath::root())? else { return Ok(graph) };
        let found = parsed.search(tree, &root, 0)?;
        graph.add(tree, parsed, &RepoPath::root(), &found)?;
        graph.connect(tree, parsed, found.has_links)?;
        Ok(graph)
    }

    fn add(&mut self, tree: &dyn Tree, parsed: &Parsed, here: &RepoPath, found: &Found) -> Result<(), tree::Error> {
        for (name, entry) in &found.files {
            let file = here.join(name);
            let parsed = parsed.file(tree, &file, *entry)?;
            let node = Node { file, parsed, ambiguous: false };
            self.kustomizations.entry(here.clone()).and_modify(|node| node.ambiguous = true).or_insert(node);
        }
        found.below.iter().try_for_each(|(name, below)| self.add(tree, parsed, &here.join(name), below))
    }

    fn connect(&mut self, tree: &dyn Tree, parsed: &Parsed, has_links: bool) -> Result<(), tree::Error> {
        let mut ahead: Vec<RepoPath> = self.kustomizations.keys().cloned().collect();
        while let Some(directory) = ahead.pop() {
            for path in self.named_by(tree, &directory, has_links)? {
                // Folders that are not searched count where a kustomization names them.
                if path.is_hidden() && !self.has(&path) && self.add_hidden(tree, parsed, &path)? {
                    ahead.push(path.clone());
                }
                self.consumers.entry(path).or_default().push(directory.clone());
            }
        }
        self.consumers.values_mut().for_each(|directories| directories.sort());
        self.drop_idle_components();
        Ok(())
    }

    /// Every path that the kustomization in `directory` names, and what lies behind links.
    fn named_by(&self, tree: &dyn Tree, directory: &RepoPath, has_links: bool) -> Result<Vec<RepoPath>, tree::Error> {
        let Some(node) = self.kustomizations.get(directory) else { return Ok(Vec::new()) };
        let named = node.parsed.paths().filter_map(|path| directory.resolve(path));
        let mut consumed: Vec<RepoPath> = named.filter(|path| path != directory).collect();
        if has_links {
            let mut behind = Vec::new();
            for path in consumed.iter().chain([&node.file]) {
                let (real, _) = tree::follow_through(tree, path, &mut behind)?;
                behind.push(real);
            }
            consumed.extend(behind.into_iter().filter(|path| path != directory && *path != node.file));
        }
        consumed.sort();
        consumed.dedup();
        Ok(consumed)
    }

    /// Adds the kustomization in `directory`, if there is one.
    fn add_hidden(&mut self, tree: &dyn Tree, parsed: &Parsed, directory: &RepoPath) -> Result<bool, tree::Error> {
        let Entry::Directory(id) = tree.lookup(directory)? else { return Ok(false) };
        let files = tree.list(&id)?.into_iter().filter(|(name, _)| is_kustomization_name(name)).collect();
        let found = Found { files, ..Found::default() };
        self.add(tree, parsed, directory, &found)?;
        Ok(self.has(directory))
    }

    /// A component that nothing names does nothing, so what it names speaks for itself.
    fn drop_idle_components(&mut self) {
        let mut named_by: HashMap<RepoPath, Vec<RepoPath>> = HashMap::new();
        for (path, consumers) in &self.consumers {
            for directory in consumers.iter().filter(|directory| self.is_component(directory)) {
                named_by.entry(directory.clone()).or_default().push(path.clone());
            }
        }
        let is_idle = |directory: &&RepoPath| self.is_component(directory) && !self.is_consumed(directory);
        let mut idle: Vec<RepoPath> = self.kustomizations.keys().filter(is_idle).cloned().collect();
        let mut gone = HashSet::new();
        let mut consumers_left: HashMap<RepoPath, usize> = HashMap::new();
        while let Some(directory) = idle.pop() {
            for path in named_by.remove(&directory).unwrap_or_default() {
                let all = self.consumers.get(&path).map_or(0, Vec::len);
                let left = consumers_left.entry(path.clone()).or_insert(all);
                *left -= 1;
                if *left == 0 && self.is_component(&path) {
                    idle.push(path);
                }
            }
            gone.insert(directory);
        }
        for path in consumers_left.into_keys() {
            if let hash_map::Entry::Occupied(mut consumers) = self.consumers.entry(path) {
                consumers.get_mut().retain(|directory| !gone.contains(directory));
                if consumers.get().is_empty() {
                    consumers.remove();
                }
            }
        }
    }

    /// Whether the kustomization in `directory` is a component.
    pub fn is_component(&self, directory: &RepoPath) -> bool {
        self.kustomizations.get(directory).is_some_and(|node| node.parsed.is_component)
    }

    /// The kustomization in `directory` and the path of its file; `None` if there is none or more than one.
    pub fn kustomization(&self, directory: &RepoPath) -> Option<(&Rc<Kustomization>, &RepoPath)> {
        self.kustomizations.get(directory).filter(|node| !node.ambiguous).map(|node| (&node.parsed, &node.file))
    }

    /// Whether `directory` holds a kustomization file.
    pub fn has(&self, directory: &RepoPath) -> bool {
        self.kustomizations.contains_key(directory)
    }

    /// Whether some kustomization names this path.
    pub fn is_consumed(&self, path: &RepoPath) -> bool {
        self.consumers.contains_key(path)
    }

    /// Whether `directory` is deployed by itself: a kustomization, not a component, that no other one names.
    pub fn is_root(&self, directory: &RepoPath) -> bool {
        self.kustomizations.get(directory).is_some_and(|node| !node.parsed.is_component) && !self.is_consumed(directory)
    }

    /// The directories of the kustomizations that name `path`.
    pub fn consumers(&self, path: &RepoPath) -> &[RepoPath] {
        self.consumers.get(path).map_or(&[], Vec::as_slice)
    }

    /// The directories of all kustomizations into which any of `paths` goes, however far up.
    pub fn reached_from<'p>(&self, paths: impl IntoIterator<Item = &'p RepoPath>) -> BTreeSet<RepoPath> {
        let mut reached = BTreeSet::new();
        let mut ahead: Vec<RepoPath> = Vec::new();
        for path in paths {
            ahead.extend(self.consumers.get(path).into_iter().flatten().cloned());
            if is_kustomization_name(path.file_name()) {
                let directory = path.parent().unwrap_or_default();
                if self.has(&directory) {
                    ahead.push(directory);
                } else {
                    // Who names a directory that has lost its kustomization is broken by that.
                    ahead.extend(self.consumers.get(&directory).into_iter().flatten().cloned());
                }
            }
        }
        while let Some(directory) = ahead.pop() {
            if !reached.contains(&directory) {
                ahead.extend(self.consumers.get(&directory).into_iter().flatten().cloned());
                reached.insert(directory);
            }
        }
        reached
    }
}

impl Parsed {
    fn search(&self, tree: &dyn Tree, directory: &ObjectId, depth: usize) -> Result<Rc<Found>, tree::Error> {
        let too_much = |reason: String| tree::Error { what: format!("directory {directory}"), reason };
        if depth > MAX_DIRECTORIES {
            return Err(too_much(format!("directories lie more than {MAX_DIRECTORIES} deep")));
        }
        if let Some(found) = self.directories.borrow().get(directory) {
            return Ok(Rc::clone(found));
        }
        let mut found = Found::default();
        for (name, entry) in tree.list(directory)? {
            match entry {
                Entry::Directory(id) if !name.starts_with(b".") => {
                    let below = self.search(tree, &id, depth + 1)?;
                    found.has_links |= below.has_links;
                    found.count = found.count.saturating_add(below.count);
                    if below.count > 0 {
                        found.below.push((name, below));
                    }
                }
                Entry::File(_) | Entry::Symlink(_) => {
                    found.has_links |= matches!(entry, Entry::Symlink(_));
                    if is_kustomization_name(&name) {
                        found.count += 1;
                        found.files.push((name, entry));
                    }
                }
                _ => {}
            }
        }
        if found.count > MAX_KUSTOMIZATIONS {
            return Err(too_much(format!("more than {MAX_KUSTOMIZATIONS} kustomizations lie in it")));
        }
        let found = Rc::new(found);
        self.directories.borrow_mut().insert(*directory, Rc::clone(&found));
        Ok(found)
    }

    pub(super) fn file(
        &self,
        tree: &dyn Tree,
        path: &RepoPath,
        entry: Entry,
    ) -> Result<Rc<Kustomization>, tree::Error> {
        let entry = if matches!(entry, Entry::Symlink(_)) { tree::follow(tree, path)?.1 } else { entry };
        let Entry::File(id) = entry else { return Ok(Rc::default()) };
        let key = (path.clone(), id);
        if let Some(known) = self.files.borrow().get(&key) {
            return Ok(Rc::clone(known));
        }
        let parsed = Rc::new(match tree.read(&id, MAX_FILE)? {
            Content::Bytes(bytes) => panic::catch_unwind(|| Kustomization::parse(path, &bytes))
                .unwrap_or_else(|_| Kustomization::unread("reading it failed; this is a fault of pullgate".to_owned())),
            Content::TooLarge(size) => Kustomization::unread(format!("it has {size} bytes, more than is read")),
        });
        self.files.borrow_mut().insert(key, Rc::clone(&parsed));
        Ok(parsed)
    }
}
