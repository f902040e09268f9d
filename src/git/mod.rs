//! The repository behind a push: its objects (the quarantine first), trees, and the base of a new ref. Only here: gix.
//!
//! While a pre-receive hook runs, the pushed objects are not in the repository: they wait in a *quarantine*, an object
//! directory that git names in the environment (see "Quarantine environment" in `git-receive-pack`(1)). gix does not
//! read those variables, so `objects.rs` looks an object up in the quarantine, then in the directories that git names
//! beside it, then in the repository's own, and everything here is written against gix's plumbing on top of that.
//!
//! An object that cannot be found is an error, never "nothing there". Replace refs are not applied: a pushed
//! `refs/replace/*` must not hide what is deployed. Nothing is written, and nothing of the repository's configuration is
//! executed.
mod alternates;
mod base;
mod commit_tree;
mod directory;
mod environment;
mod error;
mod objects;
mod reftable;
mod repository;

pub use base::Base;
pub use commit_tree::CommitTree;
pub use environment::Environment;
pub use error::Error;
pub use repository::Repository;
