//! A container registry in the process: strict about the OCI distribution specification, and able to misbehave.
//!
//! ```
//! use pullgate::lab::{Behaviour, Options, Registry, Scope};
//!
//! let registry = Registry::start(Options::default())?;
//! let digest = registry.push("team/app", "1.4.2");
//! registry.misbehave(Scope::from("team/app:1.4.2").head().times(1), Behaviour::CloseConnection);
//! assert!(digest.starts_with("sha256:"));
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! A request goes through `exchange`: it is logged, met by the rules of `behaviour`, admitted by `auth` and answered by
//! `routes` from the `store`. The specification is <https://github.com/opencontainers/distribution-spec>; where it leaves
//! room, this registry does as `distribution` (the reference implementation) does.
mod answer;
mod auth;
mod behaviour;
mod exchange;
mod form;
mod image;
mod listener;
mod log;
mod names;
mod routes;
mod server;
mod store;
#[cfg(test)]
mod tests;
mod tls;
mod token;

pub use auth::{Auth, Users};
pub use behaviour::{Behaviour, Scope};
pub use log::{Authorization, Request};
pub use server::{Options, Registry};
pub use tls::Tls;
