//! The registry as a client on the wire sees it.
mod auth;
mod client;
mod misbehaviour;
mod protocol;
mod skopeo;
mod tls;
