//! Certificates made for a test: a CA of our own, servers, and clients.
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair, date_time_ymd,
};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// A CA that nobody knows.
#[derive(Debug)]
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its private key as PEM text.
#[derive(Clone, Debug)]
pub(crate) struct Certified {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new([]).expect("no names are valid names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, new_key()).expect("the parameters are those of a CA"))
    }

    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    /// For a server of this name or address.
    pub(crate) fn server(&self, name: &str) -> Certified {
        self.sign(&params(name))
    }

    /// For a server, and no longer valid.
    pub(crate) fn expired(&self, name: &str) -> Certified {
        let mut params = params(name);
        (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1));
        self.sign(&params)
    }

    pub(crate) fn client(&self) -> Certified {
        let mut params = params("client.example");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.sign(&params)
    }

    fn sign(&self, params: &CertificateParams) -> Certified {
        let key = new_key();
        let certificate = params.signed_by(&key, &self.0).expect("the CA may sign");
        Certified { certificate: certificate.pem(), key: key.serialize_pem() }
    }
}

impl Certified {
    /// Writes `name.pem` and `name.key`, and returns their paths.
    pub(crate) fn keep(&self, folder: &Path, name: &str) -> (PathBuf, PathBuf) {
        let certificate = keep(folder, &format!("{name}.pem"), &self.certificate);
        (certificate, keep(folder, &format!("{name}.key"), &self.key))
    }
}

/// Writes a file, in a folder that need not be there, and returns its path.
pub(crate) fn keep(folder: &Path, name: &str, text: &str) -> PathBuf {
    fs::create_dir_all(folder).expect("the folder is writable");
    let file = folder.join(name);
    fs::write(&file, text).expect("the folder is writable");
    file
}

fn new_key() -> KeyPair {
    KeyPair::generate().expect("a key can be made")
}

fn params(name: &str) -> CertificateParams {
    CertificateParams::new([name.to_owned()]).expect("it is a name or an address")
}
