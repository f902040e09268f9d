//! The folders in which docker and containerd keep certificates for registries: `certs.d/<host>/`.
//!
//! Docker: `*.crt` are CAs, `*.cert` and `*.key` of one name a client's certificate. containerd: `ca` and `client` of a
//! `hosts.toml`, and without one the same as docker. Certificates are for the host of the folder alone, so `_default` is
//! not looked into; `skip_verify` is not heeded, because an answer from anybody proves nothing.
//! <https://docs.docker.com/engine/security/certificates/>,
//! <https://github.com/containerd/containerd/blob/main/docs/hosts.md>
use super::{ClientCertificate, Failure, hosts_toml};
use reqwest::Url;
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// What one host's TLS takes beyond what all have.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Trust {
    /// Bundles of CAs in PEM.
    pub(super) authorities: Vec<PathBuf>,
    /// Of several the first: a handshake shows one.
    pub(super) client: Option<ClientCertificate>,
}

/// What the folders say about the host of a URL. In each of them one subfolder counts; those that are not there, or may
/// not be looked into, say nothing. `namespace` is the registry on whose behalf a mirror is asked.
pub(super) fn trust(folders: &[PathBuf], url: &Url, namespace: Option<&str>) -> Result<Trust, Failure> {
    let mut trust = Trust::default();
    let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else { return Ok(trust) };
    let own = names(host, port);
    for folder in folders {
        for (names, is_own) in [(&own[..], true), (&namespaces(namespace)[..], false)] {
            let Some(entry) = names.iter().map(|name| folder.join(name)).find(|entry| entry.is_dir()) else { continue };
            trust.add(of_folder(&entry, url, is_own)?);
        }
    }
    Ok(trust)
}

impl Trust {
    pub(super) fn add(&mut self, other: Self) {
        self.authorities.extend(other.authorities);
        self.client = self.client.take().or(other.client);
    }
}

/// The names that a host's folder may have, the one that counts first. What begins with a dot would lead out of the
/// folder, and a redirect may name any host.
fn names(host: &str, port: u16) -> Vec<String> {
    if host.starts_with('.') {
        return Vec::new();
    }
    let with_port = [format!("{host}_{port}_"), format!("{host}:{port}")];
    let bare = (port == 443).then(|| host.to_owned());
    bare.into_iter().chain(with_port).collect()
}

fn namespaces(namespace: Option<&str>) -> Vec<String> {
    let Some(namespace) = namespace else { return Vec::new() };
    let with_port = namespace.rsplit_once(':').map(|(host, port)| format!("{host}_{port}_"));
    with_port.into_iter().chain([namespace.to_owned()]).collect()
}

fn of_folder(folder: &Path, url: &Url, is_own: bool) -> Result<Trust, Failure> {
    let file = folder.join("hosts.toml");
    match fs::read_to_string(&file) {
        Ok(text) => hosts_toml::trust(&text, folder, url, is_own)
            .map_err(|reason| Failure::Local(format!("{}: {reason}", file.display()))),
        Err(error) if error.kind() == io::ErrorKind::NotFound && is_own => Ok(docker(folder)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Trust::default()),
        Err(error) => Err(Failure::Local(format!("cannot read {}: {error}", file.display()))),
    }
}

/// Docker's layout.
fn docker(folder: &Path) -> Trust {
    let Ok(entries) = fs::read_dir(folder) else { return Trust::default() };
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.sort();
    let with = |extension: &str| {
        let extension = extension.to_owned();
        files.iter().filter(move |file| file.extension().is_some_and(|own| own == extension.as_str())).cloned()
    };
    let client = with("cert").next();
    Trust {
        authorities: with("crt").collect(),
        client: client.map(|certificate| ClientCertificate { key: certificate.with_extension("key"), certificate }),
    }
}

#[cfg(test)]
mod tests {
    use super::{names, namespaces};

    #[test]
    fn a_folder_may_name_the_port_in_several_ways_and_443_not_at_all() {
        assert_eq!(names("r.example", 443), ["r.example", "r.example_443_", "r.example:443"]);
        assert_eq!(names("r.example", 5000), ["r.example_5000_", "r.example:5000"]);
        assert_eq!(names("[::1]", 5000), ["[::1]_5000_", "[::1]:5000"]);
        assert!(names("..", 443).is_empty());
        assert_eq!(namespaces(Some("docker.io")), ["docker.io"]);
        assert_eq!(namespaces(Some("r.example:5000")), ["r.example_5000_", "r.example:5000"]);
    }
}
