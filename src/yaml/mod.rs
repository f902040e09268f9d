//! YAML as a person sees it: nodes with position, raw text, style and comment; bounded on hostile input.
//!
//! The parser is read event by event into an arena, one for each document. An alias stays a reference to its anchor's
//! node, so a document costs what its text costs, whatever it expands to. What a plain scalar means is left to the
//! reader: [`resolve`] has both answers.
mod assemble;
mod builder;
mod decode;
mod document;
mod error;
mod limits;
mod lines;
mod merge;
mod node;
mod read;
pub mod resolve;
mod scalar;
mod template;

pub use assemble::Assembly;
pub use document::Document;
pub use error::{Error, ErrorKind};
pub use limits::Limits;
pub use lines::Position;
pub use node::{Kind, Node};
pub use read::{Stream, parse};
pub use scalar::{Scalar, Style};
