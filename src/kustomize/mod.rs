//! The image path of `kustomize build`, straight from a tree: which files a kustomization deploys, and what its `images:`
//! make of a reference. Pure.
//!
//! What is modelled exactly: `resources`, `bases`, `components` and `images`. Patches that cannot touch an image are
//! recognised; any other patch, replacement or transformer *taints* what it may have changed, so that nothing is
//! rejected on its account.
mod build;
mod field;
mod file;
mod graph;
mod images;
mod patch;
mod value;

pub use build::{Build, FileUse, Restraint, build, spend};
pub use file::{Kustomization, is_kustomization_name};
pub use graph::{Graph, Parsed};
pub use images::{Image, Layer};
