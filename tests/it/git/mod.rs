//! The repository as `git` reads it, against git itself.
mod fixture;
mod plain;
mod quarantine;
