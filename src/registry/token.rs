//! Bearer tokens: asked for once for each scope, from a realm that was found fit to be asked.
//! <https://distribution.github.io/distribution/spec/auth/token/>
use super::{
    complaint::Complaint,
    credentials::{Credentials, Proof, Secret},
    error::Error,
    exchange::{Limits, Network, Reply, Request},
};
use crate::http::{Failure, Reach};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use reqwest::{
    Method, Url,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue},
};
use serde::Deserialize;
use tokio::sync::Semaphore;

/// Tokens are small; so is what a token service says when it says no, which is kept for every repository.
const LIMITS: Limits = Limits { success: 64 * 1024, other: 1024 };

/// Where a token is asked for, and for what.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Wanted {
    pub(super) realm: Url,
    pub(super) service: Option<String>,
    pub(super) scope: Option<String>,
    /// The source of the credentials that are sent along.
    pub(super) source: Option<String>,
}

/// What a token service answers.
#[derive(Clone, Debug)]
pub(super) enum Granted {
    Token(Secret),
    /// 401 or 403: the credentials are wrong, or who we are may not do that.
    Refused(Reply),
}

/// A way to the token service of one realm.
pub(super) struct Service<'a> {
    pub(super) network: &'a Network,
    pub(super) permits: &'a Semaphore,
    pub(super) reach: Reach,
}

impl Service<'_> {
    /// Asks for a token. Redirects are not followed: they would carry the credentials on.
    pub(super) async fn fetch(&self, wanted: &Wanted, credentials: Option<&Credentials>) -> Result<Granted, Error> {
        let host = super::address::authority(&wanted.realm);
        let failed = |failure| Error::of(&host, self.network.clients.blame(&wanted.realm, failure));
        if let Some(Proof::Identity(token)) = credentials.map(|credentials| &credentials.proof) {
            let reply = self.send(&wanted.refresh(token)).await.map_err(failed)?;
            // Services that do not know this way of asking say so in one of four ways.
            if !matches!(reply.status, 400 | 401 | 404 | 405) {
                return self.kept(granted(reply, &host)?, host);
            }
        }
        let reply = self.send(&wanted.plain(credentials)).await.map_err(failed)?;
        self.kept(granted(reply, &host)?, host)
    }

    /// A token is kept until the end of the check.
    fn kept(&self, granted: Granted, host: String) -> Result<Granted, Error> {
        match &granted {
            Granted::Token(token) if !self.network.budget.keeps(token.expose().len()) => {
                Err(Error::NotARegistry { host, reason: "its tokens are too long".to_owned() })
            }
            _ => Ok(granted),
        }
    }

    async fn send(&self, request: &Request) -> Result<Reply, Failure> {
        self.network.send(self.permits, request, &self.reach, LIMITS).await
    }
}

impl Wanted {
    fn plain(&self, credentials: Option<&Credentials>) -> Request {
        let mut url = self.realm.clone();
        {
            let mut query = url.query_pairs_mut();
            query.extend_pairs(self.service.iter().map(|service| ("service", service)));
            let scopes = self.scope.iter().flat_map(|scopes| scopes.split_whitespace());
            query.extend_pairs(scopes.map(|scope| ("scope", scope)));
        }
        let mut headers = HeaderMap::new();
        if let Some(header) = credentials.and_then(basic) {
            headers.insert(AUTHORIZATION, header);
        }
        Request { method: Method::GET, url, headers, body: None }
    }

    fn refresh(&self, token: &Secret) -> Request {
        // A URL is the nearest thing at hand that writes forms.
        let mut form = self.realm.clone();
        form.set_query(None);
        form.query_pairs_mut()
            .append_pair("grant_type", "refresh_token")
            .append_pair("client_id", "pullgate")
            .append_pair("refresh_token", token.expose())
            .extend_pairs(self.service.iter().map(|service| ("service", service)))
            .extend_pairs(self.scope.iter().map(|scope| ("scope", scope)));
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
        Request { method: Method::POST, url: self.realm.clone(), headers, body: form.query().map(str::to_owned) }
    }
}

/// A `Basic` header; an identity token goes as the password of the user that docker writes beside it.
pub(super) fn basic(credentials: &Credentials) -> Option<HeaderValue> {
    let (user, password) = match &credentials.proof {
        Proof::Password { user, password } => (user.as_str(), password),
        Proof::Identity(token) => ("<token>", token),
        Proof::Registry(_) => return None,
    };
    header("Basic", &BASE64_STANDARD.encode(format!("{user}:{}", password.expose())))
}

/// A `Bearer` header; `None` if the token cannot stand in one.
pub(super) fn bearer(token: &Secret) -> Option<HeaderValue> {
    header("Bearer", token.expose())
}

fn header(scheme: &str, value: &str) -> Option<HeaderValue> {
    let mut header = HeaderValue::from_str(&format!("{scheme} {value}")).ok()?;
    header.set_sensitive(true);
    Some(header)
}

fn granted(reply: Reply, host: &str) -> Result<Granted, Error> {
    #[derive(Deserialize)]
    struct Body {
        token: Option<String>,
        access_token: Option<String>,
    }
    if let Some(outage) = reply.as_outage(host) {
        return Err(outage);
    }
    match reply.status {
        200 => {}
        401 | 403 => return Ok(Granted::Refused(Reply { headers: HeaderMap::new(), ..reply })),
        status => {
            let message = Complaint::of(&reply.body).message;
            return Err(Error::Server { host: host.to_owned(), status, message });
        }
    }
    let body = serde_json::from_slice::<Body>(&reply.body).ok().filter(|_| !reply.cut);
    let token =
        body.and_then(|body| [body.token, body.access_token].into_iter().flatten().find(|token| !token.is_empty()));
    match token {
        Some(token) => Ok(Granted::Token(Secret::new(token))),
        None => Err(Error::NotARegistry { host: host.to_owned(), reason: "it sent no token".to_owned() }),
    }
}
