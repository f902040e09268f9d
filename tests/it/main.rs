//! The tests that need more than one room, as one binary.
mod deploy;
mod git;
mod git_command;
mod layers;
mod map_tree;
mod push;
mod registry;
mod speed;
mod world;
