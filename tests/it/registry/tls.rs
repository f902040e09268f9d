//! TLS: private CAs, and what an unknown one is: an outage, not an absent image.
use super::{check, is_present};
use pullgate::{
    http::{Failure, Roots},
    lab::{self, Behaviour, Registry, Tls},
    registry::{Error, HostOptions, Options},
};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use std::{fs, path::PathBuf};
use tempfile::TempDir;

struct Secured {
    registry: Registry,
    folder: TempDir,
}

impl Secured {
    fn start() -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let names = ["127.0.0.1".to_owned()];
        let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &ca).unwrap();
        let tls = Tls { certificate_pem: certificate.pem(), key_pem: key.serialize_pem(), client_ca_pem: None };
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("ca.pem"), ca.pem()).unwrap();
        let registry = Registry::start(lab::Options { tls: Some(tls), ..lab::Options::default() }).unwrap();
        (0..20).for_each(|n| drop(registry.push("team/app", &n.to_string())));
        Self { registry, folder }
    }

    fn ca(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    fn options(&self, ca_file: Option<PathBuf>) -> Options {
        let host = HostOptions { private: true, ca_file, ..HostOptions::default() };
        Options { hosts: [(self.registry.host(), host)].into(), ..Options::default() }
    }

    fn images(&self) -> Vec<String> {
        (0..20).map(|n| format!("{}/team/app:{n}", self.registry.host())).collect()
    }
}

#[test]
fn a_private_ca_is_trusted_where_it_is_configured() {
    let secured = Secured::start();
    let checked = check(secured.options(Some(secured.ca())), &secured.images());
    assert!(checked.iter().all(is_present), "{checked:?}");
    let everywhere = |roots| {
        let mut options = secured.options(None);
        options.http.roots = roots;
        check(options, &secured.images()[..1]).remove(0)
    };
    assert!(is_present(&everywhere(Roots { files: vec![secured.ca()], ..Roots::default() })));
    let folders = vec![secured.folder.path().to_owned()];
    assert!(is_present(&everywhere(Roots { folders, ..Roots::default() })));
}

#[test]
fn with_http_2_one_connection_carries_everything() {
    let secured = Secured::start();
    assert!(check(secured.options(Some(secured.ca())), &secured.images()).iter().all(is_present));
    assert_eq!(secured.registry.requests().len(), 20);
    assert_eq!(secured.registry.connections(), 1);
}

#[test]
fn an_unknown_ca_is_an_outage() {
    let secured = Secured::start();
    for checked in check(secured.options(None), &secured.images()) {
        let Err(Error::Unreachable { failure: Failure::Tls(reason), .. }) = checked else { panic!("{checked:?}") };
        assert!(reason.contains("UnknownIssuer"), "{reason}");
    }
    assert!(secured.registry.requests().is_empty());
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
