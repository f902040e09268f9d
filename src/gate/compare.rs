//! Which pairs of trees a push asks about: tip against tip, never a walk of commits.
use super::patterns::Patterns;
use crate::{
    git::{self, Base, CommitTree, Repository},
    push::{RefName, RefUpdate},
    tree::ObjectId,
};
use std::collections::{BTreeMap, HashMap};

/// What a finding on a ref does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Enforcement {
    /// It is only said.
    Warn,
    /// It rejects.
    Enforce,
}

/// Which refs are judged. The first list that matches decides; a ref that none matches is not looked at.
#[derive(Clone, Debug)]
pub struct RefRules {
    /// Refs on which a finding rejects.
    pub enforce: Patterns,
    /// Refs on which it is said.
    pub warn: Patterns,
}

/// Branches and tags are enforced.
impl Default for RefRules {
    fn default() -> Self {
        let enforce = Patterns::new(&["refs/heads/**", "refs/tags/**"]).expect("these two are patterns");
        Self { enforce, warn: Patterns::default() }
    }
}

impl RefRules {
    fn enforcement(&self, name: &RefName) -> Option<Enforcement> {
        if self.enforce.matches(name.as_bytes()) {
            Some(Enforcement::Enforce)
        } else if self.warn.matches(name.as_bytes()) {
            Some(Enforcement::Warn)
        } else {
            None
        }
    }
}

/// What to do with a branch that has no history in common with the default branch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Initial {
    /// All that it deploys counts as new.
    Check,
    /// It passes unseen.
    Skip,
}

/// Two trees to compare, and what follows if the newer deploys what it should not.
pub(super) struct Comparison<'r> {
    pub(super) old: Option<CommitTree<'r>>,
    pub(super) new: CommitTree<'r>,
    pub(super) enforcement: Enforcement,
}

/// The comparisons that `updates` ask for, each pair of trees once.
pub(super) fn comparisons<'r>(
    repository: &'r Repository,
    updates: &[RefUpdate],
    rules: &RefRules,
    initial: Initial,
) -> Result<Vec<Comparison<'r>>, (RefName, git::Error)> {
    let branch = repository.default_branch().map_err(|error| (RefName::new("HEAD"), error))?;
    let default = branch.and_then(|branch| rules.enforcement(&branch));
    let mut bases = Bases { repository, initial, default, known: HashMap::new() };
    // Thousands of refs may move between the same two objects: they are read once.
    let mut moves: BTreeMap<(Option<ObjectId>, ObjectId), (Enforcement, &RefName)> = BTreeMap::new();
    for update in updates {
        let (Some(new), Some(enforcement)) = (update.new, rules.enforcement(&update.name)) else { continue };
        let known = moves.entry((update.old, new)).or_insert((enforcement, &update.name));
        known.0 = known.0.max(enforcement);
    }
    let mut pairs: BTreeMap<(Option<ObjectId>, ObjectId), Comparison<'r>> = BTreeMap::new();
    for ((old, new), (enforcement, name)) in moves {
        let found = bases.pair(old, new, enforcement);
        let Some((old, new)) = found.map_err(|error| (name.clone(), error))? else { continue };
        let old_id = old.as_ref().map(CommitTree::id);
        if old_id == Some(new.id()) {
            continue;
        }
        pairs
            .entry((old_id, new.id()))
            .and_modify(|known| known.enforcement = known.enforcement.max(enforcement))
            .or_insert(Comparison { old, new, enforcement });
    }
    Ok(pairs.into_values().collect())
}

type Pair<'r> = (Option<CommitTree<'r>>, CommitTree<'r>);

/// What the refs of one push are compared with.
struct Bases<'r> {
    repository: &'r Repository,
    initial: Initial,
    /// How strictly the default branch is judged.
    default: Option<Enforcement>,
    /// By commit: many refs may be created at one.
    known: HashMap<ObjectId, Base>,
}

impl<'r> Bases<'r> {
    /// The trees of one update; `None` if it deploys nothing: the tag of a blob or a tree, or an unrelated branch that is
    /// to be skipped.
    fn pair(
        &mut self,
        old: Option<ObjectId>,
        new: ObjectId,
        enforcement: Enforcement,
    ) -> Result<Option<Pair<'r>>, git::Error> {
        let Some(commit) = self.repository.commit(&new)? else { return Ok(None) };
        let Some(tree) = self.repository.tree(&commit)? else { return Ok(None) };
        // A tag may have named something else than a commit before; then it is as good as new.
        if let Some(before) = old.map_or(Ok(None), |old| self.repository.commit(&old))? {
            return Ok(Some((self.repository.tree(&before)?, tree)));
        }
        let old = match self.of_new_ref(&commit)? {
            // A default branch that is judged less strictly vouches for nothing: what it deploys may never have been asked
            // for, and this ref would be the way around.
            Base::MergeBase(_) | Base::DefaultTip(_) if self.default < Some(enforcement) => None,
            Base::MergeBase(base) | Base::DefaultTip(base) => self.repository.tree(&base)?,
            Base::Nothing if self.initial == Initial::Skip => return Ok(None),
            Base::Nothing => None,
        };
        Ok(Some((old, tree)))
    }

    fn of_new_ref(&mut self, commit: &ObjectId) -> Result<Base, git::Error> {
        if let Some(base) = self.known.get(commit) {
            return Ok(*base);
        }
        let base = self.repository.base_of_new_ref(commit)?;
        self.known.insert(*commit, base);
        Ok(base)
    }
}
