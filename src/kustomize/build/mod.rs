//! The build of a kustomization: what is loaded, in which order what is done to it, and what comes of it.
mod accumulate;
mod builder;
mod fault;
mod generate;
mod output;
mod patch;
mod plugin;
mod replace;
mod schema;
mod settings;

pub use builder::{Builder, Options};
use output::document as document_of;
pub use output::{Build, Object, State};
