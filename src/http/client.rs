//! The one place where an HTTP client is built: at most one for each way of reaching a host.
use super::{
    ClientCertificate, Failure, Proxies, Roots, certs_d, certs_d::Trust, failure::root, is_public, literal, resolve,
};
use reqwest::{
    Client, Proxy, Url,
    header::{ACCEPT_ENCODING, HeaderMap, HeaderValue},
    redirect,
};
use std::{
    collections::BTreeMap,
    fmt,
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// How long a connection, with its TLS handshake, may take to come about.
const CONNECT: Duration = Duration::from_secs(3);

/// What registry administrators find in their logs.
const USER_AGENT: &str = concat!("pullgate/", env!("CARGO_PKG_VERSION"));

/// The most that the headers of an answer may have, in bytes.
pub const MAX_HEADERS: u32 = 32 * 1024;

/// What may be under way of one body, and of all bodies of one connection, before it is read, in bytes: manifests are
/// small, and what is under way takes memory.
const WINDOWS: (u32, u32) = (64 * 1024, 1024 * 1024);

/// What every client has in common.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Roots of trust beyond the system's.
    pub roots: Roots,
    /// Proxies.
    pub proxies: Proxies,
    /// Folders like `/etc/containerd/certs.d` and `/etc/docker/certs.d`, with certificates by host.
    pub certs_dirs: Vec<PathBuf>,
    /// Name servers in place of those of `/etc/resolv.conf`; empty for those.
    pub name_servers: Vec<SocketAddr>,
}

/// How a host may be reached: what two clients may differ in.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reach {
    /// Roots of trust for this host alone, in PEM.
    pub ca_file: Option<PathBuf>,
    /// Who we are there, if it wants to know; it counts before what the `certs_dirs` say.
    pub client: Option<ClientCertificate>,
    /// The registry that it is a mirror of, or serves under another name: what the `certs_dirs` say of the host in that
    /// one's folder counts too.
    pub namespace: Option<String>,
    /// Whether it may have a private or loopback address.
    pub private: bool,
    /// How many connections to it are kept for later; over HTTP/2 one is enough.
    pub keep: usize,
}

/// A host that nobody vouched for. Of those there may be many, so each keeps the one connection.
impl Default for Reach {
    fn default() -> Self {
        Self { ca_file: None, client: None, namespace: None, private: false, keep: 1 }
    }
}

/// Clients, built when they are first asked for.
#[derive(Default)]
pub struct Clients {
    settings: Settings,
    names: Arc<resolve::System>,
    built: Mutex<Built>,
}

#[derive(Default)]
struct Built {
    clients: BTreeMap<Key, Client>,
    /// What the `certs_dirs` say, by origin and namespace.
    trust: BTreeMap<(String, Option<String>), Result<Trust, Failure>>,
}

/// What two clients differ in.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    /// `None` for plain HTTP.
    tls: Option<Trust>,
    private: bool,
    keep: usize,
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
        let names = Arc::new(resolve::System::new(settings.name_servers.clone()));
        Self { settings, names, ..Self::default() }
    }

    /// Whether the URL is asked through a proxy, which then resolves the name: no address can be vouched for.
    pub fn is_proxied(&self, url: &Url) -> bool {
        self.settings.proxies.of(url).is_some()
    }

    /// Names the proxy in a failure to connect, if the URL goes through one: it is the one that did not answer.
    pub fn blame(&self, url: &Url, failure: Failure) -> Failure {
        let address = self.settings.proxies.of(url).and_then(|address| named(address).ok());
        match (address, &failure) {
            (Some(proxy), Failure::Silent | Failure::Connect(_) | Failure::NoSuchHost | Failure::Lookup(_)) => {
                // Not its user and password.
                let host = proxy.host_str().unwrap_or_default();
                let port = proxy.port_or_known_default().unwrap_or_default();
                Failure::Proxied { proxy: format!("{host}:{port}"), failure: Box::new(failure) }
            }
            _ => failure,
        }
    }

    /// The client for a URL. Its address, if it is written as one, is judged here: no resolver will see it.
    pub fn client(&self, url: &Url, reach: &Reach) -> Result<Client, Failure> {
        if !reach.private && literal(url).is_some_and(|address| !is_public(address)) {
            return Err(Failure::NotPublic);
        }
        // A panic while the lock was held leaves the maps whole.
        let mut built = self.built.lock().unwrap_or_else(PoisonError::into_inner);
        let tls = (url.scheme() == "https").then(|| self.trust(&mut built, url, reach)).transpose()?;
        let proxy = self.settings.proxies.of(url).map(str::to_owned);
        let key = Key { tls, private: reach.private, keep: reach.keep, proxy };
        if let Some(client) = built.clients.get(&key) {
            return Ok(client.clone());
        }
        let client = self.build(&key)?;
        built.clients.insert(key, client.clone());
        Ok(client)
    }

    /// What the configuration says, and then what the `certs_dirs` say, which are looked into once.
    fn trust(&self, built: &mut Built, url: &Url, reach: &Reach) -> Result<Trust, Failure> {
        let mut trust = Trust { authorities: reach.ca_file.iter().cloned().collect(), client: reach.client.clone() };
        let key = (url.origin().ascii_serialization(), reach.namespace.clone());
        let look = || certs_d::trust(&self.settings.certs_dirs, url, reach.namespace.as_deref());
        trust.add(built.trust.entry(key).or_insert_with(look).clone()?);
        Ok(trust)
    }

    fn build(&self, key: &Key) -> Result<Client, Failure> {
        // Already installed by an earlier client: no harm.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let roots = key.tls.as_ref().map_or(Ok(Vec::new()), |trust| self.settings.roots.load(&trust.authorities))?;
        let proxy = key.proxy.as_deref().map(proxy).transpose()?;
        let resolver = resolve::Resolver {
            system: Arc::clone(&self.names),
            private: key.private,
            proxy: proxy.as_ref().map(|(_, host)| host.clone()),
        };
        // No client unpacks what it is sent, so nothing may be packed: digests are of what was sent.
        let plain = HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static("identity"))]);
        #[expect(clippy::disallowed_methods, reason = "this is the one place")]
        let builder = Client::builder()
            .user_agent(USER_AGENT)
            .default_headers(plain)
            .connect_timeout(CONNECT)
            .redirect(redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .pool_max_idle_per_host(key.keep)
            .http2_max_header_list_size(MAX_HEADERS)
            .http2_initial_stream_window_size(WINDOWS.0)
            .http2_initial_connection_window_size(WINDOWS.1)
            .tls_certs_only(roots)
            .dns_resolver(resolver);
        let builder = match proxy {
            Some((proxy, _)) => builder.proxy(proxy),
            None => builder,
        };
        let client = key.tls.as_ref().and_then(|trust| trust.client.as_ref());
        let builder = match client {
            // The handshake with the proxy would be that of the host, down to the certificate.
            Some(client) if key.proxy.as_deref().is_some_and(|proxy| proxy.starts_with("https:")) => {
                return Err(client.unusable("it would be shown to the proxy too, which is asked by TLS"));
            }
            Some(client) => builder.identity(client.load()?),
            None => builder,
        };
        builder.build().map_err(|error| match client {
            Some(client) => client.unusable(&root(&error)),
            None => Failure::Local(format!("cannot build an HTTP client: {}", root(&error))),
        })
    }
}

fn not_a_url() -> Failure {
    // The address may hold a password, so it is not repeated.
    Failure::Local("the proxy that the environment names is not a URL".to_owned())
}

fn named(proxy: &str) -> Result<Url, Failure> {
    let address = if proxy.contains("://") { proxy.to_owned() } else { format!("http://{proxy}") };
    address.parse().map_err(|_| not_a_url())
}

/// The proxy and its host.
fn proxy(address: &str) -> Result<(Proxy, String), Failure> {
    let url = named(address)?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(Failure::Local(format!(
            "the environment names a proxy for {}, which is not built in",
            url.scheme()
        )));
    }
    let host = url.host_str().ok_or_else(not_a_url)?.to_owned();
    Ok((Proxy::all(url).map_err(|_| not_a_url())?, host))
}
