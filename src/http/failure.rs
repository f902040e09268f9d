//! Why a request has no answer, sorted by who can do something about it.
use super::resolve::Unresolved;
use rustls::{AlertDescription, CertificateError, InvalidMessage};
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

/// Names in a certificate that are told: one for many hosts has hundreds.
const NAMES: usize = 3;

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
    /// There is no connection, and it would go through a proxy, which is to be looked at first.
    #[error("{failure} (through the proxy {proxy})")]
    Proxied {
        /// Host and port of the proxy.
        proxy: String,
        /// What happened.
        failure: Box<Failure>,
    },
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
        rustls::Error::InvalidCertificate(reason) => untrusted(reason),
        error => error.to_string(),
    }
}

/// Why we do not take the server's certificate, and what would help.
fn untrusted(reason: &CertificateError) -> String {
    match reason {
        CertificateError::UnknownIssuer => {
            "nobody that is trusted here has signed the server's certificate (UnknownIssuer); ca-file may name its CA"
                .to_owned()
        }
        CertificateError::ExpiredContext { time, not_after } => {
            let days = time.as_secs().saturating_sub(not_after.as_secs()) / (24 * 60 * 60);
            format!("the server's certificate expired {days} days ago")
        }
        CertificateError::NotValidForNameContext { expected, presented } => {
            let names: Vec<&str> = presented.iter().take(NAMES).map(|name| bare(name)).collect();
            let more = presented.len().saturating_sub(NAMES);
            let others = if more == 0 { String::new() } else { format!(" and {more} more") };
            let (expected, names) = (expected.to_str(), names.join(", "));
            format!("the server's certificate is not valid for name {expected}, but for {names}{others}")
        }
        reason => rustls::Error::InvalidCertificate(reason.clone()).to_string(),
    }
}

/// `a.example` of `DnsName("a.example")`, as the library writes it.
fn bare(name: &str) -> &str {
    name.split_once("(\"").and_then(|(_, rest)| rest.strip_suffix("\")")).unwrap_or(name)
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

#[cfg(test)]
mod tests {
    use super::{CertificateError, untrusted};
    use rustls::pki_types::{ServerName, UnixTime};
    use std::time::Duration;

    #[test]
    fn a_certificate_that_is_not_taken_is_explained_in_words() {
        let day = |days: u64| UnixTime::since_unix_epoch(Duration::from_secs(days * 24 * 60 * 60));
        let old = CertificateError::ExpiredContext { time: day(20_658), not_after: day(20_000) };
        assert_eq!(untrusted(&old), "the server's certificate expired 658 days ago");
        let expected = ServerName::try_from("registry.example").unwrap();
        let presented = (0..40).map(|n| format!("DnsName(\"h{n}.example\")")).collect();
        let other = CertificateError::NotValidForNameContext { expected, presented };
        assert_eq!(
            untrusted(&other),
            "the server's certificate is not valid for name registry.example, but for h0.example, h1.example, h2.example \
             and 37 more"
        );
    }
}
