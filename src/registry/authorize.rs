//! Answers to challenges: which credentials or token a registry is shown, and what the first answer teaches the rest.
use super::{
    address::authority,
    answer::Answer,
    attempt::{Attempt, Held},
    challenge::{Bearer, Challenge},
    error::Error,
    exchange::Reply,
    host::{Halt, Host},
    token::Granted,
};
use crate::http::Failure;
use reqwest::header::WWW_AUTHENTICATE;

/// What the first answer of a registry taught about authorization.
#[derive(Clone, Debug)]
pub(super) enum Learned {
    Basic,
    /// A token is wanted; the scope is for this repository.
    Bearer(Bearer, String),
}

/// What to do after a challenge.
pub(super) enum Step {
    /// Ask again, with what is now held.
    Again,
    /// There is nothing to add.
    Enough,
    /// The token service grants no token.
    Denied(Box<Reply>),
}

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

impl Host {
    /// What everybody else should know after the first answer. That the registry cannot be reached is worth sharing;
    /// that one manifest was slow is not.
    pub(super) fn learn(&self, repository: &str, outcome: &Result<Reply, Halt>) -> Result<Option<Learned>, Halt> {
        let reply = match outcome {
            Ok(reply) => reply,
            Err(halt) if self.is_general(halt) => return Err(halt.clone()),
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

    /// Whether what ended one question ends all: the registry itself, not a place it redirected us to, is out of reach.
    fn is_general(&self, halt: &Halt) -> bool {
        match halt {
            Halt::Answer(Answer::NotAllowed { host, .. }) => *host == self.endpoint.registry,
            Halt::Error(Error::Unreachable { failure: Failure::Broken(_), .. }) => false,
            Halt::Error(Error::Unreachable { host, .. }) => *host == authority(&self.endpoint.base),
            Halt::Answer(_) | Halt::Error(_) => false,
        }
    }

    /// Gets the authorization that the registry will want.
    pub(super) async fn anticipate(&self, attempt: &mut Attempt, learned: &Learned) -> Result<Step, Halt> {
        match learned {
            _ if self.has_fixed(attempt) => Ok(self.show_credentials(attempt)),
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
    pub(super) async fn respond(&self, attempt: &mut Attempt, reply: &Reply) -> Result<Step, Halt> {
        let challenges = challenges(reply);
        let bearer = Challenge::bearer(&challenges);
        let held = attempt.held(&reply.url).cloned();
        match (held, bearer) {
            (None, bearer) => self.authenticate(attempt, &reply.url, bearer, Challenge::basic(&challenges)).await,
            (Some(Held::Fixed(_)), _) => {
                // The image may be public all the same: once more as anybody.
                self.refuse(attempt);
                attempt.drop_held(&reply.url);
                Ok(Step::Again)
            }
            (Some(Held::Token { wanted, token, .. }), Some(bearer)) => match bearer.error.as_deref() {
                Some("insufficient_scope") if bearer.scope.is_some() && bearer.scope != wanted.scope => {
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
        url: &reqwest::Url,
        bearer: Option<Bearer>,
        basic: bool,
    ) -> Result<Step, Halt> {
        let own = self.endpoint.is_own(url);
        let fixed = self.has_fixed(attempt);
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
}

fn pull(repository: &str) -> String {
    format!("repository:{repository}:pull")
}

fn challenges(reply: &Reply) -> Vec<Challenge> {
    Challenge::parse(reply.headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|header| header.to_str().ok()))
}
