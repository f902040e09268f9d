//! Roots of trust: the system's bundle and what the environment and the configuration add.
use super::Failure;
use reqwest::Certificate;
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Where distributions keep the bundle of the roots that they trust, the most common first.
const BUNDLES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// Roots beyond the system's bundle.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roots {
    /// Bundles in PEM: `SSL_CERT_FILE`, and what the configuration names for every registry.
    pub files: Vec<PathBuf>,
    /// Folders with certificates in PEM: `SSL_CERT_DIR`. What is no certificate in them is passed over.
    pub folders: Vec<PathBuf>,
}

impl Roots {
    /// Every root, with those of `extra`. One bundle is read instead of every file of `/etc/ssl/certs`: it is the same
    /// set, and what a push waits for.
    pub(super) fn load(&self, extra: &[PathBuf]) -> Result<Vec<Certificate>, Failure> {
        let mut roots = Vec::new();
        for bundle in BUNDLES.map(Path::new) {
            match certificates(bundle) {
                Ok(found) => {
                    roots = found;
                    break;
                }
                Err(Fault::Unreadable(error)) if error.kind() == io::ErrorKind::NotFound => {}
                Err(fault) => return Err(fault.of(bundle)),
            }
        }
        for file in self.files.iter().chain(extra) {
            roots.extend(certificates(file).map_err(|fault| fault.of(file))?);
        }
        for folder in &self.folders {
            let entries = fs::read_dir(folder).map_err(|error| Fault::Unreadable(error).of(folder))?;
            roots.extend(entries.flatten().filter_map(|entry| certificates(&entry.path()).ok()).flatten());
        }
        Ok(roots)
    }
}

enum Fault {
    Unreadable(io::Error),
    NoCertificates,
}

impl Fault {
    fn of(self, path: &Path) -> Failure {
        Failure::Local(match self {
            Self::Unreadable(error) => format!("cannot read the certificates in {}: {error}", path.display()),
            Self::NoCertificates => format!("there are no certificates in PEM in {}", path.display()),
        })
    }
}

fn certificates(path: &Path) -> Result<Vec<Certificate>, Fault> {
    let pem = fs::read(path).map_err(Fault::Unreadable)?;
    match Certificate::from_pem_bundle(&pem) {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        _ => Err(Fault::NoCertificates),
    }
}
