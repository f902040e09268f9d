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
            // A name that begins with a dot leads out of the folder.
            let entries = names.iter().filter(|name| !name.starts_with('.')).map(|name| folder.join(name));
            let Some(entry) = entries.into_iter().find(|entry| entry.is_dir()) else { continue };
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

/// The names that a host's folder may have, the one that counts first.
fn names(host: &str, port: u16) -> Vec<String> {
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
    use super::{Trust, trust};
    use std::{fs, path::PathBuf};
    use tempfile::TempDir;

    fn folder(files: &[(&str, &str)]) -> TempDir {
        let folder = TempDir::new().unwrap();
        for (name, text) in files {
            let file = folder.path().join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        }
        folder
    }

    fn found(folder: &TempDir, url: &str, namespace: Option<&str>) -> Trust {
        trust(&[folder.path().to_owned()], &url.parse().unwrap(), namespace).unwrap()
    }

    fn names(folder: &TempDir, paths: &[PathBuf]) -> Vec<String> {
        let inside = |path: &PathBuf| path.strip_prefix(folder.path()).unwrap().display().to_string();
        paths.iter().map(inside).collect()
    }

    #[test]
    fn in_dockers_folder_crt_is_a_ca_and_cert_with_key_a_client() {
        let files = ["ca.crt", "b.crt", "client.cert", "client.key", "README"];
        let files = files.map(|name| format!("r.example:5000/{name}"));
        let folder = folder(&files.each_ref().map(|name| (name.as_str(), "")));
        let trust = found(&folder, "https://r.example:5000/v2/", None);
        assert_eq!(names(&folder, &trust.authorities), ["r.example:5000/b.crt", "r.example:5000/ca.crt"]);
        let client = trust.client.unwrap();
        assert_eq!(
            names(&folder, &[client.certificate, client.key]),
            ["r.example:5000/client.cert", "r.example:5000/client.key"]
        );
        for other in ["https://r.example/", "https://r.example:5001/", "https://a.r.example:5000/"] {
            assert_eq!(found(&folder, other, None), Trust::default(), "{other}");
        }
    }

    #[test]
    fn a_folder_may_name_the_port_in_several_ways_and_443_not_at_all() {
        for (name, url) in [
            ("r.example", "https://r.example/"),
            ("r.example:443", "https://r.example/"),
            ("r.example_443_", "https://r.example/"),
            ("r.example_5000_", "https://r.example:5000/"),
            ("[::1]:5000", "https://[::1]:5000/"),
        ] {
            let folder = folder(&[(&format!("{name}/ca.crt"), "")]);
            assert_eq!(found(&folder, url, None).authorities.len(), 1, "{name}");
        }
        let folder = folder(&[("_default/ca.crt", ""), ("ca.crt", ""), ("inner/ca.crt", "")]);
        for nowhere in ["https://r.example/", "https://.../"] {
            assert_eq!(found(&folder, nowhere, None), Trust::default());
        }
    }

    #[test]
    fn a_hosts_toml_counts_instead_of_the_files_beside_it() {
        let folder = folder(&[("r.example/hosts.toml", "ca = \"own.pem\""), ("r.example/ca.crt", "")]);
        let trust = found(&folder, "https://r.example/", None);
        assert_eq!(names(&folder, &trust.authorities), ["r.example/own.pem"]);
    }

    #[test]
    fn a_mirror_has_what_the_folder_of_the_registry_says_about_the_mirror() {
        let text = "server = \"https://registry-1.docker.io\"\nca = \"hub.pem\"\n[host.\"https://mirror:5000\"]\nca = \"m.pem\"";
        let folder = folder(&[("docker.io/hosts.toml", text), ("docker.io/x.crt", "")]);
        let authorities = |url, namespace| names(&folder, &found(&folder, url, namespace).authorities);
        assert_eq!(authorities("https://mirror:5000/", Some("docker.io")), ["docker.io/m.pem"]);
        assert!(authorities("https://mirror:5000/", None).is_empty());
        assert!(authorities("https://other/", Some("docker.io")).is_empty());
    }
}
