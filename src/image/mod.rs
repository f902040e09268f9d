//! Images: what a reference is, and where one is used.
pub mod reference;
pub mod usage;

pub use reference::{Invalid, Reference};
pub use usage::{Certainty, ImageUse, Link, Place};
