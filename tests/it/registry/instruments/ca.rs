//! A CA of one test, and what it vouches for.
use pullgate::{
    lab::{self, Auth, Registry, Tls},
    registry::HostOptions,
};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use std::{fs, time::Duration};
use tempfile::TempDir;

/// A CA and the folder with its certificate.
pub(crate) struct Ca {
    issuer: CertifiedIssuer<'static, KeyPair>,
    folder: TempDir,
}

impl Ca {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("ca.pem"), issuer.pem()).unwrap();
        Self { issuer, folder }
    }

    /// Where its certificate is.
    pub(crate) fn file(&self) -> std::path::PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// A certificate for 127.0.0.1 and localhost.
    pub(crate) fn certify(&self) -> Tls {
        let key = KeyPair::generate().unwrap();
        let names = ["127.0.0.1".to_owned(), "localhost".to_owned()];
        let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &self.issuer).unwrap();
        Tls { certificate_pem: certificate.pem(), key_pem: key.serialize_pem(), client_ca_pem: None }
    }

    /// A registry with TLS and so with HTTP/2.
    pub(crate) fn registry(&self, auth: Auth, latency: Duration) -> Registry {
        Registry::start(lab::Options { tls: Some(self.certify()), auth, latency }).unwrap()
    }

    /// What the configuration says about it.
    pub(crate) fn listed(&self) -> HostOptions {
        HostOptions { private: true, ca_file: Some(self.file()), ..HostOptions::default() }
    }
}
