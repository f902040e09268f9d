//! What kustomize does to the objects of a build: one file for each kind of transformer. Each takes the objects and what
//! a kustomization says; what kustomize would refuse comes back as a text.
mod fields;
mod images;
mod json_patch;
mod keyed;
mod marks;
mod merge;
mod names;
mod path;
mod replacement;
mod vars;

pub(super) use fields::Config;
pub(super) use images::{ImageEntry, replace_images};
pub(super) use json_patch::JsonPatch;
pub(super) use marks::{add as add_pairs, annotate, label, replicate};
pub(super) use merge::merge;
pub(super) use names::{add_prefix, add_suffix, follow_references, set_namespace};
pub(super) use replacement::{Replaced, replace};
pub(super) use vars::{Vars, resolve_vars};
