//! The tests that need more than one room, as one binary.
mod git;
mod git_command;
mod layers;
