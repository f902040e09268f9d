//! Who we are at a registry. The table of sources; each is one file.
//!
//! A source looks things up and never waits; where a helper has to be asked, it says so, and each helper is run once in
//! a check for each registry. Files are read once in a check.
mod docker_config;
mod entry;
mod file;
mod form;
mod helper;
mod key;
mod password;
mod process;
mod secret;
mod source;
mod token_file;

use super::{
    error::Error,
    memo::Memo,
    options::{CredentialChoice, Helpers, Options},
};
use docker_config::DockerConfig;
use helper::Call;
pub use secret::Secret;
pub(super) use source::{Credentials, Proof};
use source::{Found, Source};
use std::collections::BTreeMap;
use tokio::time::Instant;

/// All sources of the configuration, for one check.
#[derive(Debug)]
pub(super) struct Sources {
    docker: Vec<DockerConfig>,
    /// By the canonical name of the registry.
    own: BTreeMap<String, Box<dyn Source>>,
    helpers: Helpers,
    answers: Memo<Call, Result<Option<Credentials>, Error>>,
    deadline: Instant,
}

impl Sources {
    /// Reads and runs nothing yet.
    pub(super) fn new(options: &Options, deadline: Instant) -> Self {
        let named = options.docker_config.iter().map(|path| DockerConfig::named(path));
        let own = options.hosts.iter().filter_map(|(host, options)| {
            let source: Box<dyn Source> = match &options.credentials {
                CredentialChoice::Docker | CredentialChoice::None => return None,
                CredentialChoice::Password { username, file } => Box::new(password::Password::new(username, file)),
                CredentialChoice::Helper(name) => Box::new(helper::Helper::new(name)),
                CredentialChoice::Token(file) => Box::new(token_file::TokenFile::new(file)),
            };
            Some((host.clone(), source))
        });
        Self {
            docker: named.chain(options.user_config.iter().map(DockerConfig::searched)).collect(),
            own: own.collect(),
            helpers: options.helpers.clone(),
            answers: Memo::default(),
            deadline,
        }
    }

    /// The credentials for a repository of a registry that the configuration names, in the order in which they are to
    /// be tried.
    pub(super) async fn find(
        &self,
        choice: &CredentialChoice,
        registry: &str,
        repository: &str,
    ) -> Result<Vec<Credentials>, Error> {
        match choice {
            CredentialChoice::None => Ok(Vec::new()),
            CredentialChoice::Docker => {
                for config in &self.docker {
                    let found = self.ask(config.find(registry, repository)?).await?;
                    if !found.is_empty() {
                        return Ok(found);
                    }
                }
                Ok(Vec::new())
            }
            CredentialChoice::Password { .. } | CredentialChoice::Helper(_) | CredentialChoice::Token(_) => {
                match self.own.get(registry) {
                    Some(source) => self.ask(source.find(registry, repository)?).await,
                    None => Ok(Vec::new()),
                }
            }
        }
    }

    /// Whether a docker configuration has a key for the registry: then the administrator has named it.
    pub(super) fn name(&self, registry: &str) -> Result<bool, Error> {
        self.docker.iter().try_fold(false, |named, config| Ok(named || config.names(registry)?))
    }

    async fn ask(&self, found: Vec<Found>) -> Result<Vec<Credentials>, Error> {
        let mut credentials = Vec::new();
        for found in found {
            match found {
                Found::Credentials(found) => credentials.push(found),
                Found::Helper(call) => {
                    let answer = self.answers.get(&call, || call.ask(&self.helpers, self.deadline)).await;
                    credentials.extend(answer?);
                }
            }
        }
        Ok(credentials)
    }
}
