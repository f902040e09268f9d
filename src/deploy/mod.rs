//! What a tree deploys, and what it deploys that another did not. Pure over [`crate::tree::Tree`].
//!
//! A *unit* is what is deployed together: a kustomization that nothing else names, or a manifest file that no
//! kustomization names. A unit whose files are the same in both trees deploys nothing new, so only units that the
//! change reaches are built.
mod affected;
mod changed;
mod diff;
mod lines;
mod manifest;
mod unit;

pub use changed::{Changes, changed};
pub use unit::Options;
