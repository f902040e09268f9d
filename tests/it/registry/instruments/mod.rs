//! What hostile tests take beyond the lab: servers that speak bytes, a name server, a CA, and a flood of references.
mod bytes;
mod ca;

pub(super) use bytes::{Bytes, Wire};
pub(super) use ca::Ca;
