//! Asking registries: real HTTP against the registry in the process.
mod absent;
mod authorization;
mod busy;
mod challenges;
mod credentials;
mod distribution;
mod exchanges;
mod helpers;
mod instruments;
mod kinds;
mod memory;
mod mirrors;
mod outages;
mod pinned;
mod places;
mod platforms;
mod present;
mod proxies;
mod speed;
mod suggestions;
mod tarpits;
mod threats;
mod tls;
mod tokens;

use pullgate::{
    image::Reference,
    lab::{self, Auth, Behaviour, Registry},
    registry::{Answer, CredentialChoice, Error, HostOptions, Options, Registries},
};
use std::{
    fs,
    time::{Duration, Instant},
};
use tempfile::TempDir;
use tokio::runtime;

type Checked = Result<Answer, Error>;

/// A registry that anybody may ask.
fn open() -> Registry {
    Registry::start(lab::Options::default()).unwrap()
}

fn with(auth: Auth) -> Registry {
    Registry::start(lab::Options { auth, ..lab::Options::default() }).unwrap()
}

fn bearer() -> Auth {
    Auth::Bearer { users: [("alice", "s3cret")].into(), realm: None, service: Some("lab".to_owned()) }
}

fn basic() -> Auth {
    Auth::Basic { users: [("alice", "s3cret")].into() }
}

/// An answer with one header.
fn status(code: u16, name: &str, value: &str) -> Behaviour {
    Behaviour::Status { code, headers: vec![(name.to_owned(), value.to_owned())], body: String::new() }
}

fn error_code(status: u16, code: &str, message: &str) -> Behaviour {
    Behaviour::ErrorCode { status, code: code.to_owned(), message: message.to_owned() }
}

/// What the configuration says about a registry of the lab, which speaks plain HTTP at a loopback address.
fn plain() -> HostOptions {
    HostOptions { plain_http: true, private: true, ..HostOptions::default() }
}

fn listing(registry: &Registry, options: HostOptions) -> Options {
    Options { hosts: [(registry.host(), options)].into(), ..Options::default() }
}

/// The user alice with a password from a file in the folder.
fn alice(folder: &TempDir, password: &str) -> HostOptions {
    let file = folder.path().join("password");
    fs::write(&file, format!("{password}\n")).unwrap();
    HostOptions { credentials: CredentialChoice::Password { username: "alice".to_owned(), file }, ..plain() }
}

/// Checks references as they would stand in a manifest, and returns the answers in their order.
fn check(options: Options, references: &[String]) -> Vec<Checked> {
    check_within(options, references, Duration::from_secs(10))
}

fn check_within(options: Options, references: &[String], time: Duration) -> Vec<Checked> {
    let references: Vec<Reference> = references.iter().map(|text| Reference::parse(text).unwrap()).collect();
    // As the gate does it.
    let runtime = runtime::Builder::new_current_thread().event_interval(4).enable_all().build().unwrap();
    let checked = runtime.block_on(Registries::new(options).check(&references, Instant::now() + time));
    references.iter().map(|reference| checked.answers[reference].clone()).collect()
}

/// The answer about one image of the registry, asked with these options.
fn ask(registry: &Registry, options: HostOptions, image: &str) -> Checked {
    check(listing(registry, options), &[format!("{}/{image}", registry.host())]).remove(0)
}

/// What stands in a message about it.
fn describe(checked: &Checked, registry: &Registry, image: &str) -> String {
    let reference = Reference::parse(&format!("{}/{image}", registry.host())).unwrap();
    match checked {
        Ok(answer) => answer.describe(&reference).replace(&registry.host(), "HOST"),
        Err(error) => error.to_string().replace(&registry.host(), "HOST"),
    }
}

fn is_present(checked: &Checked) -> bool {
    matches!(checked, Ok(Answer::Present { .. }))
}

/// The log as `METHOD path`, with the scheme of the authorization if there was one.
fn requests(registry: &Registry) -> Vec<String> {
    let line = |request: lab::Request| match request.authorization {
        Some(authorization) => format!("{} {} {}", request.method, request.target, authorization.scheme),
        None => format!("{} {}", request.method, request.target),
    };
    registry.requests().into_iter().map(line).collect()
}
