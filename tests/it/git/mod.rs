//! The repository as `git` reads it, against git itself.
mod base;
mod fixture;
mod plain;
mod push;
mod quarantine;
mod stores;
