//! The one outgoing HTTP client: time-outs, roots of trust, proxies, name resolution, and which addresses it may reach.
//!
//! A push chooses the hosts that are asked, so nothing here connects to an address that is not public unless the
//! configuration says that the host may have one. Redirects are never followed here: whoever asks must judge the next
//! host first. Nothing is read or built before the first request.
mod address;
mod certs_d;
mod client;
mod client_certificate;
mod failure;
mod hosts_toml;
mod proxy;
mod resolve;
mod roots;

pub use address::{is_public, literal};
pub use client::{Clients, MAX_HEADERS, Reach, Settings};
pub use client_certificate::ClientCertificate;
pub use failure::Failure;
pub use proxy::Proxies;
pub use roots::Roots;
