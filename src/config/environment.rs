//! The environment variables that pullgate heeds. In the hook the environment is the pusher's or the platform's, so there
//! only the proxy and certificate variables and the log filter count.
use std::{ffi::OsString, path::PathBuf};

/// The configuration file, for every command but the hook.
pub const CONFIG: &str = "PULLGATE_CONFIG";
/// A filter such as `debug` or `pullgate=trace`: what to log.
pub const LOG: &str = "PULLGATE_LOG";
/// A bundle of CA certificates that are trusted besides the system's.
pub const CERT_FILE: &str = "SSL_CERT_FILE";
/// A folder of CA certificates that are trusted besides the system's.
pub const CERT_DIR: &str = "SSL_CERT_DIR";
/// The proxy for plain HTTP, in the order in which they count; not `HTTP_PROXY`, which a web server sets from a header.
pub const HTTP_PROXY: [&str; 3] = ["http_proxy", "all_proxy", "ALL_PROXY"];
/// The proxy for HTTPS, in the order in which they count.
pub const HTTPS_PROXY: [&str; 4] = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];
/// Hosts that are asked without a proxy, in the order in which they count.
pub const NO_PROXY: [&str; 2] = ["no_proxy", "NO_PROXY"];

/// A docker configuration, as text. This and the next ones say where credentials are, for every command but the hook; a
/// configuration with `docker-config` stands in place of them.
pub const DOCKER_AUTH_CONFIG: &str = "DOCKER_AUTH_CONFIG";
/// Podman's file of credentials.
pub const REGISTRY_AUTH_FILE: &str = "REGISTRY_AUTH_FILE";
/// The folder of docker's `config.json`, instead of `~/.docker`.
pub const DOCKER_CONFIG: &str = "DOCKER_CONFIG";
/// The folder in which podman keeps `containers/auth.json`.
pub const XDG_RUNTIME_DIR: &str = "XDG_RUNTIME_DIR";
/// The folder in which a lasting `containers/auth.json` is, instead of `~/.config`.
pub const XDG_CONFIG_HOME: &str = "XDG_CONFIG_HOME";
/// The user's folder.
pub const HOME: &str = "HOME";
/// Where credential helpers are looked for, for every command but the hook.
pub const PATH: &str = "PATH";

/// What a credential helper gets of the environment of a hook.
pub(super) const HELPERS_IN_HOOK: [&[&str]; 4] = [&[HOME, CERT_FILE, CERT_DIR], &HTTP_PROXY, &HTTPS_PROXY, &NO_PROXY];

/// All variables.
pub fn all() -> impl Iterator<Item = (OsString, OsString)> {
    std::env::vars_os()
}

/// A variable's value; `None` if it is unset or empty.
#[expect(clippy::disallowed_methods, reason = "the one place above git/ that reads the environment")]
pub fn value(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// A variable as text; `None` if it is unset, empty or not UTF-8.
pub fn text(name: &str) -> Option<String> {
    value(name)?.into_string().ok()
}

/// A variable as a path; `None` if it is unset or empty.
pub fn path(name: &str) -> Option<PathBuf> {
    value(name).map(PathBuf::from)
}
