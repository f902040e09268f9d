//! A source: a token in a file, which the registry itself is shown.
use super::{
    Secret, file,
    source::{Credentials, Found, Proof, Source},
};
use crate::registry::error::Error;
use std::{
    path::{Path, PathBuf},
    sync::OnceLock,
};

/// The file of a token, read when it is first asked.
#[derive(Debug)]
pub(super) struct TokenFile {
    path: PathBuf,
    read: OnceLock<Result<Secret, Error>>,
}

impl TokenFile {
    pub(super) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), read: OnceLock::new() }
    }
}

impl Source for TokenFile {
    fn find(&self, _registry: &str, _repository: &str) -> Result<Vec<Found>, Error> {
        let token = self.read.get_or_init(|| file::first_line(&self.path)).clone()?;
        let source = self.path.display().to_string();
        Ok(vec![Found::Credentials(Credentials { proof: Proof::Registry(token), source })])
    }
}
