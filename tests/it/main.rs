//! The tests that need more than one room, as one binary.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that panics has failed, and what it prints is for who reads it"
)]

mod config;
mod demo;
mod deploy;
mod git;
mod git_command;
mod images;
mod install;
mod layers;
mod map_tree;
mod push;
mod readme;
mod real_registry;
mod registry;
mod world;
mod yaml;
