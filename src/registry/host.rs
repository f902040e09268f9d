//! One registry in one check: what was learned of it, and questions put to it with the authorization it wants.
use super::{
    address::{Endpoint, Forbidden, Others, Passage, authority, not_allowed},
    answer::{Answer, AskedAs, Refusal},
    challenge::{Bearer, Challenge},
    credentials::{Credentials, Proof, Secret, Sources},
    error::Error,
    exchange::{Limits, Network, Reply, Request},
    memo::Memo,
    options::Options,
    token::{Granted, Service, Wanted, basic, bearer},
};
use crate::http::Failure;
use reqwest::{
    Method, Url,
    header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderValue, LOCATION, WWW_AUTHENTICATE},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::{OnceCell, Semaphore};

/// Redirects that are followed for one question.
const REDIRECTS: usize = 5;
/// Challenges that are answered for one question.
const CHALLENGES: usize = 4;

/// What everything in one check shares.
#[derive(Debug)]
pub(super) struct Site {
    pub(super) options: Arc<Options>,
    pub(super) sources: Arc<Sources>,
    pub(super) network: Network,
}

/// A registry.
#[derive(Debug)]
pub(super) struct Host {
    pub(super) endpoint: Endpoint,
    pub(super) site: Arc<Site>,
    permits: Semaphore,
    /// What the first answer taught; everybody else waits for it.
    opening: OnceCell<Result<Option<Learned>, Halt>>,
    tokens: Memo<Wanted, Result<Granted, Error>>,
    pub(super) tags: Memo<String, super::tags::Listing>,
    /// Sources whose credentials were refused: they are not tried again.
    refused: Mutex<BTreeSet<String>>,
}

/// What ends a question early.
#[derive(Clone, Debug)]
pub(super) enum Halt {
    Error(Error),
    Answer(Answer),
}

/// What the first answer of a registry taught about authorization.
#[derive(Clone, Debug)]
enum Learned {
    Basic,
    /// A token is wanted; the scope is for this repository.
    Bearer(Bearer, String),
}

/// One question's way through authorization.
#[derive(Clone, Debug)]
pub(super) struct Attempt {
    pub(super) repository: String,
    credentials: Option<Credentials>,
    /// By origin.
    held: BTreeMap<String, Held>,
    widened: bool,
    refreshed: bool,
    /// Whether the credentials were tried.
    sent: bool,
    /// The source of credentials that the registry did not accept.
    pub(super) refused: Option<String>,
    /// The realm that was not sent the credentials.
    pub(super) withheld: Option<String>,
}

#[derive(Clone, Debug)]
enum Held {
    /// Credentials themselves.
    Fixed(HeaderValue),
    Token {
        wanted: Wanted,
        token: Secret,
        header: HeaderValue,
    },
}

/// The end of a question.
#[derive(Debug)]
pub(super) enum Outcome {
    /// The registry's answer.
    Reply(Reply),
    /// The token service's, which grants no token.
    Denied(Reply),
}

enum Step {
    Again,
    Enough,
    Denied(Box<Reply>),
}

impl From<Error> for Halt {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl Attempt {
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

impl Host {
    /// The registry of that name, if it may be asked. Nothing is sent yet, not even to the DNS.
    pub(super) fn open(site: Arc<Site>, registry: &str) -> Result<Self, Halt> {
        let options = &site.options;
        let listed = match options.hosts.get(registry) {
            Some(host) => Some(host.clone()),
            None => site.sources.name(registry)?.then(super::HostOptions::default),
        };
        let Some(endpoint) = Endpoint::new(registry, listed, options.unlisted) else {
            let reason = Failure::Connect("the name is not one of a host".to_owned());
            return Err(Error::of(registry, reason).into());
        };
        let proxied = site.network.clients.is_proxied(&endpoint.base);
        if let Some(refusal) = endpoint.refusal(options.unlisted, proxied) {
            return Err(Halt::Answer(not_allowed(refusal, registry)));
        }
        Ok(Self {
            permits: Semaphore::new(endpoint.options.concurrency.max(1)),
            endpoint,
            site,
            opening: OnceCell::new(),
            tokens: Memo::default(),
            tags: Memo::default(),
            refused: Mutex::default(),
        })
    }

    /// The beginning of a question about a repository.
    pub(super) fn attempt(&self, repository: &str) -> Result<Attempt, Error> {
        let (choice, registry) = (&self.endpoint.options.credentials, &self.endpoint.registry);
        Ok(Attempt {
            repository: repository.to_owned(),
            credentials: self.site.sources.find(choice, registry, repository)?,
            held: BTreeMap::new(),
            widened: false,
            refreshed: false,
            sent: false,
            refused: None,
            withheld: None,
        })
    }

    /// Asks with HEAD. The first question to a registry goes alone: it opens the connection and brings the challenge
    /// that everybody else then answers beforehand.
    pub(super) async fn head(&self, attempt: &mut Attempt, url: &Url) -> Result<Outcome, Halt> {
        let mut first = None;
        let opening = self.opening.get_or_init(|| async {
            let outcome = self.follow(attempt, Method::HEAD, url).await;
            let opening = self.learn(&attempt.repository, &outcome);
            first = Some(outcome);
            opening
        });
        let opening = opening.await;
        if let Some(outcome) = first {
            return self.conclude(attempt, Method::HEAD, url, Some(outcome?)).await;
        }
        if let Some(learned) = opening.as_ref().map_err(Clone::clone)?
            && let Step::Denied(reply) = self.anticipate(attempt, learned).await?
        {
            return Ok(Outcome::Denied(*reply));
        }
        self.conclude(attempt, Method::HEAD, url, None).await
    }

    /// Asks with GET, with the authorization that the attempt already has.
    pub(super) async fn get(&self, attempt: &mut Attempt, url: &Url) -> Result<Outcome, Halt> {
        self.conclude(attempt, Method::GET, url, None).await
    }

    async fn conclude(
        &self,
        attempt: &mut Attempt,
        method: Method,
        url: &Url,
        first: Option<Reply>,
    ) -> Result<Outcome, Halt> {
        let mut reply = match first {
            Some(reply) => reply,
            None => self.follow(attempt, method.clone(), url).await?,
        };
        for _ in 0..CHALLENGES {
            if reply.status != 401 {
                break;
            }
            match self.respond(attempt, &reply).await? {
                Step::Again => reply = self.follow(attempt, method.clone(), url).await?,
                Step::Enough => break,
                Step::Denied(reply) => return Ok(Outcome::Denied(*reply)),
            }
        }
        Ok(Outcome::Reply(reply))
    }

    /// Sends a request and follows redirects, each only to where the registry may send us. Every origin gets the
    /// authorization that is held for it and no other.
    async fn follow(&self, attempt: &Attempt, method: Method, url: &Url) -> Result<Reply, Halt> {
        let mut url = url.clone();
        for _ in 0..=REDIRECTS {
            let passage = self.passage(&url)?;
            let mut headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(super::manifest::ACCEPTED))]);
            if let Some(held) = attempt.held.get(&origin(&url)) {
                let (Held::Fixed(header) | Held::Token { header, .. }) = held;
                headers.insert(AUTHORIZATION, header.clone());
            }
            let request = Request { method: method.clone(), url: url.clone(), headers, body: None };
            let network = &self.site.network;
            let reply = network.send(&self.permits, &request, &passage.reach, LIMITS).await;
            let reply = reply.map_err(|failure| self.halt(&url, failure))?;
            let Some(target) = redirect(&reply) else { return Ok(reply) };
            if url.scheme() == "https" && target.scheme() != "https" {
                return Err(self.diverted(&target, Forbidden("which is not https")));
            }
            url = target;
        }
        let reason = "it redirects without end".to_owned();
        Err(Error::NotARegistry { host: self.endpoint.registry.clone(), reason }.into())
    }

    fn passage(&self, url: &Url) -> Result<Passage, Halt> {
        let proxied = self.site.network.clients.is_proxied(url);
        let others = Others { hosts: &self.site.options.hosts, proxied };
        self.endpoint.passage(url, &others).map_err(|forbidden| self.diverted(url, forbidden))
    }

    fn diverted(&self, to: &Url, forbidden: Forbidden) -> Halt {
        let host = self.endpoint.registry.clone();
        Error::Diverted { host, to: origin(to), reason: forbidden.0 }.into()
    }

    /// A private address is no outage: the configuration decides. Of an unlisted host it is not said whether its name
    /// exists, for names of private networks are not everybody's business.
    fn halt(&self, url: &Url, failure: Failure) -> Halt {
        let own = self.endpoint.is_own(url);
        let host = if own { self.endpoint.registry.clone() } else { authority(url) };
        let listed = if own { self.endpoint.listed } else { self.site.options.hosts.contains_key(&host) };
        match failure {
            Failure::NotPublic if listed => Halt::Answer(not_allowed(Refusal::Private, &host)),
            Failure::NotPublic | Failure::NoSuchHost if !listed => {
                Halt::Answer(not_allowed(Refusal::NoPublicAddress, &host))
            }
            failure => Error::of(&authority(url), failure).into(),
        }
    }

    /// What everybody else should know after the first answer. That the registry cannot be reached is worth sharing; that
    /// one manifest was slow is not.
    fn learn(&self, repository: &str, outcome: &Result<Reply, Halt>) -> Result<Option<Learned>, Halt> {
        let reply = match outcome {
            Ok(reply) => reply,
            Err(Halt::Error(Error::Unreachable { failure: Failure::Broken(_), .. })) => return Ok(None),
            Err(halt @ (Halt::Answer(_) | Halt::Error(Error::Unreachable { .. } | Error::Local(_)))) => {
                return Err(halt.clone());
            }
            Err(_) => return Ok(None),
        };
        if reply.status != 401 || !self.endpoint.is_own(&reply.url) {
            return Ok(None);
        }
        let challenges = challenges(reply);
        Ok(match Challenge::bearer(&challenges) {
            Some(bearer) => Some(Learned::Bearer(bearer, repository.to_owned())),
            None => Challenge::basic(&challenges).then_some(Learned::Basic),
        })
    }

    /// Gets the authorization that the registry will want.
    async fn anticipate(&self, attempt: &mut Attempt, learned: &Learned) -> Result<Step, Halt> {
        match learned {
            Learned::Basic => Ok(self.show_credentials(attempt)),
            Learned::Bearer(bearer, first) => match Scope::of(bearer, first) {
                Scope::Repository => {
                    let scope = Some(pull(&attempt.repository));
                    self.token(attempt, &self.endpoint.base, bearer, scope).await
                }
                Scope::Registry(scope) => self.token(attempt, &self.endpoint.base, bearer, Some(scope)).await,
                Scope::Strange(_) => Ok(Step::Enough),
            },
        }
    }

    /// Answers a 401.
    async fn respond(&self, attempt: &mut Attempt, reply: &Reply) -> Result<Step, Halt> {
        let challenges = challenges(reply);
        let bearer = Challenge::bearer(&challenges);
        let held = attempt.held.get(&origin(&reply.url)).cloned();
        match (held, bearer) {
            (None, bearer) => self.authenticate(attempt, &reply.url, bearer, Challenge::basic(&challenges)).await,
            (Some(Held::Fixed(_)), _) => {
                // The image may be public all the same: once more as anybody.
                self.refuse(attempt);
                attempt.held.remove(&origin(&reply.url));
                Ok(Step::Again)
            }
            (Some(Held::Token { wanted, token, .. }), Some(bearer)) => match bearer.error.as_deref() {
                Some("insufficient_scope")
                    if !attempt.widened && bearer.scope.is_some() && bearer.scope != wanted.scope =>
                {
                    attempt.widened = true;
                    let scope = bearer.scope.clone();
                    self.token(attempt, &reply.url, &bearer, scope).await
                }
                Some("invalid_token") if !attempt.refreshed => {
                    attempt.refreshed = true;
                    let is_stale =
                        |value: &Result<Granted, Error>| matches!(value, Ok(Granted::Token(other)) if *other == token);
                    self.tokens.forget(&wanted, is_stale);
                    self.token(attempt, &reply.url, &bearer, wanted.scope).await
                }
                _ => Ok(Step::Enough),
            },
            (Some(Held::Token { .. }), None) => Ok(Step::Enough),
        }
    }

    async fn authenticate(
        &self,
        attempt: &mut Attempt,
        url: &Url,
        bearer: Option<Bearer>,
        basic: bool,
    ) -> Result<Step, Halt> {
        let own = self.endpoint.is_own(url);
        let fixed = matches!(self.usable(attempt), Some(Credentials { proof: Proof::Registry(_), .. }));
        match bearer {
            Some(bearer) if !(own && fixed) => {
                let scope = match Scope::of(&bearer, &attempt.repository) {
                    Scope::Repository => pull(&attempt.repository),
                    Scope::Registry(scope) | Scope::Strange(scope) => scope,
                };
                match self.token(attempt, url, &bearer, Some(scope)).await {
                    Err(Halt::Error(Error::Diverted { .. })) if own && basic && self.usable(attempt).is_some() => {
                        Ok(self.show_credentials(attempt))
                    }
                    step => step,
                }
            }
            _ if own && (basic || fixed) => Ok(self.show_credentials(attempt)),
            _ => Ok(Step::Enough),
        }
    }

    /// Holds the credentials themselves for the registry's own origin.
    fn show_credentials(&self, attempt: &mut Attempt) -> Step {
        let header = self.usable(attempt).and_then(|credentials| match &credentials.proof {
            Proof::Registry(token) => bearer(token),
            Proof::Password { .. } | Proof::Identity(_) => basic(&credentials),
        });
        let Some(header) = header else { return Step::Enough };
        attempt.sent = true;
        attempt.held.insert(origin(&self.endpoint.base), Held::Fixed(header));
        Step::Again
    }

    /// Gets a token and holds it for the origin of the challenge: with our credentials if the challenge is the
    /// registry's own and the realm may have them, else as anybody; as anybody also after the credentials did not do,
    /// because the image may be public.
    async fn token(
        &self,
        attempt: &mut Attempt,
        from: &Url,
        challenge: &Bearer,
        scope: Option<String>,
    ) -> Result<Step, Halt> {
        let Ok(mut realm) = from.join(&challenge.realm) else {
            let reason = "its token realm is not a URL".to_owned();
            return Err(Error::NotARegistry { host: self.endpoint.registry.clone(), reason }.into());
        };
        realm.set_fragment(None);
        let passage = self.passage(&realm)?;
        let own = self.endpoint.is_own(from);
        let mut credentials = self.usable(attempt).filter(|_| own);
        if !passage.trusted && credentials.take().is_some() {
            attempt.withheld = Some(authority(&realm));
        }
        let service = Service { network: &self.site.network, permits: &self.permits, reach: passage.reach.clone() };
        loop {
            let wanted = Wanted {
                realm: realm.clone(),
                service: challenge.service.clone(),
                scope: scope.clone(),
                source: credentials.as_ref().map(|credentials| credentials.source.clone()),
            };
            let granted = self.tokens.get(&wanted, service.fetch(&wanted, credentials.as_ref())).await;
            attempt.sent |= credentials.is_some();
            match granted.map_err(|error| self.of_realm(&realm, error))? {
                Granted::Token(token) => {
                    let Some(header) = bearer(&token) else {
                        let reason = "its token cannot be sent in a header".to_owned();
                        return Err(Error::NotARegistry { host: authority(&realm), reason }.into());
                    };
                    attempt.held.insert(origin(from), Held::Token { wanted, token, header });
                    return Ok(Step::Again);
                }
                Granted::Refused(reply) => {
                    if credentials.take().is_none() {
                        return Ok(Step::Denied(Box::new(reply)));
                    }
                    if reply.status == 401 {
                        self.refuse(attempt);
                    }
                }
            }
        }
    }

    /// A realm without a public address is no outage either.
    fn of_realm(&self, realm: &Url, error: Error) -> Halt {
        match error {
            Error::Unreachable { failure, .. } => self.halt(realm, failure),
            error => error.into(),
        }
    }

    /// The credentials, unless they were refused before.
    fn usable(&self, attempt: &mut Attempt) -> Option<Credentials> {
        let credentials = attempt.credentials.as_ref()?;
        if self.lock().contains(&credentials.source) {
            attempt.refused = Some(credentials.source.clone());
        }
        attempt.credentials.clone().filter(|_| attempt.refused.is_none())
    }

    fn refuse(&self, attempt: &mut Attempt) {
        if let Some(credentials) = &attempt.credentials {
            self.lock().insert(credentials.source.clone());
            attempt.refused = Some(credentials.source.clone());
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeSet<String>> {
        // A panic while the lock was held leaves the set whole.
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Manifests that containerd would take have at most 4 MiB.
const LIMITS: Limits = Limits { success: 4 * 1024 * 1024, other: 8 * 1024 };

/// What a challenge says a token must be for.
enum Scope {
    /// Pulling from the repository.
    Repository,
    /// Something about the registry as a whole: one token serves everybody.
    Registry(String),
    /// Another repository than we asked for: for us alone.
    Strange(String),
}

impl Scope {
    fn of(bearer: &Bearer, repository: &str) -> Self {
        match &bearer.scope {
            None => Self::Repository,
            Some(scope) if scope.starts_with(&format!("repository:{repository}:")) => Self::Repository,
            Some(scope) if scope.starts_with("repository:") => Self::Strange(scope.clone()),
            Some(scope) => Self::Registry(scope.clone()),
        }
    }
}

fn pull(repository: &str) -> String {
    format!("repository:{repository}:pull")
}

fn challenges(reply: &Reply) -> Vec<Challenge> {
    Challenge::parse(reply.headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|header| header.to_str().ok()))
}

fn redirect(reply: &Reply) -> Option<Url> {
    matches!(reply.status, 301 | 302 | 303 | 307 | 308).then_some(())?;
    let location = reply.headers.get(LOCATION)?.to_str().ok()?;
    reply.url.join(location).ok()
}

/// Scheme, host and port.
fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}
