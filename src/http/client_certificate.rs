//! Who we are in a TLS handshake, where a server wants to know.
use super::Failure;
use reqwest::Identity;
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// A certificate with its private key, both in PEM; they may stand in one file.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClientCertificate {
    /// The certificate, with those between it and its CA.
    pub certificate: PathBuf,
    /// The private key. It is read when a host that wants it is first asked.
    pub key: PathBuf,
}

impl ClientCertificate {
    /// Both, as they are shown to a server.
    pub(super) fn load(&self) -> Result<Identity, Failure> {
        let mut pem = read(&self.certificate)?;
        if self.key != self.certificate {
            pem.push(b'\n');
            pem.extend(read(&self.key)?);
        }
        Identity::from_pem(&pem).map_err(|_| self.unusable("there is no certificate with a private key in PEM"))
    }

    /// Why the two cannot be used; never a word of what is in them.
    pub(super) fn unusable(&self, reason: &str) -> Failure {
        let (certificate, key) = (self.certificate.display(), self.key.display());
        Failure::Local(format!("the client certificate {certificate} with the key {key} cannot be used: {reason}"))
    }
}

fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let unreadable =
        |error: io::Error| Failure::Local(format!("cannot read the client certificate {}: {error}", path.display()));
    fs::read(path).map_err(unreadable)
}
