//! A source: a name in the configuration, and a password in a file.
use super::{
    Secret, file,
    source::{Credentials, Found, Proof, Source},
};
use crate::registry::error::Error;
use std::{
    path::{Path, PathBuf},
    sync::OnceLock,
};

/// A name and the file of its password, read when it is first asked.
#[derive(Debug)]
pub(super) struct Password {
    user: String,
    path: PathBuf,
    read: OnceLock<Result<Secret, Error>>,
}

impl Password {
    pub(super) fn new(user: &str, path: &Path) -> Self {
        Self { user: user.to_owned(), path: path.to_owned(), read: OnceLock::new() }
    }
}

impl Source for Password {
    fn find(&self, _registry: &str, _repository: &str) -> Result<Vec<Found>, Error> {
        let password = self.read.get_or_init(|| file::first_line(&self.path)).clone()?;
        let proof = Proof::Password { user: self.user.clone(), password };
        Ok(vec![Found::Credentials(Credentials { proof, source: self.path.display().to_string() })])
    }
}
