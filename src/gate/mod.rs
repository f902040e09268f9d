//! The corridor that every door leads to: ref updates in, report out.
mod compare;
mod gather;
mod inspect;
mod judge;
mod patterns;
mod policy;

pub use compare::{Enforcement, Initial, RefRules};
pub use inspect::{Error, Gate, Options, Outcome};
pub use patterns::{Malformed, Patterns};
pub use policy::{Action, HostPolicy, Policy, Unresolved};
