//! What a source of credentials is.
use super::Secret;
use crate::registry::error::Error;
use std::fmt;

/// A place that may know who we are at a registry.
pub(super) trait Source: fmt::Debug + Send + Sync {
    /// The credentials for a repository, if the source has some.
    fn find(&self, registry: &str, repository: &str) -> Result<Option<Credentials>, Error>;

    /// Whether the source says anything about the registry.
    fn names(&self, registry: &str) -> Result<bool, Error>;
}

/// Who we are, and who says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::registry) struct Credentials {
    pub(in crate::registry) proof: Proof,
    /// A file, and the key in it: what a message may name.
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

impl Credentials {
    /// The name, unless they are a token.
    pub(in crate::registry) fn user(&self) -> Option<&str> {
        match &self.proof {
            Proof::Password { user, .. } => Some(user),
            Proof::Identity(_) | Proof::Registry(_) => None,
        }
    }
}
