//! The one place where an HTTP client is built: at most one for each way of reaching a host.
use super::{Failure, Proxies, Roots, is_public, resolve};
use reqwest::{Client, Proxy, Url, redirect};
use std::{
    collections::BTreeMap,
    fmt,
    net::IpAddr,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// How long a connection, with its TLS handshake, may take to come about.
const CONNECT: Duration = Duration::from_secs(3);

/// What registry administrators find in their logs.
const USER_AGENT: &str = concat!("pullgate/", env!("CARGO_PKG_VERSION"));

/// What every client has in common.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Roots of trust beyond the system's.
    pub roots: Roots,
    /// Proxies.
    pub proxies: Proxies,
}

/// How a host may be reached: what two clients may differ in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reach {
    /// Roots of trust for this host alone, in PEM.
    pub ca_file: Option<PathBuf>,
    /// Whether it may have a private or loopback address.
    pub private: bool,
}

/// Clients, built when they are first asked for.
#[derive(Default)]
pub struct Clients {
    settings: Settings,
    names: Arc<resolve::System>,
    built: Mutex<BTreeMap<Key, Client>>,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    reach: Reach,
    tls: bool,
    proxy: Option<String>,
}

/// Shows no client: the password of a proxy is in it.
impl fmt::Debug for Clients {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clients").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Clients {
    /// Builds nothing yet.
    pub fn new(settings: Settings) -> Self {
        Self { settings, ..Self::default() }
    }

    /// Whether the URL is asked through a proxy, which then resolves the name: no address can be vouched for.
    pub fn is_proxied(&self, url: &Url) -> bool {
        self.settings.proxies.of(url).is_some()
    }

    /// The client for a URL. Its address, if it is written as one, is judged here: no resolver will see it.
    pub fn client(&self, url: &Url, reach: &Reach) -> Result<Client, Failure> {
        if !reach.private && literal(url).is_some_and(|address| !is_public(address)) {
            return Err(Failure::NotPublic);
        }
        let key = Key {
            reach: reach.clone(),
            tls: url.scheme() == "https",
            proxy: self.settings.proxies.of(url).map(str::to_owned),
        };
        // A panic while the lock was held leaves the map whole.
        let mut built = self.built.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = built.get(&key) {
            return Ok(client.clone());
        }
        let client = self.build(&key)?;
        built.insert(key, client.clone());
        Ok(client)
    }

    fn build(&self, key: &Key) -> Result<Client, Failure> {
        // Already installed by an earlier client: no harm.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let roots = if key.tls { self.settings.roots.load(key.reach.ca_file.as_deref())? } else { Vec::new() };
        let proxy = key.proxy.as_deref().map(proxy).transpose()?;
        let resolver = resolve::Resolver {
            system: Arc::clone(&self.names),
            private: key.reach.private,
            proxy: proxy.as_ref().map(|(_, host)| host.clone()),
        };
        #[expect(clippy::disallowed_methods, reason = "this is the one place")]
        let builder = Client::builder()
            .user_agent(USER_AGENT)
            .connect_timeout(CONNECT)
            .redirect(redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .tls_certs_only(roots)
            .dns_resolver(resolver);
        let builder = match proxy {
            Some((proxy, _)) => builder.proxy(proxy),
            None => builder,
        };
        builder.build().map_err(|error| Failure::Local(format!("cannot build an HTTP client: {error}")))
    }
}

fn literal(url: &Url) -> Option<IpAddr> {
    url.host_str()?.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

/// The proxy and its host. Its address may hold a password, so it is not repeated in the error.
fn proxy(address: &str) -> Result<(Proxy, String), Failure> {
    let bad = || Failure::Local("the proxy that the environment names is not a URL".to_owned());
    let address = if address.contains("://") { address.to_owned() } else { format!("http://{address}") };
    let url: Url = address.parse().map_err(|_| bad())?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(Failure::Local(format!(
            "the environment names a proxy for {}, which is not built in",
            url.scheme()
        )));
    }
    let host = url.host_str().ok_or_else(bad)?.to_owned();
    Ok((Proxy::all(url).map_err(|_| bad())?, host))
}
