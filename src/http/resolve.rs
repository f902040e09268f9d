//! Names to addresses: `/etc/hosts`, then the servers of `/etc/resolv.conf`, and no others; private addresses dropped.
use super::is_public;
use hickory_resolver::{
    TokioResolver,
    config::{LookupIpStrategy, NameServerConfig, ResolverConfig},
    net::runtime::TokioRuntimeProvider,
};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::{
    net::SocketAddr,
    sync::{Arc, OnceLock},
    time::Duration,
};

/// How long one server is waited for, and how often servers are asked.
const PATIENCE: (Duration, usize) = (Duration::from_millis(1500), 2);
/// How long all of that may take: less than a connection may, so that it is the DNS that is blamed.
const LIMIT: Duration = Duration::from_millis(2500);

/// Why a name has no address that may be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unresolved {
    #[error("no such host")]
    NoSuchHost,
    #[error("no public address")]
    NotPublic,
    #[error("{0}")]
    Failed(String),
}

/// The system's configuration, read when the first name is looked up.
#[derive(Debug, Default)]
pub(super) struct System {
    /// Name servers in place of the system's, if there are any.
    servers: Vec<SocketAddr>,
    configured: OnceLock<Result<Configured, String>>,
}

struct Configured {
    resolver: TokioResolver,
    /// Why there are no servers to ask; `/etc/hosts` still answers.
    unreadable: Option<String>,
}

impl std::fmt::Debug for Configured {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Configured").field("unreadable", &self.unreadable).finish_non_exhaustive()
    }
}

/// What one client asks: the same servers, but with its own rule about private addresses.
pub(super) struct Resolver {
    pub(super) system: Arc<System>,
    /// Whether private addresses may be used.
    pub(super) private: bool,
    /// The proxy's host, which the administrator chose.
    pub(super) proxy: Option<String>,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let system = Arc::clone(&self.system);
        let private = self.private || self.proxy.as_deref() == Some(name.as_str());
        Box::pin(async move {
            let found = system.lookup(name.as_str()).await?;
            let usable: Vec<SocketAddr> = found.into_iter().filter(|at| private || is_public(at.ip())).collect();
            if usable.is_empty() {
                return Err(Unresolved::NotPublic.into());
            }
            Ok(Box::new(usable.into_iter()) as Addrs)
        })
    }
}

impl System {
    pub(super) fn new(servers: Vec<SocketAddr>) -> Self {
        Self { servers, configured: OnceLock::new() }
    }

    async fn lookup(&self, name: &str) -> Result<Vec<SocketAddr>, Unresolved> {
        let configured = self.configured.get_or_init(|| configure(&self.servers));
        let configured = configured.as_ref().map_err(|reason| Unresolved::Failed(reason.clone()))?;
        let found = tokio::time::timeout(LIMIT, configured.resolver.lookup_ip(name)).await;
        match found.map_err(|_| Unresolved::Failed("the name servers do not answer".to_owned()))? {
            Ok(found) => Ok(found.iter().map(|address| SocketAddr::new(address, 0)).collect()),
            Err(error) if error.is_nx_domain() || error.is_no_records_found() => Err(Unresolved::NoSuchHost),
            Err(error) => Err(Unresolved::Failed(configured.unreadable.clone().unwrap_or_else(|| error.to_string()))),
        }
    }
}

fn configure(servers: &[SocketAddr]) -> Result<Configured, String> {
    let of = |servers: &[SocketAddr]| {
        let config = ResolverConfig::from_parts(None, Vec::new(), servers.iter().map(server).collect());
        TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
    };
    let (mut builder, unreadable) = match TokioResolver::builder_tokio() {
        _ if !servers.is_empty() => (of(servers), None),
        Ok(builder) => (builder, None),
        Err(error) => (of(&[]), Some(format!("cannot read /etc/resolv.conf: {error}"))),
    };
    let options = builder.options_mut();
    (options.timeout, options.attempts) = PATIENCE;
    options.ip_strategy = LookupIpStrategy::Ipv4thenIpv6;
    let resolver = builder.build().map_err(|error| error.to_string())?;
    Ok(Configured { resolver, unreadable })
}

fn server(address: &SocketAddr) -> NameServerConfig {
    let mut server = NameServerConfig::udp_and_tcp(address.ip());
    server.connections.iter_mut().for_each(|connection| connection.port = address.port());
    server
}
