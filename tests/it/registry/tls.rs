//! TLS: private CAs and client certificates; and what does not fit is an outage, not an absent image.
use super::{Checked, check, is_present};
use crate::certificates::{Authority, Certified, keep};
use pullgate::{
    http::{ClientCertificate, Failure, Roots},
    lab::{self, Behaviour, Registry, Tls},
    registry::{Error, HostOptions, Options},
};
use std::{collections::BTreeSet, path::PathBuf};
use tempfile::TempDir;

/// A registry behind TLS with twenty images, and the CA of its certificate.
struct Secured {
    registry: Registry,
    ca: Authority,
    folder: TempDir,
}

impl Secured {
    fn start() -> Self {
        Self::with(|ca| ca.server("127.0.0.1"), None)
    }

    /// One that wants a certificate of this CA.
    fn wanting(clients: &Authority) -> Self {
        Self::with(|ca| ca.server("127.0.0.1"), Some(clients.pem()))
    }

    fn with(certified: impl FnOnce(&Authority) -> Certified, client_ca_pem: Option<String>) -> Self {
        let (ca, folder) = (Authority::new(), TempDir::new().unwrap());
        let Certified { certificate, key } = certified(&ca);
        let tls = Some(Tls { certificate_pem: certificate, key_pem: key, client_ca_pem });
        let registry = Registry::start(lab::Options { tls, ..lab::Options::default() }).unwrap();
        (0..20).for_each(|n| drop(registry.push("team/app", &n.to_string())));
        Self { registry, ca, folder }
    }

    fn ca(&self) -> PathBuf {
        keep(self.folder.path(), "ca.pem", &self.ca.pem())
    }

    fn options(&self, ca_file: Option<PathBuf>) -> Options {
        let host = HostOptions { private: true, ca_file, ..HostOptions::default() };
        Options { hosts: [(self.registry.host(), host)].into(), ..Options::default() }
    }

    /// With these files in the registry's folder in a `certs.d`.
    fn with_certs_d(&self, files: &[(&str, &str)]) -> Options {
        let folder = self.folder.path().join("certs.d");
        for (name, text) in files {
            keep(&folder.join(self.registry.host()), name, text);
        }
        let mut options = self.options(None);
        options.http.certs_dirs = vec![folder];
        options
    }

    fn images(&self) -> Vec<String> {
        (0..20).map(|n| format!("{}/team/app:{n}", self.registry.host())).collect()
    }

    fn ask(&self, options: Options) -> Checked {
        check(options, &self.images()[..1]).remove(0)
    }

    /// The reason why the registry could not be asked; not one request reached it.
    fn refusal(&self, options: Options) -> String {
        let checked = self.ask(options);
        let Err(Error::Unreachable { failure: Failure::Tls(reason), .. }) = checked else { panic!("{checked:?}") };
        assert!(self.registry.requests().is_empty());
        reason
    }
}

fn client_files(certified: &Certified, folder: &TempDir) -> ClientCertificate {
    let (certificate, key) = certified.keep(folder.path(), "client");
    ClientCertificate { certificate, key }
}

fn presenting(mut options: Options, client: &ClientCertificate) -> Options {
    options.hosts.values_mut().for_each(|host| host.client = Some(client.clone()));
    options
}

#[test]
fn a_private_ca_is_trusted_where_it_is_configured() {
    let secured = Secured::start();
    let checked = check(secured.options(Some(secured.ca())), &secured.images());
    assert!(checked.iter().all(is_present), "{checked:?}");
    let everywhere = |roots| {
        let mut options = secured.options(None);
        options.http.roots = roots;
        secured.ask(options)
    };
    assert!(is_present(&everywhere(Roots { files: vec![secured.ca()], ..Roots::default() })));
    let folders = vec![secured.folder.path().to_owned()];
    assert!(is_present(&everywhere(Roots { folders, ..Roots::default() })));
}

#[test]
fn a_cold_host_with_http_2_sees_one_connection() {
    let secured = Secured::start();
    let checked = check(secured.options(Some(secured.ca())), &secured.images());
    assert!(checked.iter().all(is_present), "{checked:?}");
    assert_eq!(secured.registry.connections(), 1);
}

#[test]
fn an_unknown_ca_is_an_outage() {
    let secured = Secured::start();
    let reason = secured.refusal(secured.options(None));
    assert!(reason.contains("UnknownIssuer"), "{reason}");
}

#[test]
fn an_expired_certificate_is_an_outage() {
    let secured = Secured::with(|ca| ca.expired("127.0.0.1"), None);
    let reason = secured.refusal(secured.options(Some(secured.ca())));
    assert!(reason.contains("expired"), "{reason}");
}

#[test]
fn a_certificate_of_another_name_is_an_outage() {
    let secured = Secured::with(|ca| ca.server("registry.example"), None);
    let reason = secured.refusal(secured.options(Some(secured.ca())));
    assert!(reason.contains("not valid for name"), "{reason}");
}

#[test]
fn a_registry_that_wants_a_client_certificate_says_so_to_who_has_none() {
    let secured = Secured::wanting(&Authority::new());
    let reason = secured.refusal(secured.options(Some(secured.ca())));
    assert!(reason.contains("wants a client certificate"), "{reason}");
}

#[test]
fn a_client_certificate_is_shown_where_it_is_configured() {
    let clients = Authority::new();
    let secured = Secured::wanting(&clients);
    let client = client_files(&clients.client(), &secured.folder);
    let options = presenting(secured.options(Some(secured.ca())), &client);
    let checked = check(options, &secured.images());
    assert!(checked.iter().all(is_present), "{checked:?}");
}

#[test]
fn a_client_certificate_of_another_ca_is_an_outage() {
    let secured = Secured::wanting(&Authority::new());
    let client = client_files(&Authority::new().client(), &secured.folder);
    let checked = secured.ask(presenting(secured.options(Some(secured.ca())), &client));
    assert!(matches!(checked, Err(Error::Unreachable { failure: Failure::Tls(_), .. })), "{checked:?}");
}

#[test]
fn a_client_key_that_is_not_the_certificates_is_said_by_its_name() {
    let clients = Authority::new();
    let secured = Secured::wanting(&clients);
    let mut client = client_files(&clients.client(), &secured.folder);
    client.key = keep(secured.folder.path(), "other.key", &clients.client().key);
    let checked = secured.ask(presenting(secured.options(Some(secured.ca())), &client));
    let Err(Error::Local(message)) = checked else { panic!("{checked:?}") };
    assert!(message.contains("client.pem") && message.contains("other.key"), "{message}");
    assert!(!message.contains("PRIVATE"), "{message}");
}

#[test]
fn a_client_certificate_that_cannot_be_read_is_said_by_its_name() {
    let secured = Secured::start();
    let missing = ClientCertificate { certificate: "/nonexistent.pem".into(), key: "/nonexistent.key".into() };
    let checked = secured.ask(presenting(secured.options(Some(secured.ca())), &missing));
    let Err(Error::Local(message)) = checked else { panic!("{checked:?}") };
    assert!(message.contains("/nonexistent.pem"), "{message}");
}

#[test]
fn a_ca_in_dockers_folder_is_trusted_for_its_host_alone() {
    let secured = Secured::start();
    let options = secured.with_certs_d(&[("ca.crt", &secured.ca.pem())]);
    assert!(is_present(&secured.ask(options.clone())));
    let other = Secured::with(|_| secured.ca.server("127.0.0.1"), None);
    let mut elsewhere = other.options(None);
    elsewhere.http = options.http;
    let reason = other.refusal(elsewhere);
    assert!(reason.contains("UnknownIssuer"), "{reason}");
}

#[test]
fn a_client_certificate_in_dockers_folder_is_shown() {
    let clients = Authority::new();
    let (secured, client) = (Secured::wanting(&clients), clients.client());
    let files = [("ca.crt", secured.ca.pem()), ("us.cert", client.certificate), ("us.key", client.key)];
    let options = secured.with_certs_d(&files.each_ref().map(|(name, text)| (*name, text.as_str())));
    assert!(is_present(&secured.ask(options)));
}

#[test]
fn a_client_certificate_in_a_hosts_toml_is_shown() {
    let clients = Authority::new();
    let (secured, client) = (Secured::wanting(&clients), clients.client());
    let text = format!(
        "server = \"https://{}\"\nca = \"authority.pem\"\nclient = [[\"us.pem\", \"us-key.pem\"]]\n",
        secured.registry.host()
    );
    let files = [
        ("hosts.toml", text),
        ("authority.pem", secured.ca.pem()),
        ("us.pem", client.certificate),
        ("us-key.pem", client.key),
    ];
    let options = secured.with_certs_d(&files.each_ref().map(|(name, text)| (*name, text.as_str())));
    assert!(is_present(&secured.ask(options)));
}

#[test]
fn a_mirror_is_trusted_with_the_ca_that_the_hosts_toml_of_its_registry_names() {
    let (origin, mirror) = (super::open(), Secured::start());
    let certs_d = mirror.folder.path().join("certs.d");
    let text = format!("[host.\"https://{}\"]\nca = \"authority.pem\"\n", mirror.registry.host());
    for (name, text) in [("hosts.toml", text.as_str()), ("authority.pem", &mirror.ca.pem())] {
        keep(&certs_d.join(origin.host()), name, text);
    }
    let mut options = mirror.options(None);
    options.http.certs_dirs = vec![certs_d];
    let mirrored = |mirror_of| {
        let mut options = options.clone();
        options.hosts.values_mut().for_each(|host| host.mirror_of.clone_from(&mirror_of));
        options.hosts.insert(origin.host(), super::plain());
        is_present(&check(options, &[format!("{}/team/app:0", origin.host())])[0])
    };
    assert!(mirrored(Some(origin.host())));
    assert!(!mirrored(None));
    assert!(!is_present(&mirror.ask(options)), "for that registry alone");
}

#[test]
fn what_lies_beside_the_folder_of_a_host_is_not_for_it() {
    let secured = Secured::start();
    let mut options = secured.with_certs_d(&[]);
    for folder in ["", "_default", "127.0.0.1", "127.0.0.1:1"] {
        keep(&secured.folder.path().join("certs.d").join(folder), "ca.crt", &secured.ca.pem());
    }
    options.http.certs_dirs = vec![secured.folder.path().join("certs.d")];
    let reason = secured.refusal(options);
    assert!(reason.contains("UnknownIssuer"), "{reason}");
}

#[test]
fn skip_verify_in_a_hosts_toml_is_not_heeded() {
    let secured = Secured::start();
    let text = format!("[host.\"https://{}\"]\nskip_verify = true\n", secured.registry.host());
    let reason = secured.refusal(secured.with_certs_d(&[("hosts.toml", &text)]));
    assert!(reason.contains("UnknownIssuer"), "{reason}");
}

#[test]
fn a_hosts_toml_that_is_broken_is_said_by_its_name() {
    let secured = Secured::start();
    let checked = secured.ask(secured.with_certs_d(&[("hosts.toml", "ca = ")]));
    let Err(Error::Local(message)) = checked else { panic!("{checked:?}") };
    assert!(message.contains("hosts.toml"), "{message}");
}

#[test]
fn a_client_certificate_does_not_follow_a_redirect() {
    let clients = Authority::new();
    let (first, target) = (Secured::wanting(&clients), Secured::wanting(&clients));
    let to = format!("https://{}/v2/team/app/manifests/0", target.registry.host());
    first.registry.misbehave("team/app", Behaviour::Redirect(to));
    let client = client_files(&clients.client(), &first.folder);
    let mut options = presenting(first.options(Some(first.ca())), &client);
    options.hosts.extend(target.options(Some(target.ca())).hosts);
    let checked = first.ask(options.clone());
    assert!(matches!(checked, Err(Error::Unreachable { failure: Failure::Tls(_), .. })), "{checked:?}");
    assert!(target.registry.requests().is_empty());
    assert!(is_present(&first.ask(presenting(options, &client))), "it has its own");
}

#[test]
fn a_client_certificate_is_not_shown_to_a_proxy() {
    let clients = Authority::new();
    let (secured, proxy) = (Secured::wanting(&clients), Secured::wanting(&clients));
    let client = client_files(&clients.client(), &secured.folder);
    let host = HostOptions { client: Some(client), ca_file: Some(proxy.ca()), ..HostOptions::default() };
    let mut options = Options { hosts: [("registry.invalid".to_owned(), host)].into(), ..Options::default() };
    options.http.proxies.https = Some(format!("https://{}", proxy.registry.host()));
    let checked = check(options, &["registry.invalid/team/app:1".to_owned()]).remove(0);
    let Err(Error::Local(message)) = checked else { panic!("{checked:?}") };
    assert!(message.contains("proxy"), "{message}");
    assert_eq!(proxy.registry.connections(), 0);
}

#[test]
fn plain_http_to_a_port_of_tls_is_an_outage() {
    let secured = Secured::start();
    let options = Options { hosts: [(secured.registry.host(), super::plain())].into(), ..Options::default() };
    let checked = secured.ask(options);
    assert!(matches!(checked, Err(Error::Unreachable { .. })), "{checked:?}");
}

#[test]
fn a_registry_at_port_443_is_the_same_with_and_without_it() {
    // Nobody listens there, so both end alike, and are asked as one.
    let host = HostOptions { private: true, ..HostOptions::default() };
    let options = Options { hosts: [("127.0.0.1".to_owned(), host)].into(), ..Options::default() };
    let images = ["127.0.0.1/team/app:1", "127.0.0.1:443/team/app:1", "127.0.0.1:443/team/app:2"].map(str::to_owned);
    let checked: BTreeSet<String> =
        check(options, &images).into_iter().map(|checked| checked.unwrap_err().to_string()).collect();
    assert_eq!(checked.len(), 1, "{checked:?}");
    assert!(checked.iter().all(|said| said.contains("cannot connect")), "{checked:?}");
}

#[test]
fn plain_http_where_tls_is_expected_is_an_outage() {
    let registry = super::open();
    let host = HostOptions { private: true, ..HostOptions::default() };
    let options = Options { hosts: [(registry.host(), host)].into(), ..Options::default() };
    let checked = check(options, &[format!("{}/team/app:1", registry.host())]).remove(0);
    assert!(matches!(checked, Err(Error::Unreachable { failure: Failure::Tls(_), .. })), "{checked:?}");
}

#[test]
fn a_ca_file_that_cannot_be_read_is_said_by_its_name() {
    let secured = Secured::start();
    let missing = secured.folder.path().join("missing.pem");
    let checked = check(secured.options(Some(missing)), &secured.images()[..1]).remove(0);
    let Err(Error::Local(message)) = checked else { panic!("{checked:?}") };
    assert!(message.contains("missing.pem"), "{message}");
}

#[test]
fn a_redirect_out_of_tls_is_not_followed_even_to_a_listed_place() {
    let secured = Secured::start();
    let target = super::open();
    target.push("team/app", "0");
    let to = Behaviour::Redirect(format!("http://{}/v2/team/app/manifests/0", target.host()));
    secured.registry.misbehave("team/app", to);
    let mut options = secured.options(Some(secured.ca()));
    options.hosts.insert(target.host(), super::plain());
    let checked = check(options, &secured.images()[..1]).remove(0);
    assert!(matches!(checked, Err(Error::Diverted { .. })), "{checked:?}");
    assert_eq!(target.connections(), 0);
}
