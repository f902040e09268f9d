//! Where a registry is, and which other places may be asked on its behalf.
use super::{
    answer::{Answer, Refusal},
    options::{HostOptions, Unlisted},
};
use crate::http::{Reach, is_public, literal};
use reqwest::Url;
use std::{collections::BTreeMap, net::IpAddr};

/// The name of Docker Hub in references, the host that serves it, and the host of its tokens.
const DOCKER_HUB: (&str, &str, &str) = ("docker.io", "registry-1.docker.io", "auth.docker.io");

/// The one name of a registry, however a reference writes it: in lower case, without a port of 443.
pub fn canonical(registry: &str) -> String {
    let name = registry.to_ascii_lowercase();
    match name.rsplit_once(':') {
        // In brackets it is part of an address.
        Some((host, port)) if !port.ends_with(']') => match port.trim_start_matches('0') {
            "443" => host.to_owned(),
            port => format!("{host}:{port}"),
        },
        _ => name,
    }
}

/// A registry that may be asked.
#[derive(Clone, Debug)]
pub(super) struct Endpoint {
    /// Its name in references.
    pub(super) registry: String,
    /// `https://host:port/`.
    pub(super) base: Url,
    /// What the configuration says about it; for an unlisted one what follows from that.
    pub(super) options: HostOptions,
    /// Whether the configuration names it.
    pub(super) listed: bool,
}

/// How a place may be asked that a registry sends us to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Passage {
    /// Whether it may be sent the registry's credentials.
    pub(super) trusted: bool,
    pub(super) reach: Reach,
}

/// Why a place may not be asked that a registry sends us to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Forbidden(pub(super) &'static str);

impl Endpoint {
    /// The endpoint of a registry, with the options of the configuration if it is listed. `None` if its name cannot be
    /// part of a URL.
    pub(super) fn new(registry: &str, listed: Option<HostOptions>, unlisted: Unlisted) -> Option<Self> {
        let host = if registry == DOCKER_HUB.0 { DOCKER_HUB.1 } else { registry };
        let is_listed = listed.is_some();
        let options = listed.unwrap_or_else(|| HostOptions {
            private: unlisted == Unlisted::Any,
            credentials: super::CredentialChoice::None,
            ..HostOptions::default()
        });
        let scheme = if options.plain_http { "http" } else { "https" };
        let base = Url::parse(&format!("{scheme}://{host}/")).ok()?;
        Some(Self { registry: registry.to_owned(), base, options, listed: is_listed })
    }

    /// Why the registry may not be asked, as far as its name alone tells.
    pub(super) fn refusal(&self, unlisted: Unlisted, proxied: bool) -> Option<Refusal> {
        match unlisted {
            _ if self.listed => None,
            Unlisted::None => Some(Refusal::Unlisted),
            _ if proxied => Some(Refusal::Proxied),
            Unlisted::Public if self.base.port().is_some() => Some(Refusal::Port),
            Unlisted::Public | Unlisted::Any => None,
        }
    }

    /// How the registry's own origin is reached.
    pub(super) fn reach(&self) -> Reach {
        let unlisted = || Reach { private: self.options.private, ..Reach::default() };
        let reach = if self.listed { reach(&self.options) } else { unlisted() };
        // containerd knows it by its name in references.
        let namespace = self.is_docker_hub().then(|| self.registry.clone()).or(reach.namespace);
        Reach { namespace, ..reach }
    }

    /// Whether it is Docker Hub.
    pub(super) fn is_docker_hub(&self) -> bool {
        self.registry == DOCKER_HUB.0
    }

    /// Whether a URL has the registry's own scheme, host and port.
    pub(super) fn is_own(&self, url: &Url) -> bool {
        url.origin() == self.base.origin()
    }

    /// Whether and how a URL may be asked that the registry named: as a token realm or a redirect. Credentials stay at
    /// the registry's own origin, Docker Hub's pair, and (realms) where the configuration lets them go.
    pub(super) fn passage(&self, url: &Url, others: &Others<'_>) -> Result<Passage, Forbidden> {
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Forbidden("which names a user"));
        }
        if !matches!(url.scheme(), "https" | "http") {
            return Err(Forbidden("which is not https"));
        }
        if self.is_own(url) {
            return Ok(Passage { trusted: true, reach: self.reach() });
        }
        if self.is_token_realm(url) {
            // Another origin: a client certificate is its own or none.
            let client = others.hosts.get(&authority(url)).and_then(|options| options.client.clone());
            return Ok(Passage { trusted: true, reach: Reach { client, namespace: None, ..self.reach() } });
        }
        if self.is_docker_hub() && url.scheme() == "https" && authority(url) == DOCKER_HUB.2 {
            return Ok(Passage { trusted: true, reach: Reach::default() });
        }
        let reach = others.reach(url)?;
        if reach.private && !self.listed {
            return Err(Forbidden("which is private, and only listed registries may do that"));
        }
        Ok(Passage { trusted: false, reach })
    }

    fn is_token_realm(&self, url: &Url) -> bool {
        let secure = url.scheme() == "https" || self.options.plain_http;
        secure && self.options.token_realms.iter().any(|realm| realm.eq_ignore_ascii_case(&authority(url)))
    }
}

/// Places that nobody vouched for, but perhaps by listing them: they get what their own entry says, or what an unlisted
/// registry gets.
pub(super) struct Others<'a> {
    pub(super) hosts: &'a BTreeMap<String, HostOptions>,
    /// Whether the URL would be asked through a proxy.
    pub(super) proxied: bool,
}

impl Others<'_> {
    fn reach(&self, url: &Url) -> Result<Reach, Forbidden> {
        let listed = self.hosts.get(&authority(url));
        if url.scheme() == "http" && !listed.is_some_and(|options| options.plain_http) {
            return Err(Forbidden("which is not https"));
        }
        match listed {
            Some(options) => Ok(reach(options)),
            None if url.port().is_some() => Err(Forbidden("which is not listed, and not at port 443")),
            None if self.proxied => Err(Forbidden("which is not listed, and behind a proxy")),
            None => Ok(Reach::default()),
        }
    }
}

/// What an entry of the configuration says of how its host is reached.
fn reach(options: &HostOptions) -> Reach {
    Reach {
        ca_file: options.ca_file.clone(),
        client: options.client.clone(),
        namespace: options.mirror_of.clone(),
        private: options.private,
        keep: options.concurrency,
    }
}

/// Lines that would allow a registry in the configuration; none for where clouds keep secrets and no registry is.
pub(super) fn not_allowed(refusal: Refusal, host: &str) -> Answer {
    let address = Url::parse(&format!("https://{host}/")).ok().and_then(|url| literal(&url));
    if address.is_some_and(is_link_local) {
        return Answer::NotAllowed { refusal, host: host.to_owned(), configuration: Vec::new() };
    }
    let mut configuration = vec![format!("[registries.\"{}\"]", host.to_ascii_lowercase())];
    let is_private = matches!(refusal, Refusal::NoPublicAddress | Refusal::Private);
    if is_private || address.is_some_and(|address| !is_public(address)) {
        configuration.push("private = true".to_owned());
    }
    Answer::NotAllowed { refusal, host: host.to_owned(), configuration }
}

fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    }
}

/// `host`, or `host:port` if the port is not that of the scheme.
pub(super) fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// Scheme, host and port.
pub(super) fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

#[cfg(test)]
mod tests {
    use super::{Endpoint, HostOptions, Others, Refusal, Unlisted, canonical};
    use crate::http::ClientCertificate;
    use std::collections::BTreeMap;

    fn listed(registry: &str, options: HostOptions) -> Endpoint {
        Endpoint::new(registry, Some(options), Unlisted::Public).unwrap()
    }

    /// `Some(true)`: with credentials; `Some(false)`: without; `None`: not at all.
    fn realm(endpoint: &Endpoint, url: &str) -> Option<bool> {
        let hosts = BTreeMap::from([
            ("tokens.internal:8443".to_owned(), HostOptions::default()),
            ("plain.internal".to_owned(), HostOptions { plain_http: true, ..HostOptions::default() }),
            ("private.internal".to_owned(), HostOptions { private: true, ..HostOptions::default() }),
        ]);
        let others = Others { hosts: &hosts, proxied: false };
        endpoint.passage(&url.parse().unwrap(), &others).ok().map(|passage| passage.trusted)
    }

    #[test]
    fn credentials_go_to_the_registry_itself_and_to_where_they_are_let() {
        let own = listed("registry.example:5000", HostOptions::default());
        assert_eq!(realm(&own, "https://registry.example:5000/token?x=1"), Some(true));
        for other in
            ["https://registry.example/token", "https://evil.example/token", "https://registry.example.evil.example/"]
        {
            assert_eq!(realm(&own, other), Some(false), "{other}");
        }
        let realms = vec!["gitlab.example".to_owned(), "auth.example:8443".to_owned()];
        let gitlab = listed("registry.example", HostOptions { token_realms: realms, ..HostOptions::default() });
        assert_eq!(realm(&gitlab, "https://gitlab.example/jwt/auth"), Some(true));
        assert_eq!(realm(&gitlab, "https://auth.example:8443/"), Some(true));
        assert_eq!(realm(&gitlab, "https://auth.example/"), Some(false));
        assert_eq!(realm(&gitlab, "https://x.gitlab.example/"), Some(false));
        assert_eq!(realm(&gitlab, "http://gitlab.example/jwt/auth"), None);
    }

    #[test]
    fn who_nobody_listed_sends_us_to_no_private_place() {
        for (endpoint, expected) in [
            (listed("registry.example", HostOptions::default()), Some(false)),
            (Endpoint::new("registry.example", None, Unlisted::Public).unwrap(), None),
            (Endpoint::new("registry.example", None, Unlisted::Any).unwrap(), None),
        ] {
            assert_eq!(realm(&endpoint, "https://private.internal/reboot?now"), expected);
            assert_eq!(realm(&endpoint, "https://tokens.internal:8443/"), Some(false));
        }
    }

    #[test]
    fn a_client_certificate_goes_to_its_own_origin_and_to_no_realm_or_other_place() {
        let certificate = |name: &str| ClientCertificate { certificate: name.into(), key: name.into() };
        let options = HostOptions {
            client: Some(certificate("ours")),
            token_realms: vec!["auth.example".to_owned(), "tokens.example".to_owned()],
            ..HostOptions::default()
        };
        let theirs = HostOptions { client: Some(certificate("theirs")), ..HostOptions::default() };
        let hosts =
            BTreeMap::from([("tokens.example".to_owned(), theirs.clone()), ("blobs.example".to_owned(), theirs)]);
        let own = listed("registry.example", options);
        let shown = |url: &str| {
            let passage = own.passage(&url.parse().unwrap(), &Others { hosts: &hosts, proxied: false }).unwrap();
            passage.reach.client.map(|client| client.key.display().to_string())
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(shown("https://registry.example/v2/"), some("ours"));
        assert_eq!(shown("https://auth.example/token"), None);
        assert_eq!(shown("https://tokens.example/token"), some("theirs"));
        assert_eq!(shown("https://blobs.example/"), some("theirs"));
        assert_eq!(shown("https://anywhere.example/"), None);
    }

    #[test]
    fn a_registry_has_one_name() {
        for (written, name) in [
            ("Registry.example", "registry.example"),
            ("registry.example:443", "registry.example"),
            ("registry.example:0443", "registry.example"),
            ("registry.example:5000", "registry.example:5000"),
            ("registry.example:80", "registry.example:80"),
            ("[::1]:443", "[::1]"),
            ("[::443]", "[::443]"),
            ("docker.io", "docker.io"),
        ] {
            assert_eq!(canonical(written), name, "{written}");
        }
    }

    #[test]
    fn docker_hub_has_a_pair_that_nobody_else_has() {
        let hub = listed("docker.io", HostOptions::default());
        assert_eq!(hub.base.as_str(), "https://registry-1.docker.io/");
        assert_eq!(realm(&hub, "https://auth.docker.io/token"), Some(true));
        assert_eq!(realm(&hub, "https://auth.docker.io:8443/token"), None);
        assert_eq!(realm(&hub, "http://auth.docker.io/token"), None);
        let other = listed("registry-1.docker.io", HostOptions::default());
        assert_eq!(realm(&other, "https://auth.docker.io/token"), Some(false));
    }

    #[test]
    fn strange_places_are_asked_by_https_at_the_usual_port_unless_they_are_listed() {
        let own = listed("registry.example", HostOptions::default());
        for url in [
            "http://169.254.169.254/latest",
            "ftp://registry.example/",
            "https://user@registry.example/",
            "https://other.example:22/",
            "file:///etc/passwd",
        ] {
            assert_eq!(realm(&own, url), None, "{url}");
        }
        assert_eq!(realm(&own, "https://tokens.internal:8443/"), Some(false));
        assert_eq!(realm(&own, "http://plain.internal/"), Some(false));
        let proxied = Others { hosts: &BTreeMap::new(), proxied: true };
        assert!(own.passage(&"https://other.example/".parse().unwrap(), &proxied).is_err());
    }

    #[test]
    fn unlisted_registries_are_judged_by_their_name_before_anything_is_asked() {
        let refusal = |registry: &str, unlisted, proxied| {
            Endpoint::new(registry, None, unlisted).unwrap().refusal(unlisted, proxied)
        };
        assert_eq!(refusal("ghcr.io", Unlisted::Public, false), None);
        assert_eq!(refusal("ghcr.io:443", Unlisted::Public, false), None);
        assert_eq!(refusal("localhost:6379", Unlisted::Public, false), Some(Refusal::Port));
        assert_eq!(refusal("ghcr.io", Unlisted::Public, true), Some(Refusal::Proxied));
        assert_eq!(refusal("ghcr.io", Unlisted::None, false), Some(Refusal::Unlisted));
        assert_eq!(refusal("localhost:6379", Unlisted::Any, false), None);
        assert!(Endpoint::new("ghcr.io:99999", None, Unlisted::Any).is_none());
    }
}
