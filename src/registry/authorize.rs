//! Answers to challenges: which credentials or token a registry is shown, and what the first answer teaches the rest.
use super::{
    address::authority,
    answer::Answer,
    attempt::{Attempt, Held},
    challenge::Challenge,
    complaint::Complaint,
    credentials::{Credentials, Proof, Secret},
    error::Error,
    exchange::Reply,
    host::{Halt, Host},
    token::{Granted, Wanted},
};
use crate::http::Failure;
use reqwest::header::WWW_AUTHENTICATE;

/// What the first answer of a registry taught about authorization.
#[derive(Clone, Debug)]
pub(super) enum Learned {
    Basic,
    /// A token is wanted; without a scope it is one for the repository.
    Token(Wanted),
}

/// What to do after an answer.
pub(super) enum Step {
    /// Ask again, with what is now held.
    Again,
    /// There is nothing to add.
    Enough,
    /// The token service grants no token.
    Denied(Box<Reply>),
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
        let Some(bearer) = Challenge::bearer(&challenges) else {
            return Ok(Challenge::basic(&challenges).then_some(Learned::Basic));
        };
        let Ok(wanted) = self.wanted(&reply.url, &bearer, repository) else { return Ok(None) };
        // Another repository than we asked for: who knows what it says to the next.
        let strange = wanted.scope.as_deref().is_some_and(|scope| scope.starts_with("repository:"));
        Ok((!strange).then_some(Learned::Token(wanted)))
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

    /// Gets the authorization that the registry will probably want. If there is none to be had, whether that matters for
    /// this image is for the registry to say: not all of its images may need one.
    pub(super) async fn anticipate(&self, attempt: &mut Attempt, learned: &Learned) {
        match learned {
            Learned::Token(wanted) if !has_fixed(attempt) => {
                let _ = self.token(attempt, &self.endpoint.base, wanted.clone()).await;
            }
            Learned::Token(_) | Learned::Basic => drop(self.show_credentials(attempt)),
        }
    }

    /// What an answer asks for: credentials, or others than those it was shown.
    pub(super) async fn respond(&self, attempt: &mut Attempt, reply: &Reply) -> Result<Step, Halt> {
        let held = attempt.held(&reply.url).cloned();
        match (reply.status, held) {
            (401, None) => self.authenticate(attempt, reply).await,
            // Nexus behind some proxies.
            (400, None) if Complaint::of(&reply.body).code.as_deref() == Some("UNAUTHORIZED") => {
                self.authenticate(attempt, reply).await
            }
            (401, Some(Held::Fixed(_))) => {
                if attempt.source().is_some_and(|source| self.is_accepted(&source)) {
                    return Ok(Step::Enough);
                }
                // The image may be public all the same: once more as anybody.
                attempt.refuse(&reply.url);
                Ok(Step::Again)
            }
            (400 | 401, Some(Held::Token { wanted, token, .. })) => self.renew(attempt, reply, wanted, &token).await,
            _ => Ok(Step::Enough),
        }
    }

    /// Gets what a server asks for that was shown nothing.
    async fn authenticate(&self, attempt: &mut Attempt, reply: &Reply) -> Result<Step, Halt> {
        let challenges = challenges(reply);
        let own = self.endpoint.is_own(&reply.url);
        let fixed = own && has_fixed(attempt);
        // Some ask without a challenge: Nexus, and old ways to Google's registries.
        let basic = own && (fixed || Challenge::basic(&challenges) || challenges.is_empty());
        match Challenge::bearer(&challenges) {
            Some(bearer) if !fixed => {
                let wanted = self.wanted(&reply.url, &bearer, &attempt.repository)?;
                match self.token(attempt, &reply.url, wanted).await {
                    Err(Halt::Error(Error::Diverted { .. })) if basic && attempt.usable().is_some() => {
                        Ok(self.show_credentials(attempt))
                    }
                    step => step,
                }
            }
            _ if basic => Ok(self.show_credentials(attempt)),
            _ => Ok(Step::Enough),
        }
    }

    /// Gets another token in place of one that did not do, each once: one for the scope that the registry names, or a
    /// new one if ours is no longer valid, which ECR Public says by a 400 without a challenge. Harbor's second
    /// challenge asks who has a token for a password instead: that would show the same user.
    async fn renew(&self, attempt: &mut Attempt, reply: &Reply, wanted: Wanted, token: &Secret) -> Result<Step, Halt> {
        let bearer = Challenge::bearer(&challenges(reply)).filter(|_| reply.status == 401);
        let error = bearer.as_ref().and_then(|bearer| bearer.error.as_deref());
        if let (Some("insufficient_scope"), Some(bearer)) = (error, &bearer) {
            if attempt.widened || bearer.scope.is_none() || bearer.scope == wanted.scope {
                return Ok(Step::Enough);
            }
            attempt.widened = true;
            let wider = self.wanted(&reply.url, bearer, &attempt.repository)?;
            let wider = Wanted { scope: bearer.scope.clone(), ..wider };
            return self.token(attempt, &reply.url, wider).await;
        }
        if attempt.refreshed || !(error == Some("invalid_token") || reply.status == 400) {
            return Ok(Step::Enough);
        }
        attempt.refreshed = true;
        let is_stale = |value: &Result<Granted, Error>| matches!(value, Ok(Granted::Token(other)) if other == token);
        self.tokens.forget(&wanted, is_stale);
        self.token(attempt, &reply.url, wanted).await
    }
}

/// Whether the credentials are a token for the registry itself.
fn has_fixed(attempt: &Attempt) -> bool {
    matches!(attempt.usable(), Some(Credentials { proof: Proof::Registry(_), .. }))
}

fn challenges(reply: &Reply) -> Vec<Challenge> {
    Challenge::parse(reply.headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|header| header.to_str().ok()))
}
