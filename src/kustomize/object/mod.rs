//! Objects on their way through a build: values that keep where they come from, and what an object is called.
mod id;
mod node;
mod origin;
mod read;
mod resource;

pub(super) use id::{Gvk, Id, split_api_version};
pub(super) use node::{Node, Scalar};
pub use origin::Trace;
pub(super) use origin::{Composer, Origin, Written, parts};
pub(super) use read::{Copier, Malformed, Source, check, objects, of_one_text};
pub(super) use resource::{Behavior, Resource, Resources, meta_text};
