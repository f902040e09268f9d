//! One registry in one check: what was learned of it, and questions put to it with the authorization it wants.
use super::{
    address::{Endpoint, not_allowed},
    answer::{Answer, Refusal},
    attempt::Attempt,
    authorize::{Learned, Step},
    credentials::Sources,
    error::Error,
    exchange::{Network, Reply},
    lanes::Lane,
    memo::Memo,
    options::{HostOptions, Options},
    strangers::Strangers,
    tags::Listing,
    token::{Granted, Wanted},
    trial::Standing,
};
use crate::http::Failure;
use reqwest::{Method, Url};
use std::sync::Arc;
use tokio::sync::{OnceCell, Semaphore};

/// What everything in one check shares.
#[derive(Debug)]
pub(super) struct Site {
    pub(super) options: Arc<Options>,
    pub(super) sources: Sources,
    pub(super) network: Network,
    /// Room for requests to all unlisted registries together: a push may name thousands of them.
    pub(super) unlisted: Arc<Semaphore>,
    /// For how many more absent images tags may be looked at.
    pub(super) looks: Semaphore,
    pub(super) strangers: Strangers,
}

impl Site {
    /// What the configuration says of a registry, by its canonical name; `None` if it does not list it. A key in a docker
    /// configuration lists it too.
    fn listed(&self, name: &str) -> Result<Option<HostOptions>, Error> {
        match self.options.hosts.get(name) {
            Some(host) => Ok(Some(host.clone())),
            None => Ok(self.sources.name(name)?.then(HostOptions::default)),
        }
    }

    /// The lane of the images of a registry: those that are not listed share one, so that they hold up nobody else.
    pub(super) fn lane(&self, registry: &str) -> Lane {
        let name = self.options.name_of(registry);
        matches!(self.listed(&name), Ok(Some(_))).then_some(name)
    }
}

/// A registry.
#[derive(Debug)]
pub(super) struct Host {
    pub(super) endpoint: Endpoint,
    pub(super) site: Arc<Site>,
    pub(super) permits: Arc<Semaphore>,
    /// What the first answer taught; everybody else waits for it.
    opening: OnceCell<Result<Option<Learned>, Halt>>,
    /// Whether it has the API of registries, where that was in doubt.
    api: OnceCell<bool>,
    pub(super) tokens: Memo<Wanted, Result<Granted, Error>>,
    /// By repository, and by the tag after which the page begins.
    pub(super) tags: Memo<(String, String), Listing>,
    /// What the first use of credentials has shown, by their source.
    pub(super) standings: Memo<String, Standing>,
}

/// What ends a question early.
#[derive(Clone, Debug)]
pub(super) enum Halt {
    Error(Error),
    Answer(Answer),
}

/// The end of a question.
#[derive(Debug)]
pub(super) enum Outcome {
    /// The registry's answer.
    Reply(Reply),
    /// The token service's, which grants no token.
    Denied(Reply),
}

impl From<Error> for Halt {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl Halt {
    /// What is known of an image that the question about it ended with this.
    pub(super) fn into_answer(self) -> Result<Answer, Error> {
        match self {
            Self::Answer(answer) => Ok(answer),
            Self::Error(error) => Err(error),
        }
    }
}

impl Host {
    /// The registry of that canonical name, if it may be asked. Nothing is sent yet, not even to the DNS.
    pub(super) fn open(site: Arc<Site>, registry: &str) -> Result<Self, Halt> {
        let options = &site.options;
        let Some(endpoint) = Endpoint::new(registry, site.listed(registry)?, options.unlisted) else {
            let reason = Failure::Connect("the name is not one of a host".to_owned());
            return Err(Error::of(registry, reason).into());
        };
        let proxied = site.network.clients.is_proxied(&endpoint.base);
        if let Some(refusal) = endpoint.refusal(options.unlisted, proxied) {
            return Err(Halt::Answer(not_allowed(refusal, registry)));
        }
        if !endpoint.listed && !site.strangers.admit(&endpoint.base) {
            return Err(Halt::Answer(not_allowed(Refusal::TooMany, registry)));
        }
        let room = endpoint.options.concurrency.clamp(1, Semaphore::MAX_PERMITS);
        let permits = if endpoint.listed { Arc::new(Semaphore::new(room)) } else { Arc::clone(&site.unlisted) };
        Ok(Self {
            permits,
            endpoint,
            site,
            opening: OnceCell::new(),
            api: OnceCell::new(),
            tokens: Memo::default(),
            tags: Memo::default(),
            standings: Memo::default(),
        })
    }

    /// The beginnings of a question about a repository: one for each of the credentials that may do, in the order in
    /// which they are to be tried; without any, as anybody.
    pub(super) async fn attempts(&self, repository: &str) -> Result<Vec<Attempt>, Error> {
        let (choice, registry) = (&self.endpoint.options.credentials, &self.endpoint.registry);
        let found = self.site.sources.find(choice, registry, repository).await?;
        let anybody = found.is_empty().then_some(None);
        let attempts = found.into_iter().map(Some).chain(anybody);
        Ok(attempts.map(|credentials| Attempt::new(repository, credentials)).collect())
    }

    /// Whether the configuration vouches for who gave an answer: not for a sign-in page that we were redirected to.
    pub(super) fn is_vouched_for(&self, reply: &Reply) -> bool {
        self.endpoint.listed && self.endpoint.is_own(&reply.url)
    }

    /// Whether there is a registry at all: an ingress says 404 to everything while its registry is away.
    pub(super) async fn has_api(&self) -> bool {
        let ask = || async {
            let mut url = self.endpoint.base.clone();
            url.set_path("v2/");
            let reply = self.follow(&Attempt::new("", None), Method::GET, &url).await;
            matches!(reply, Ok(Reply { status: 200 | 401 | 403, .. }))
        };
        *self.api.get_or_init(ask).await
    }

    /// Asks with HEAD. The first question to a registry goes alone: it opens the connection, and brings the challenge
    /// that everybody else then answers beforehand.
    pub(super) async fn head(&self, attempt: &mut Attempt, url: &Url) -> Result<Outcome, Halt> {
        let mut first = None;
        let opening = self.opening.get_or_init(|| async {
            let reply = self.follow(attempt, Method::HEAD, url).await;
            let learned = self.learn(&attempt.repository, &reply);
            first = Some(reply);
            learned
        });
        let opening = opening.await;
        if let Some(reply) = first {
            return self.conclude(attempt, &Method::HEAD, url, reply?).await;
        }
        if let Some(learned) = opening.as_ref().map_err(Clone::clone)? {
            self.anticipate(attempt, learned).await;
        }
        let reply = self.show(attempt, &Method::HEAD, url).await?;
        self.conclude(attempt, &Method::HEAD, url, reply).await
    }

    /// Asks with GET, with the authorization that the attempt already has.
    pub(super) async fn get(&self, attempt: &mut Attempt, url: &Url) -> Result<Outcome, Halt> {
        let reply = self.show(attempt, &Method::GET, url).await?;
        self.conclude(attempt, &Method::GET, url, reply).await
    }

    /// Answers challenges until there are none, or no answer to them.
    async fn conclude(
        &self,
        attempt: &mut Attempt,
        method: &Method,
        url: &Url,
        mut reply: Reply,
    ) -> Result<Outcome, Halt> {
        while matches!(reply.status, 400 | 401) && attempt.may_answer() {
            match self.respond(attempt, &reply).await? {
                Step::Again => reply = self.show(attempt, method, url).await?,
                Step::Enough => break,
                Step::Denied(reply) => return Ok(Outcome::Denied(*reply)),
            }
        }
        Ok(Outcome::Reply(reply))
    }

    /// Asks with what the attempt holds, as anybody if that is credentials which were refused meanwhile.
    async fn show(&self, attempt: &mut Attempt, method: &Method, url: &Url) -> Result<Reply, Halt> {
        if let Some(source) = attempt.shown_to(url) {
            let shared = &*attempt;
            let ask = || self.follow(shared, method.clone(), url);
            let standing = |reply: &Result<Reply, Halt>| match reply {
                Ok(Reply { status: 401, url: from, .. }) if shared.shown_to(from).is_some() => Standing::Refused,
                Ok(Reply { status: 200 | 403 | 404, .. }) => Standing::Accepted,
                _ => Standing::Unclear,
            };
            match self.try_out(&source, ask, standing).await {
                Some(reply) => return reply,
                None => attempt.refuse(url),
            }
        }
        self.follow(attempt, method.clone(), url).await
    }
}
