//! The configuration: a file in, the rooms' options out. No room imports it.
mod build;
pub mod environment;
mod file;
mod load;
mod user;

pub use build::Config;
pub use load::{Error, SYSTEM_FILE, Search};
