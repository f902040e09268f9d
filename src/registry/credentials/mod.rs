//! Who we are at a registry. The table of sources; each is one file.
mod docker_config;
mod password;
mod secret;
mod source;

use super::{
    error::Error,
    options::{CredentialChoice, Options},
};
pub(super) use secret::Secret;
use source::Source;
pub(super) use source::{Credentials, Proof};
use std::collections::BTreeMap;

/// All sources of the configuration.
#[derive(Debug)]
pub(super) struct Sources {
    docker: Vec<Box<dyn Source>>,
    own: BTreeMap<String, Box<dyn Source>>,
}

impl Sources {
    /// Reads nothing yet.
    pub(super) fn new(options: &Options) -> Self {
        let docker = options.docker_config.iter().map(|path| Box::new(docker_config::DockerConfig::new(path)) as _);
        let own = options.hosts.iter().filter_map(|(host, options)| {
            let source: Box<dyn Source> = match &options.credentials {
                CredentialChoice::Docker | CredentialChoice::None => return None,
                CredentialChoice::Password { username, file } => Box::new(password::Password::new(username, file)),
            };
            Some((host.clone(), source))
        });
        Self { docker: docker.collect(), own: own.collect() }
    }

    /// The credentials for a repository of a registry that the configuration names.
    pub(super) fn find(
        &self,
        choice: &CredentialChoice,
        registry: &str,
        repository: &str,
    ) -> Result<Option<Credentials>, Error> {
        match choice {
            CredentialChoice::None => Ok(None),
            CredentialChoice::Docker => {
                self.docker.iter().find_map(|source| source.find(registry, repository).transpose()).transpose()
            }
            CredentialChoice::Password { .. } => self
                .own
                .get(&registry.to_ascii_lowercase())
                .map_or(Ok(None), |source| source.find(registry, repository)),
        }
    }

    /// Whether a docker configuration has a key for the registry: then the administrator has named it.
    pub(super) fn name(&self, registry: &str) -> Result<bool, Error> {
        self.docker.iter().try_fold(false, |named, source| Ok(named || source.names(registry)?))
    }
}
