//! What hostile tests take beyond the lab: servers that speak bytes, a name server, a CA.
mod bytes;
mod ca;
mod names;

pub(super) use bytes::{Bytes, Wire};
pub(super) use ca::Ca;
pub(super) use names::Names;
