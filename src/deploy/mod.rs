//! What a tree deploys, and what it deploys that another did not. Pure over [`crate::tree::Tree`].
//!
//! A *unit* is what is deployed together: a kustomization that nothing else names, or a manifest file that no
//! kustomization names. Only units that the change reaches are built, and one of which every look-up has the same answer in
//! both trees deploys nothing new.
mod affected;
mod changed;
mod diff;
mod lines;
mod manifest;
mod unit;

pub use changed::{Changes, changed};
pub use unit::Options;
