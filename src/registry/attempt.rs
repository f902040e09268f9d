//! One question's way through authorization: whose credentials it has, and what it holds for which place.
use super::{
    address::origin,
    answer::AskedAs,
    credentials::{Credentials, Secret},
    manifest::ACCEPTED,
    token::Wanted,
};
use reqwest::{Url, header::HeaderValue};
use std::collections::BTreeMap;

/// Challenges that are answered for one question.
const CHALLENGES: usize = 4;

/// One question's way through authorization.
#[derive(Clone, Debug)]
pub(super) struct Attempt {
    pub(super) repository: String,
    pub(super) credentials: Option<Credentials>,
    /// The media types that are asked for.
    pub(super) accept: &'static str,
    /// The registry that a mirror is asked in place of.
    pub(super) mirrored: Option<String>,
    /// By origin.
    held: BTreeMap<String, Held>,
    /// Challenges that may still be answered.
    challenges: usize,
    /// Whether a token was replaced that the registry called invalid.
    pub(super) refreshed: bool,
    /// Whether a token was replaced by one for the scope that the registry named instead.
    pub(super) widened: bool,
    /// Whether the credentials were tried.
    pub(super) sent: bool,
    /// The source of credentials that the registry did not accept.
    pub(super) refused: Option<String>,
    /// The realm that was not sent the credentials.
    pub(super) withheld: Option<String>,
}

/// What is sent to show that we may ask.
#[derive(Clone, Debug)]
pub(super) enum Held {
    /// Credentials themselves.
    Fixed(HeaderValue),
    Token {
        wanted: Wanted,
        token: Secret,
        header: HeaderValue,
    },
}

impl Held {
    pub(super) fn header(&self) -> &HeaderValue {
        let (Self::Fixed(header) | Self::Token { header, .. }) = self;
        header
    }
}

impl Attempt {
    pub(super) fn new(repository: &str, credentials: Option<Credentials>) -> Self {
        Self {
            repository: repository.to_owned(),
            credentials,
            accept: ACCEPTED,
            mirrored: None,
            held: BTreeMap::new(),
            challenges: CHALLENGES,
            refreshed: false,
            widened: false,
            sent: false,
            refused: None,
            withheld: None,
        }
    }

    /// What is held for the origin of a URL, and for no other.
    pub(super) fn held(&self, url: &Url) -> Option<&Held> {
        self.held.get(&origin(url))
    }

    pub(super) fn hold(&mut self, url: &Url, held: Held) {
        self.held.insert(origin(url), held);
    }

    /// Whether one more challenge may be answered; it counts as answered.
    pub(super) fn may_answer(&mut self) -> bool {
        let left = self.challenges.checked_sub(1);
        self.challenges = left.unwrap_or_default();
        left.is_some()
    }

    /// The source of the credentials themselves, if they are held for the origin of a URL.
    pub(super) fn shown_to(&self, url: &Url) -> Option<String> {
        matches!(self.held(url), Some(Held::Fixed(_))).then(|| self.source()).flatten()
    }

    /// The credentials, unless they were refused.
    pub(super) fn usable(&self) -> Option<&Credentials> {
        self.credentials.as_ref().filter(|_| self.refused.is_none())
    }

    /// From now on asks as anybody: the credentials were refused.
    pub(super) fn refuse(&mut self, url: &Url) {
        self.refused = self.source();
        self.held.remove(&origin(url));
    }

    /// Where the credentials come from that were tried.
    pub(super) fn source(&self) -> Option<String> {
        self.credentials.as_ref().filter(|_| self.sent).map(|credentials| credentials.source.clone())
    }

    /// As whom the registry was asked.
    pub(super) fn asked_as(&self) -> AskedAs {
        match self.credentials.as_ref().filter(|_| self.sent) {
            None => AskedAs::Anonymous,
            Some(credentials) => {
                AskedAs::Credentials { user: credentials.user().map(str::to_owned), source: credentials.source.clone() }
            }
        }
    }
}
