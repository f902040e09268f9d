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
    let mut pairs: BTreeMap<(Option<ObjectId>, ObjectId), Comparison<'r>> = BTreeMap::new();
    let mut bases = HashMap::new();
    for update in updates {
        let (Some(new), Some(enforcement)) = (update.new, rules.enforcement(&update.name)) else { continue };
        let found = compare(repository, update.old, new, initial, &mut bases);
        let Some((old, new)) = found.map_err(|error| (update.name.clone(), error))? else { continue };
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

/// The trees of one update; `None` if it deploys nothing: the tag of a blob or a tree, or an unrelated branch that is to
/// be skipped.
fn compare<'r>(
    repository: &'r Repository,
    old: Option<ObjectId>,
    new: ObjectId,
    initial: Initial,
    bases: &mut HashMap<ObjectId, Base>,
) -> Result<Option<Pair<'r>>, git::Error> {
    let Some(commit) = repository.commit(&new)? else { return Ok(None) };
    let Some(tree) = repository.tree(&commit)? else { return Ok(None) };
    // A tag may have named something else than a commit before; then it is as good as new.
    let before = old.map_or(Ok(None), |old| repository.commit(&old))?;
    let base = match before {
        Some(old) => Base::MergeBase(old),
        None => match bases.get(&commit) {
            Some(base) => *base,
            None => {
                let base = repository.base_of_new_ref(&commit)?;
                bases.insert(commit, base);
                base
            }
        },
    };
    let old = match base {
        Base::MergeBase(base) | Base::DefaultTip(base) => repository.tree(&base)?,
        Base::Nothing if initial == Initial::Skip => return Ok(None),
        Base::Nothing => None,
    };
    Ok(Some((old, tree)))
}
