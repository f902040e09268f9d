//! Builds kustomizations of one tree, each of them once however many others name it.
use super::{
    accumulate::Accumulator,
    fault::{Fault, Step, Stop},
    output::{Build, Object},
    schema::{SchemaKey, SchemaState},
};
use crate::{
    image::Place,
    kustomize::{
        file::{FILE_NAMES, Kustomization, Named},
        graph::Parsed,
        load::{self, Loaded, NoFile, Reads},
        object::Trace,
        overrides::Overrides,
    },
    tree::{self, Entry, RepoPath, Tree},
    verdict::Notice,
    yaml::Position,
};
use std::{
    cell::{Cell, RefCell},
    collections::{BTreeSet, HashMap},
    rc::Rc,
};

/// How deep kustomizations may name one another.
const MAX_DEPTH: usize = 32;
/// What looking up a path costs, against copying a value.
const LOOK_UP_COST: u64 = 100;
/// What looking at an object costs.
const LOOK_COST: u64 = 10;
/// How many values are kept in all, and of one kustomization, for others that name it too.
const MAX_KEPT: u64 = 3_000_000;
const MAX_KEPT_OF_ONE: u64 = 300_000;

/// How to build where kustomize leaves a choice.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Whether files must lie in the directory of the kustomization that names them.
    pub root_only: bool,
    /// Whether charts and plugins are refused, as `kustomize build` refuses them without flags. Otherwise what they make
    /// is taken for unknown.
    pub is_plain: bool,
}

/// Builds kustomizations of one tree.
pub struct Builder<'t> {
    pub(super) tree: &'t dyn Tree,
    parsed: &'t Parsed,
    pub(super) options: Options,
    /// What building may still cost, in values that are copied and look-ups at a hundred each.
    pub(super) left: &'t Cell<u64>,
    children: RefCell<HashMap<(RepoPath, SchemaKey), Rc<Child>>>,
    kept: Cell<u64>,
}

impl std::fmt::Debug for Builder<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder").field("options", &self.options).finish_non_exhaustive()
    }
}

/// A kustomization that was built for another one.
#[derive(Debug)]
pub(super) struct Child {
    pub(super) built: Result<Accumulator, Fault>,
    reads: Reads,
    notices: BTreeSet<Notice>,
    elsewhere: Vec<(String, Rc<Trace>)>,
    /// The directories of all kustomizations in it.
    directories: BTreeSet<RepoPath>,
    schema: SchemaState,
}

/// One build on its way.
pub(super) struct Work<'b, 't> {
    pub(super) builder: &'b Builder<'t>,
    pub(super) reads: Reads,
    pub(super) notices: BTreeSet<Notice>,
    pub(super) elsewhere: Vec<(String, Rc<Trace>)>,
    /// The directories of the kustomizations that are being built, outermost first.
    pub(super) stack: Vec<RepoPath>,
    pub(super) directories: BTreeSet<RepoPath>,
    pub(super) schema: SchemaState,
    /// How many components were used so far.
    pub(super) components: usize,
}

impl<'t> Builder<'t> {
    /// Builds in `tree`, for no more than `left` allows.
    pub fn new(tree: &'t dyn Tree, parsed: &'t Parsed, options: Options, left: &'t Cell<u64>) -> Self {
        Self { tree, parsed, options, left, children: RefCell::default(), kept: Cell::new(0) }
    }

    /// Builds the kustomization in `directory`. A build that runs out of what is left is refused.
    pub fn build(&self, directory: &RepoPath) -> Result<Build, tree::Error> {
        self.build_with(directory, None)
    }

    /// The same, with what a deployer sets on top of it.
    pub fn build_with(&self, directory: &RepoPath, overrides: Option<&Overrides>) -> Result<Build, tree::Error> {
        let mut work = Work {
            builder: self,
            reads: Reads::default(),
            notices: BTreeSet::new(),
            elsewhere: Vec::new(),
            stack: Vec::new(),
            directories: BTreeSet::new(),
            schema: SchemaState::default(),
            components: 0,
        };
        let built = work.root(directory, overrides);
        let (objects, is_refused) = match built {
            Ok(accumulator) => (accumulator.into_all().iter().filter_map(Object::new).collect(), false),
            Err(Stop::Tree(error)) => return Err(error),
            Err(Stop::Fault(Fault { code, place, message, .. })) => {
                work.notices.insert(Notice { code, place, message });
                (Vec::new(), true)
            }
        };
        let elsewhere = if is_refused { Vec::new() } else { work.elsewhere };
        let notices = work.notices.into_iter().collect();
        Ok(Build { objects, reads: work.reads, notices, elsewhere, is_refused })
    }
}

impl Work<'_, '_> {
    fn root(&mut self, directory: &RepoPath, overrides: Option<&Overrides>) -> Step<Accumulator> {
        let (real, _) = load::locate(self.builder.tree, &mut self.reads, directory, ".")?
            .ok_or_else(|| Fault::refused(start_of(directory), "there is no such directory"))?;
        let kustomization = self.kustomization(&real, &real.to_string(), &start_of(directory))?;
        let kustomization = match overrides {
            Some(overrides) => {
                let mut changed = (*kustomization).clone();
                overrides.apply(&mut changed.images);
                Rc::new(changed)
            }
            None => kustomization,
        };
        self.set_schema(&kustomization, &real)?;
        let mut accumulator = Accumulator::default();
        self.stack.push(real.clone());
        self.accumulate(&kustomization, &real, &mut accumulator)?;
        self.finish(accumulator)
    }

    /// The kustomization of a directory, which is without links.
    fn kustomization(&mut self, directory: &RepoPath, text: &str, place: &Place) -> Step<Rc<Kustomization>> {
        self.directories.insert(directory.clone());
        let mut found = Vec::new();
        for name in FILE_NAMES {
            self.spend(LOOK_UP_COST, place)?;
            if let Some((path, Entry::File(id))) = load::locate(self.builder.tree, &mut self.reads, directory, name)?
                && (!self.builder.options.root_only || path.is_within(directory))
            {
                found.push((directory.join(name), id));
            }
        }
        let [(file, id)] = &found[..] else {
            let why =
                if found.is_empty() { "has no kustomization file" } else { "has more than one kustomization file" };
            return Err(Fault::refused(place.clone(), format!("{text} {why}")).into());
        };
        let kustomization = self.builder.parsed.file(self.builder.tree, file, Entry::File(*id))?;
        if let Some((at, why)) = &kustomization.refused {
            return Err(Fault::refused(self.place(&kustomization, *at), why).into());
        }
        Ok(kustomization)
    }

    /// Builds the kustomization in `directory`, which is named at `place` as `text`, on its own.
    pub(super) fn child(&mut self, directory: &RepoPath, text: &str, place: &Place) -> Step<Rc<Child>> {
        self.enter(directory, text, place)?;
        let key = (directory.clone(), self.schema.key());
        let known = self.builder.children.borrow().get(&key).cloned();
        // What was built elsewhere can lead back to where we come from.
        let known = known.filter(|child| {
            !child.directories.iter().any(|below| self.stack.iter().any(|above| above.is_within(below)))
        });
        let child = match known {
            Some(child) => child,
            None => self.build_child(directory, text, place, key)?,
        };
        self.reads.extend(&child.reads);
        self.notices.extend(child.notices.iter().cloned());
        self.elsewhere.extend(child.elsewhere.iter().cloned());
        self.directories.extend(child.directories.iter().cloned());
        self.schema = child.schema.clone();
        Ok(child)
    }

    fn build_child(
        &mut self,
        directory: &RepoPath,
        text: &str,
        place: &Place,
        key: (RepoPath, SchemaKey),
    ) -> Step<Rc<Child>> {
        let mut work = Work {
            builder: self.builder,
            reads: Reads::default(),
            notices: BTreeSet::new(),
            elsewhere: Vec::new(),
            stack: std::mem::take(&mut self.stack),
            directories: BTreeSet::new(),
            schema: self.schema.clone(),
            components: 0,
        };
        let depth = work.stack.len();
        let mut accumulator = Accumulator::default();
        let built = work.directory(directory, text, place, false, &mut accumulator);
        work.stack.truncate(depth);
        self.stack = std::mem::take(&mut work.stack);
        let built = match built {
            Ok(()) => Ok(accumulator),
            Err(Stop::Fault(fault)) => Err(fault),
            Err(stop) => {
                return Err(stop);
            }
        };
        let (size, may_keep) = match &built {
            Ok(accumulator) => (accumulator.size(), true),
            Err(fault) => (1, !fault.is_of_the_way),
        };
        let Work { reads, notices, elsewhere, directories, schema, .. } = work;
        let child = Rc::new(Child { built, reads, notices, elsewhere, directories, schema });
        if may_keep && size <= MAX_KEPT_OF_ONE && self.builder.kept.get() + size <= MAX_KEPT {
            self.builder.kept.set(self.builder.kept.get() + size);
            self.builder.children.borrow_mut().insert(key, Rc::clone(&child));
        }
        Ok(child)
    }

    /// Builds a component, or a kustomization into an empty accumulator.
    pub(super) fn directory(
        &mut self,
        directory: &RepoPath,
        text: &str,
        place: &Place,
        as_component: bool,
        accumulator: &mut Accumulator,
    ) -> Step<()> {
        let kustomization = self.kustomization(directory, text, place)?;
        self.set_schema(&kustomization, directory)?;
        if kustomization.is_component != as_component {
            let why = format!("{text} is {}a component", if as_component { "not " } else { "" });
            return Err(Fault::refused(place.clone(), why).into());
        }
        self.stack.push(directory.clone());
        self.accumulate(&kustomization, directory, accumulator)?;
        self.stack.pop();
        Ok(())
    }

    /// Whether the kustomization in `directory` may be built here.
    pub(super) fn enter(&self, directory: &RepoPath, text: &str, place: &Place) -> Step<()> {
        let why = if self.stack.iter().any(|above| above.is_within(directory)) {
            format!("{text} names a kustomization that is being built: a cycle")
        } else if self.stack.len() >= MAX_DEPTH {
            format!("kustomizations name one another more than {MAX_DEPTH} deep")
        } else {
            return Ok(());
        };
        Err(Fault { is_of_the_way: true, ..Fault::refused(place.clone(), why) }.into())
    }

    /// Takes `cost` from what is left.
    pub(super) fn spend(&self, cost: u64, place: &Place) -> Step<()> {
        let left = &self.builder.left;
        left.set(left.get().saturating_sub(cost));
        self.check_budget(place)
    }

    /// Takes what it costs to look at every object so many times.
    pub(super) fn look_over(&self, times: usize, accumulator: &Accumulator, place: &Place) -> Step<()> {
        self.spend(LOOK_COST * times as u64 * (1 + accumulator.resources.all().len() as u64), place)
    }

    /// Whether something is left.
    pub(super) fn check_budget(&self, place: &Place) -> Step<()> {
        if self.builder.left.get() > 0 {
            return Ok(());
        }
        let message =
            "this is more than can be worked out, all in all: what is deployed here is not checked".to_owned();
        Err(Fault { code: "budget-exceeded", place: place.clone(), message, is_of_the_way: true }.into())
    }

    /// A place in the file of a kustomization.
    pub(super) fn place(&self, kustomization: &Kustomization, at: Position) -> Place {
        Place { path: (*kustomization.file).clone(), line: at.line, column: at.column }
    }

    /// Reads a file that a kustomization names.
    pub(super) fn load(&mut self, kustomization: &Kustomization, root: &RepoPath, named: &Named) -> Step<Loaded> {
        let place = self.place(kustomization, named.position());
        self.load_at(root, &named.text, &place)
    }

    /// Reads a file that is named at `place`.
    pub(super) fn load_at(&mut self, root: &RepoPath, text: &str, place: &Place) -> Step<Loaded> {
        self.spend(LOOK_UP_COST, place)?;
        let root_only = self.builder.options.root_only;
        let lower = text.to_ascii_lowercase();
        if lower.starts_with("http://") || lower.starts_with("https://") {
            let message = format!("{text} is not in this repository: what is deployed here is not checked");
            return Err(Fault { code: "remote-base", place: place.clone(), message, is_of_the_way: false }.into());
        }
        load::load(self.builder.tree, &mut self.reads, root, text, root_only)?.map_err(|fault| {
            let (code, why) = match fault {
                NoFile::Missing => return Fault::refused(place.clone(), format!("there is no {text}")).into(),
                NoFile::Outside => {
                    return Fault::refused(place.clone(), format!("{text} lies outside of its directory")).into();
                }
                NoFile::Elsewhere(code) => (code, "is not in this repository".to_owned()),
                NoFile::TooLarge(size) => ("too-large", format!("has {size} bytes, more than is read")),
            };
            let message = format!("{text} {why}: what is deployed here is not checked");
            Stop::Fault(Fault { code, place: place.clone(), message, is_of_the_way: false })
        })
    }

    /// Says something of what goes on.
    pub(super) fn notice(&mut self, code: &'static str, place: Place, message: String) {
        self.notices.insert(Notice { code, place, message });
    }
}

/// The beginning of what stands in a directory.
fn start_of(directory: &RepoPath) -> Place {
    Place { path: directory.clone(), line: 1, column: 1 }
}
