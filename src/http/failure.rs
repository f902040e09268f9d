//! Why a request has no answer, sorted by who can do something about it.
use super::resolve::Unresolved;
use rustls::{AlertDescription, InvalidMessage};
use std::{error::Error, io};

/// Alerts of servers that look at our certificate, or look for one.
const ABOUT_OUR_CERTIFICATE: [AlertDescription; 6] = [
    AlertDescription::BadCertificate,
    AlertDescription::CertificateExpired,
    AlertDescription::CertificateRequired,
    AlertDescription::CertificateUnknown,
    AlertDescription::DecryptError,
    AlertDescription::UnknownCA,
];

/// What servers mean that end a connection in this way.
const WANTS_A_CLIENT: &str = "the server probably wants a client certificate, or another one";

/// Why a request has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The name does not exist, says the DNS.
    #[error("there is no host of that name")]
    NoSuchHost,
    /// Every address of the host is private, and it may only have public ones.
    #[error("the host has no public address")]
    NotPublic,
    /// The DNS did not answer, or not with yes or no.
    #[error("cannot resolve the name: {0}")]
    Lookup(String),
    /// Nobody answered to a connection.
    #[error("cannot connect: no answer in time")]
    Silent,
    /// There is no connection.
    #[error("cannot connect: {0}")]
    Connect(String),
    /// There is a connection, but the two do not trust each other.
    #[error("TLS: {0}")]
    Tls(String),
    /// The answer did not come in time.
    #[error("no answer in time")]
    Timeout,
    /// The connection ended before the answer did, or the answer is not HTTP.
    #[error("the connection broke: {0}")]
    Broken(String),
    /// Something on this machine: a file of certificates, a proxy's address.
    #[error("{0}")]
    Local(String),
}

impl Failure {
    /// Reads the chain of causes; the URL, which may be signed, is not kept.
    pub fn of(error: &reqwest::Error) -> Self {
        if let Some(unresolved) = find::<Unresolved>(error) {
            return match unresolved {
                Unresolved::NoSuchHost => Self::NoSuchHost,
                Unresolved::NotPublic => Self::NotPublic,
                Unresolved::Failed(reason) => Self::Lookup(reason.clone()),
            };
        }
        if let Some(tls) = find::<rustls::Error>(error) {
            return Self::Tls(explained(tls));
        }
        let is_tls = error.url().is_some_and(|url| url.scheme() == "https");
        // In TLS 1.3 a server looks at our certificate after the handshake. Of its alert HTTP/2 keeps only the words, or,
        // if no request was sent yet, nothing.
        if is_tls && let Some(alert) = alert(&root(error)) {
            return Self::Tls(explained(&alert));
        }
        if is_tls && find::<hyper::Error>(error).is_some_and(hyper::Error::is_canceled) {
            return Self::Tls(format!("closed right after the handshake: {WANTS_A_CLIENT}"));
        }
        match (error.is_connect(), error.is_timeout()) {
            (true, true) => Self::Silent,
            (true, false) => Self::Connect(root(error)),
            (false, true) => Self::Timeout,
            (false, false) => Self::Broken(root(error)),
        }
    }
}

/// The alert about our certificate that the library would describe with these words.
fn alert(words: &str) -> Option<rustls::Error> {
    let alerts = ABOUT_OUR_CERTIFICATE.map(rustls::Error::AlertReceived);
    alerts.into_iter().find(|alert| alert.to_string() == words)
}

/// What the library says in its own words, and what not everybody reads out of them.
fn explained(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) => "the server does not speak it".to_owned(),
        rustls::Error::AlertReceived(alert) if ABOUT_OUR_CERTIFICATE.contains(alert) => {
            format!("{error}: {WANTS_A_CLIENT}")
        }
        error => error.to_string(),
    }
}

/// The first cause of a type. An `io::Error` hides the error it wraps from `source`, so it is opened.
fn find<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(current) = next {
        if let Some(found) = current.downcast_ref() {
            return Some(found);
        }
        let wrapped = current.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = wrapped.map(|inner| inner as &(dyn Error + 'static)).or_else(|| current.source());
    }
    None
}

/// The words of the innermost cause, which say what happened rather than what was tried.
pub(super) fn root(error: &reqwest::Error) -> String {
    let mut cause: &dyn Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
