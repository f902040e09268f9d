//! Images: what a reference is, where one is used, and which platforms it runs on.
pub mod platform;
pub mod reference;
pub mod usage;

pub use platform::Platform;
pub use reference::{Invalid, Reference};
pub use usage::{Certainty, ImageUse, Link, Place};
