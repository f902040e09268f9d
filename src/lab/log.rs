//! The log of requests: what tests assert on.
use axum::http::{HeaderMap, HeaderName, header, request::Parts};

/// One request as it arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Which connection it came over, counted from 1.
    pub connection: u64,
    /// `HEAD`, `GET`, ...
    pub method: String,
    /// Path and query, as sent.
    pub target: String,
    /// The `Authorization` header, if there was one.
    pub authorization: Option<Authorization>,
    /// All `Accept` headers, joined with commas; empty if there was none.
    pub accept: String,
    /// The `User-Agent` header; empty if there was none.
    pub user_agent: String,
    /// The body, for a request that has one: the form of a POST to the token endpoint.
    pub body: String,
}

/// An `Authorization` header, as sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorization {
    /// `Basic`, `Bearer`, ...
    pub scheme: String,
    /// What follows.
    pub value: String,
}

impl Request {
    pub(super) fn new(connection: u64, parts: &Parts, body: &[u8]) -> Self {
        Self {
            connection,
            method: parts.method.to_string(),
            target: parts.uri.path_and_query().map_or_else(String::new, ToString::to_string),
            authorization: Authorization::of(&parts.headers),
            accept: joined(&parts.headers, &header::ACCEPT),
            user_agent: joined(&parts.headers, &header::USER_AGENT),
            body: String::from_utf8_lossy(body).into_owned(),
        }
    }
}

impl Authorization {
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let header = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
        let (scheme, value) = header.split_once(' ').unwrap_or((header, ""));
        Some(Self { scheme: scheme.to_owned(), value: value.trim().to_owned() })
    }

    pub(super) fn is(&self, scheme: &str) -> bool {
        self.scheme.eq_ignore_ascii_case(scheme)
    }
}

/// All values of a header as one: RFC 9110, section 5.3.
pub(super) fn joined(headers: &HeaderMap, name: &HeaderName) -> String {
    let values: Vec<_> = headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
    values.join(", ")
}
