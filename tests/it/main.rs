//! The tests that need more than one room, as one binary.
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
