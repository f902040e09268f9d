//! What the configuration says about registries, as data.
use super::{address::canonical, credentials::Secret};
use crate::{
    http::{ClientCertificate, Settings},
    image::Platform,
};
use std::{collections::BTreeMap, ffi::OsString, fmt, path::PathBuf, time::Duration};

/// Everything that the configuration says about registries. The default asks public registries, without credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// By their [canonical] names: `docker.io`, `registry.example.com:5000`.
    pub hosts: BTreeMap<String, HostOptions>,
    /// What may be asked beyond those.
    pub unlisted: Unlisted,
    /// Docker's `config.json` files and their kin, which must be there; the first that has credentials wins. A host with
    /// a key in one of them counts as listed.
    pub docker_config: Vec<PathBuf>,
    /// The same of whoever runs the program; asked after those.
    pub user_config: Vec<UserConfig>,
    /// How credential helpers are run.
    pub helpers: Helpers,
    /// Whether the tags that exist are asked for when one does not.
    pub suggestions: bool,
    /// What an image must offer; if this is empty, no image is fetched to see what it offers.
    pub platforms: Vec<Platform>,
    /// Whether the tags that stand beside digests are looked at even if all images are there. They decide nothing, so
    /// otherwise they are asked for only where there is something to be said anyway.
    pub pinned_tags: bool,
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
            user_config: Vec::new(),
            helpers: Helpers::default(),
            suggestions: true,
            platforms: Vec::new(),
            pinned_tags: false,
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

/// A place where whoever runs the program may have a docker configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UserConfig {
    /// A file, which may be missing.
    File(PathBuf),
    /// The configuration itself, from an environment variable.
    Text {
        /// The name of the variable, for messages.
        variable: String,
        /// Its value.
        text: Secret,
    },
}

/// How credential helpers are run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Helpers {
    /// Where they are looked for; absolute. In their `PATH` the system's folders follow.
    pub folders: Vec<PathBuf>,
    /// The rest of their environment.
    pub environment: Variables,
    /// How long one may take, within the time for the whole push.
    pub timeout: Duration,
}

impl Default for Helpers {
    fn default() -> Self {
        let folders = ["/usr/local/bin", "/usr/bin", "/bin"].map(PathBuf::from).to_vec();
        Self { folders, environment: Variables::default(), timeout: Duration::from_secs(5) }
    }
}

/// Environment variables with their values, which may be secrets and are not shown.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Variables(Vec<(OsString, OsString)>);

impl FromIterator<(OsString, OsString)> for Variables {
    fn from_iter<I: IntoIterator<Item = (OsString, OsString)>>(variables: I) -> Self {
        Self(variables.into_iter().collect())
    }
}

impl Variables {
    /// Names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&OsString, &OsString)> {
        self.0.iter().map(|(name, value)| (name, value))
    }
}

impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

/// Whether there may be a helper `docker-credential-NAME`: a name is no path.
pub fn is_helper_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
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
    /// A credential helper: of `docker-credential-NAME` the name, for which [`is_helper_name`] holds.
    Helper(String),
    /// A file whose first line is a token that the registry itself is shown.
    Token(PathBuf),
}
