//! The tests that need more than one room, as one binary.
mod config;
mod deploy;
mod git;
mod git_command;
mod layers;
mod map_tree;
mod push;
mod readme;
mod registry;
mod world;
mod yaml;
