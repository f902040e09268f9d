//! A report in, text out. Pure: it gets a `Write` and decides nothing.
//!
//! A new format is one new file here and one row in the command that offers it.
pub mod json;
pub mod text;
mod wrap;
