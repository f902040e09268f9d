//! What a new ref is compared with.
use super::objects::{Objects, outside};
use crate::tree::ObjectId;
use gix::revision::plumbing::merge_base;

/// What a new ref is compared with. That a commit is already in the repository says nothing: it may have come by a ref
/// that nobody checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    /// The best common ancestor with the default branch; of several, one.
    MergeBase(ObjectId),
    /// The tip of the default branch, because history ends before a common ancestor was found (a shallow push).
    DefaultTip(ObjectId),
    /// Nothing: there is no default branch yet, or the new history has nothing in common with it.
    Nothing,
}

/// The base of `new` when the default branch is at `default_tip`.
pub(super) fn between(objects: &Objects, new: gix::ObjectId, default_tip: gix::ObjectId) -> Base {
    let mut graph = gix::revwalk::Graph::new(objects, None);
    match merge_base(new, &[default_tip], &mut graph) {
        Ok(Some(bases)) => Base::MergeBase(outside(bases.first())),
        Ok(None) => Base::Nothing,
        Err(_) => Base::DefaultTip(outside(&default_tip)),
    }
}
