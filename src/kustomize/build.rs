//! What a kustomization deploys: its manifest files in order, each with the `images:` that apply to it.
use super::{
    field::Field,
    file::Kustomization,
    graph::Graph,
    images::Layer,
    patch::{PatchSource, is_neutral},
    value::Named,
};
use crate::{
    image::Place,
    tree::{self, Content, Entry, RepoPath, Tree},
    verdict::Notice,
    yaml::Position,
};
use std::{cell::Cell, collections::BTreeSet, rc::Rc};

/// How deep kustomizations may name one another.
const MAX_DEPTH: usize = 32;
/// How many manifest files one kustomization may deploy.
const MAX_FILES: usize = 20_000;
/// What looking up an entry of `resources` or `components` costs, against going through one more file.
const ENTRY_COST: usize = 100;
/// The largest patch that is looked into, in bytes.
const MAX_PATCH: u64 = 4 << 20;

/// What building a kustomization gives.
#[derive(Debug, Default)]
pub struct Build {
    /// The manifest files, in kustomize's order; one that is named twice stands twice.
    pub files: Vec<FileUse>,
    /// Every directory and file that was read or found missing on the way.
    pub reads: BTreeSet<RepoPath>,
    /// What could not be worked out; nothing is rejected on account of what it taints.
    pub notices: Vec<Notice>,
    /// Whether kustomize would refuse to build it at all: then it deploys nothing.
    pub is_refused: bool,
}

/// A manifest file in a build.
#[derive(Clone, Debug)]
pub struct FileUse {
    /// The file, with symbolic links followed.
    pub path: RepoPath,
    /// The `images:` that apply, first to last.
    pub layers: Vec<Rc<Layer>>,
    /// Whether the layers are all there is to know.
    pub restraint: Restraint,
}

/// Whether something that is not worked out may have changed a file's images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restraint {
    /// Nothing may: the images are exact.
    Exact,
    /// A patch, replacement or transformer may.
    Tainted,
}

/// Builds the kustomization in `directory`, for no more than `left` allows: every file that is gone through costs one, and
/// every entry that is looked up a hundred. A build that runs out of it is refused.
pub fn build(tree: &dyn Tree, graph: &Graph, directory: &RepoPath, left: &Cell<u64>) -> Result<Build, tree::Error> {
    let mut builder = Builder { tree, graph, build: Build::default(), stack: Vec::new(), has_schema: false, left };
    let mut files = Vec::new();
    builder.run(directory, &mut files)?;
    builder.build.notices.sort();
    builder.build.notices.dedup();
    if !builder.build.is_refused {
        builder.build.files = files;
    }
    Ok(builder.build)
}

struct Builder<'t> {
    tree: &'t dyn Tree,
    graph: &'t Graph,
    build: Build,
    stack: Vec<RepoPath>,
    /// Whether a kustomization met so far has its own schema, which holds from then on.
    has_schema: bool,
    left: &'t Cell<u64>,
}

impl Builder<'_> {
    /// Adds to `files` what the kustomization in `directory` deploys. For a component, `files` holds what its parent has
    /// gathered so far, and is changed too.
    fn run(&mut self, directory: &RepoPath, files: &mut Vec<FileUse>) -> Result<(), tree::Error> {
        self.build.reads.insert(directory.clone());
        let Some((kustomization, file)) = self.graph.kustomization(directory) else {
            self.refuse(directory, Position::START, "the directory has more than one kustomization file".to_owned());
            return Ok(());
        };
        let (kustomization, file) = (Rc::clone(kustomization), file.clone());
        self.build.reads.insert(file.clone());
        if let Some((at, why)) = &kustomization.refused {
            self.refuse(&file, *at, format!("kustomize would not build this: {why}"));
            return Ok(());
        }
        self.has_schema |= kustomization.has_schema;
        self.stack.push(directory.clone());
        for named in &kustomization.resources {
            if self.may_go_on(&file, named.at, ENTRY_COST) {
                self.resource(directory, &file, named, files)?;
            }
        }
        for named in &kustomization.components {
            if self.may_go_on(&file, named.at, ENTRY_COST) {
                self.component(directory, &file, named, files)?;
            }
        }
        if self.may_go_on(&file, Position::START, files.len() + ENTRY_COST * kustomization.patches.len()) {
            self.transform(directory, &file, &kustomization, files)?;
        }
        self.stack.pop();
        Ok(())
    }

    /// Whether there is enough left to go on, and something to be gained by it.
    fn may_go_on(&mut self, file: &RepoPath, at: Position, cost: usize) -> bool {
        let may_go_on = spend(self.left, cost);
        if !may_go_on && !self.build.is_refused {
            self.build.is_refused = true;
            let message = "kustomizations name too much, taken together: what is deployed here is not checked";
            self.notice("budget-exceeded", file, at, message.to_owned());
        }
        may_go_on
    }

    fn resource(
        &mut self,
        directory: &RepoPath,
        file: &RepoPath,
        named: &Named,
        files: &mut Vec<FileUse>,
    ) -> Result<(), tree::Error> {
        if is_remote(&named.text) {
            self.notice(
                "remote-base",
                file,
                named.at,
                format!("{} is not in this repository; what it deploys is not checked", named.text),
            );
            return Ok(());
        }
        let Some((path, entry)) = self.locate(directory, &named.text)? else {
            self.refuse(file, named.at, format!("{} lies outside the repository", named.text));
            return Ok(());
        };
        match entry {
            Entry::File(_) if files.len() >= MAX_FILES => {
                self.refuse(file, named.at, format!("it deploys more than {MAX_FILES} files"));
            }
            Entry::File(_) => files.push(FileUse { path, layers: Vec::new(), restraint: Restraint::Exact }),
            Entry::Directory(_) => {
                let mut below = Vec::new();
                if self.enter(file, named, &path, false) {
                    self.run(&path, &mut below)?;
                }
                files.append(&mut below);
            }
            Entry::Submodule(_) => {
                self.notice(
                    "submodule",
                    file,
                    named.at,
                    format!("{} is a submodule; what it deploys is not checked", named.text),
                );
            }
            Entry::Absent | Entry::Symlink(_) => {
                self.refuse(file, named.at, format!("kustomize would not build this: there is no {}", named.text));
            }
        }
        Ok(())
    }

    fn component(
        &mut self,
        directory: &RepoPath,
        file: &RepoPath,
        named: &Named,
        files: &mut Vec<FileUse>,
    ) -> Result<(), tree::Error> {
        if is_remote(&named.text) {
            // Unlike a remote base, it works on what is already there.
            taint(files);
            self.notice(
                "remote-base",
                file,
                named.at,
                format!("{} is not in this repository; it may change any image here", named.text),
            );
            return Ok(());
        }
        match self.locate(directory, &named.text)? {
            Some((path, Entry::Directory(_))) if self.enter(file, named, &path, true) => self.run(&path, files),
            Some((_, Entry::Directory(_))) => Ok(()),
            _ => {
                self.refuse(file, named.at, format!("kustomize would not build this: there is no {}", named.text));
                Ok(())
            }
        }
    }

    /// Whether the kustomization in `path` may be built here; if not, says why.
    fn enter(&mut self, file: &RepoPath, named: &Named, path: &RepoPath, as_component: bool) -> bool {
        let text = &named.text;
        let fault = if !self.graph.has(path) && !path.is_hidden() {
            format!("{text} has no kustomization file")
        } else if path.is_hidden() {
            self.notice("hidden", file, named.at, format!("{text} lies below a dot folder, which is not read"));
            return false;
        } else if self.stack.iter().any(|above| above.is_within(path)) {
            format!("{text} names a kustomization that is being built: a cycle")
        } else if self.stack.len() >= MAX_DEPTH {
            format!("kustomizations name one another more than {MAX_DEPTH} deep")
        } else if self.graph.kustomization(path).is_some_and(|(below, _)| below.is_component != as_component) {
            format!("{text} is {}a component", if as_component { "not " } else { "" })
        } else {
            return true;
        };
        self.refuse(file, named.at, format!("kustomize would not build this: {fault}"));
        false
    }

    /// The patches, then the images, then what comes after the images and is not worked out.
    fn transform(
        &mut self,
        directory: &RepoPath,
        file: &RepoPath,
        kustomization: &Kustomization,
        files: &mut [FileUse],
    ) -> Result<(), tree::Error> {
        let mut patched = None;
        for patch in &kustomization.patches {
            if !self.leaves_images_alone(directory, patch)? {
                patched.get_or_insert(patch.named.at);
            }
        }
        if let Some(at) = patched {
            taint(files);
            let what = "a patch here may set an image, which is not worked out yet: images below are not rejected";
            self.notice("patch", file, at, what.to_owned());
        }
        if !kustomization.images.is_empty() {
            for one in files.iter_mut() {
                one.layers.push(Rc::clone(&kustomization.images));
            }
        }
        for &(field, code, at) in &kustomization.opaque {
            if matches!(field, Field::Rewrites(_)) {
                taint(files);
            }
            self.notice(code, file, at, format!("a {code} here is not worked out yet: what it deploys is not checked"));
        }
        Ok(())
    }

    fn leaves_images_alone(&mut self, directory: &RepoPath, patch: &PatchSource) -> Result<bool, tree::Error> {
        let PatchSource { named, is_inline, target } = patch;
        if *is_inline {
            return Ok(is_neutral(named.text.as_bytes(), target, self.has_schema));
        }
        let Some((_, Entry::File(id))) = self.locate(directory, &named.text)? else { return Ok(false) };
        match self.tree.read(&id, MAX_PATCH)? {
            Content::Bytes(bytes) => Ok(is_neutral(&bytes, target, self.has_schema)),
            Content::TooLarge(_) => Ok(false),
        }
    }

    /// What `text` names as seen from `directory`, with links followed; `None` outside the repository.
    fn locate(&mut self, directory: &RepoPath, text: &str) -> Result<Option<(RepoPath, Entry)>, tree::Error> {
        let Some(named) = directory.resolve(text) else { return Ok(None) };
        self.build.reads.insert(named.clone());
        let (real, entry) = tree::follow(self.tree, &named)?;
        self.build.reads.insert(real.clone());
        Ok(Some((real, entry)))
    }

    fn refuse(&mut self, file: &RepoPath, at: Position, message: String) {
        self.build.is_refused = true;
        self.notice("build-error", file, at, message);
    }

    fn notice(&mut self, code: &'static str, file: &RepoPath, at: Position, message: String) {
        let place = Place { path: file.clone(), line: at.line, column: at.column };
        self.build.notices.push(Notice { code, place, message });
    }
}

/// Takes `cost` from what is left; `false` if that is all there was.
pub fn spend(left: &Cell<u64>, cost: usize) -> bool {
    left.set(left.get().saturating_sub(cost as u64));
    left.get() > 0
}

fn taint(files: &mut [FileUse]) {
    for file in files {
        file.restraint = Restraint::Tainted;
    }
}

/// Whether kustomize would fetch this entry of `resources` from somewhere else.
fn is_remote(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let scheme = ["http://", "https://", "ssh://", "file://", "git::", "git@", "github.com/", "github.com:"];
    let has_user = || text.split_once('@').is_some_and(|(user, rest)| !user.contains('/') && rest.contains(':'));
    scheme.iter().any(|start| lower.starts_with(start))
        || lower.contains("://")
        || lower.contains("?ref=")
        || has_user()
}
