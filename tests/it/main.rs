//! The tests that need more than one room, as one binary.
#![expect(clippy::unwrap_used, reason = "a test that panics has failed")]

mod certificates;
mod config;
mod demo;
mod deploy;
mod distribution;
mod git;
mod git_command;
mod images;
mod install;
mod kustomize_cases;
mod layers;
mod map_tree;
mod push;
mod readme;
mod real_registry;
mod registry;
mod speed;
mod tools;
mod world;
mod yaml;
