//! The least client: one request a connection, everything as text.
use crate::lab::{Auth, Options, Registry};
use std::{
    io::{Read, Write},
    net::TcpStream,
};

pub(super) const OCI: &str =
    "Accept: application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json";

/// An answer as it came over the wire.
pub(super) struct Raw {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: String,
}

impl Raw {
    pub(super) fn header(&self, wanted: &str) -> Option<&str> {
        let fields = self.head.lines().filter_map(|line| line.split_once(": "));
        fields.into_iter().find_map(|(name, value)| name.eq_ignore_ascii_case(wanted).then_some(value))
    }

    /// The first error's code.
    pub(super) fn code(&self) -> String {
        let body: serde_json::Value = serde_json::from_str(&self.body).unwrap();
        body["errors"][0]["code"].as_str().unwrap().to_owned()
    }
}

pub(super) fn ask(registry: &Registry, method: &str, target: &str, headers: &[&str]) -> Raw {
    let mut stream = TcpStream::connect(registry.address()).unwrap();
    let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
    write!(stream, "{method} {target} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{headers}\r\n", registry.host())
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").expect("an answer has a head");
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Raw { status, head: head.to_owned(), body: body.to_owned() }
}

pub(super) fn plain() -> Registry {
    Registry::start(Options::default()).unwrap()
}

pub(super) fn with(auth: Auth) -> Registry {
    Registry::start(Options { auth, ..Options::default() }).unwrap()
}

// "alice:s3cret" and "alice:guess"
pub(super) const ALICE: &str = "Authorization: Basic YWxpY2U6czNjcmV0";
pub(super) const MALLORY: &str = "Authorization: Basic YWxpY2U6Z3Vlc3M=";
