//! What `kustomize build` makes of a tree: natively, without a checkout, with the origin of every text. Pure.
//!
//! [`Builder`] loads, generates and transforms as kustomize 5.8 does, in its order. What it cannot work out exactly (what
//! is in other repositories, charts, plugins) makes the objects that it may touch doubtful, with a notice; what kustomize
//! would refuse to build is one notice.
mod build;
mod file;
mod graph;
mod load;
mod object;
mod overrides;
mod schema;
mod transform;

pub use build::{Build, Builder, Object, Options, State};
pub use file::{Kustomization, is_kustomization_name};
pub use graph::{Graph, Parsed};
pub use load::Reads;
pub use object::Trace;
pub use overrides::Overrides;
