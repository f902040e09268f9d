//! The standard proxy variables: which proxy a URL goes through, if any.
use reqwest::Url;
use std::{fmt, net::IpAddr};

/// The values of the standard proxy variables, as they stand in the environment.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Proxies {
    /// For `http` URLs: `http_proxy`.
    pub http: Option<String>,
    /// For `https` URLs: `HTTPS_PROXY` or `https_proxy`.
    pub https: Option<String>,
    /// Hosts that are asked directly: `NO_PROXY` or `no_proxy`; names (with what is below them), addresses, networks,
    /// or `*`, each perhaps with a port, separated by commas or spaces. This machine itself always is.
    pub none: Option<String>,
}

/// Shows no address: there may be a password in it.
impl fmt::Debug for Proxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (http, https) = (self.http.is_some(), self.https.is_some());
        f.debug_struct("Proxies").field("http", &http).field("https", &https).field("none", &self.none).finish()
    }
}

impl Proxies {
    /// The proxy that the URL goes through; `None` if it is asked directly.
    pub fn of(&self, url: &Url) -> Option<&str> {
        let proxy = if url.scheme() == "https" { &self.https } else { &self.http };
        let proxy = proxy.as_deref().filter(|proxy| !proxy.is_empty())?;
        let excepted = self.none.as_deref().unwrap_or_default().split([',', ' ', '\t']);
        let host = url.host_str()?.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.');
        if is_this_machine(host) {
            return None;
        }
        (!excepted.filter(|entry| !entry.is_empty()).any(|entry| covers(entry, host, url.port_or_known_default())))
            .then_some(proxy)
    }
}

/// To a proxy these names would mean itself.
fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

fn covers(entry: &str, host: &str, port: Option<u16>) -> bool {
    let (entry, wanted) = match entry.rsplit_once(':') {
        Some((name, digits)) if !name.contains(':') || name.ends_with(']') => match digits.parse() {
            Ok(number) => (name, Some(number)),
            Err(_) => return false,
        },
        _ => (entry, None),
    };
    if wanted.is_some() && wanted != port {
        return false;
    }
    if let Ok(address) = host.parse() {
        return entry == "*" || in_network(entry.trim_start_matches('[').trim_end_matches(']'), address);
    }
    let entry = entry.trim_start_matches("*.").trim_matches('.').to_ascii_lowercase();
    entry == "*" || host.strip_suffix(entry.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

fn in_network(entry: &str, address: IpAddr) -> bool {
    let (network, length) = match entry.split_once('/') {
        Some((network, length)) => (network, length.parse::<u32>().ok()),
        None => (entry, Some(128)),
    };
    let (Ok(network), Some(length)) = (network.parse(), length) else { return false };
    match (network, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) => {
            let differing = u32::from(network) ^ u32::from(address);
            differing.leading_zeros() >= length.min(32)
        }
        (IpAddr::V6(network), IpAddr::V6(address)) => {
            let differing = u128::from(network) ^ u128::from(address);
            differing.leading_zeros() >= length.min(128)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::Proxies;

    #[test]
    fn a_host_that_no_proxy_names_is_asked_directly() {
        let proxies = Proxies {
            http: None,
            https: Some("http://proxy:3128".into()),
            none: Some("Internal.example, .corp,10.0.0.0/8 fd00::/8,ghcr.io:8443,*.star.example,dot.example.,[fc01::7],[fc02::7]:8443".into()),
        };
        let direct = |url: &str| proxies.of(&url.parse().unwrap()).is_none();
        for url in [
            "https://internal.example/v2/",
            "https://a.internal.example/",
            "https://x.corp/",
            "https://10.1.2.3/",
            "https://[fd00::1]/",
            "https://ghcr.io:8443/",
            "https://a.star.example/",
            "https://dot.example/",
            "https://internal.example./",
            "https://[fc01::7]/",
            "https://[fc02::7]:8443/",
            "https://localhost:5000/",
            "https://127.0.0.2/",
            "https://[::1]:5000/",
            "http://quay.io/",
        ] {
            assert!(direct(url), "{url}");
        }
        for url in [
            "https://ghcr.io/",
            "https://notinternal.example/",
            "https://11.0.0.1/",
            "https://[fe00::1]/",
            "https://[fc02::7]/",
            "https://localhost.example/",
        ] {
            assert!(!direct(url), "{url}");
        }
    }

    #[test]
    fn the_password_of_a_proxy_is_not_shown() {
        let address = Some("http://user:hunter2@proxy:3128".to_owned());
        let http = Proxies { http: address.clone(), https: address, none: None };
        let settings = crate::http::Settings { proxies: http, ..crate::http::Settings::default() };
        let clients = crate::http::Clients::new(settings.clone());
        clients.client(&"http://ghcr.io/".parse().unwrap(), &crate::http::Reach::default()).unwrap();
        assert!(!format!("{settings:?} {clients:?}").contains("hunter2"));
    }

    #[test]
    fn a_star_excepts_everything() {
        let proxies = Proxies { https: Some("http://proxy:1".into()), none: Some("*".into()), http: None };
        assert_eq!(proxies.of(&"https://ghcr.io/".parse().unwrap()), None);
    }
}
