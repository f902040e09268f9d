//! What the configuration says about registries, as data.
use super::address::canonical;
use crate::http::{ClientCertificate, Settings};
use std::{collections::BTreeMap, path::PathBuf, time::Duration};

/// Everything that the configuration says about registries. The default asks public registries, without credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// By their [canonical] names: `docker.io`, `registry.example.com:5000`.
    pub hosts: BTreeMap<String, HostOptions>,
    /// What may be asked beyond those.
    pub unlisted: Unlisted,
    /// Docker's `config.json` files, the first that has credentials wins. A host with a key in one of them counts as
    /// listed.
    pub docker_config: Vec<PathBuf>,
    /// Whether the tags that exist are asked for when one does not.
    pub suggestions: bool,
    /// How long one request may take, its body included.
    pub request_timeout: Duration,
    /// Roots of trust and proxies.
    pub http: Settings,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            hosts: BTreeMap::new(),
            unlisted: Unlisted::default(),
            docker_config: Vec::new(),
            suggestions: true,
            request_timeout: Duration::from_secs(5),
            http: Settings::default(),
        }
    }
}

impl Options {
    /// The name by which a registry of a reference is known here. Over https a port of 443 says nothing.
    pub(super) fn name_of(&self, registry: &str) -> String {
        let name = canonical(registry);
        match self.hosts.get(&name) {
            Some(host) if host.plain_http && registry.ends_with(":443") => registry.to_ascii_lowercase(),
            _ => name,
        }
    }
}

/// Which registries may be asked that the configuration does not list. None of them is sent credentials.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unlisted {
    /// Those at port 443 of a public address.
    #[default]
    Public,
    /// All, also in private networks.
    Any,
    /// None.
    None,
}

/// What the configuration says about one registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostOptions {
    /// Who we are there.
    pub credentials: CredentialChoice,
    /// Roots of trust for it, in PEM, beside the system's.
    pub ca_file: Option<PathBuf>,
    /// The certificate that it is shown, and no other place.
    pub client: Option<ClientCertificate>,
    /// The registry, by its canonical name, whose images it is asked for first.
    pub mirror_of: Option<String>,
    /// Whether it is asked over plain HTTP.
    pub plain_http: bool,
    /// Whether it may have a private or loopback address.
    pub private: bool,
    /// Where else its credentials may go for a token: a host, or host and port.
    pub token_realms: Vec<String>,
    /// How many requests may be under way at once; unlisted registries share the room of one.
    pub concurrency: usize,
}

impl Default for HostOptions {
    fn default() -> Self {
        Self {
            credentials: CredentialChoice::Docker,
            ca_file: None,
            client: None,
            mirror_of: None,
            plain_http: false,
            private: false,
            token_realms: Vec::new(),
            concurrency: 64,
        }
    }
}

/// Where the credentials for a registry come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CredentialChoice {
    /// From the docker configuration files.
    Docker,
    /// There are none.
    None,
    /// A name, and a file whose first line is the password.
    Password {
        /// The user.
        username: String,
        /// Read when the registry is first asked.
        file: PathBuf,
    },
}
