//! What a source of credentials is.
use super::{Secret, helper::Call};
use crate::registry::error::Error;
use std::fmt;

/// A place that may know who we are at a registry.
pub(super) trait Source: fmt::Debug + Send + Sync {
    /// What it knows for a repository of a registry, in the order in which that is to be tried.
    fn find(&self, registry: &str, repository: &str) -> Result<Vec<Found>, Error>;
}

/// Something that a source knows.
#[derive(Clone, Debug)]
pub(super) enum Found {
    Credentials(Credentials),
    /// A program has to be asked, which may know nothing.
    Helper(Call),
}

/// Who we are, and who says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::registry) struct Credentials {
    pub(in crate::registry) proof: Proof,
    /// A file and the key in it, or a program: what a message may name.
    pub(in crate::registry) source: String,
}

/// How we prove it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::registry) enum Proof {
    /// A name and a password, sent to the registry or exchanged for a token.
    Password {
        /// The name.
        user: String,
        /// The password.
        password: Secret,
    },
    /// A refresh token, exchanged for a token: <https://distribution.github.io/distribution/spec/auth/oauth/>.
    Identity(Secret),
    /// A token for the registry itself.
    Registry(Secret),
}

impl Proof {
    /// Of a name and what goes with it. Instead of a name `<token>` says that it is a refresh token.
    pub(super) fn new(user: &str, secret: &str) -> Self {
        match user {
            "<token>" => Self::Identity(Secret::new(secret)),
            user => Self::Password { user: user.to_owned(), password: Secret::new(secret) },
        }
    }
}

impl Credentials {
    /// The name, unless they are a token.
    pub(in crate::registry) fn user(&self) -> Option<&str> {
        match &self.proof {
            Proof::Password { user, .. } => Some(user),
            Proof::Identity(_) | Proof::Registry(_) => None,
        }
    }
}
