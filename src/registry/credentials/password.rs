//! A source: a name in the configuration, and a password in a file.
use super::{
    Secret,
    source::{Credentials, Proof, Source},
};
use crate::registry::error::Error;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// A name and the file of its password.
#[derive(Debug)]
pub(super) struct Password {
    user: String,
    file: PathBuf,
}

impl Password {
    pub(super) fn new(user: &str, file: &Path) -> Self {
        Self { user: user.to_owned(), file: file.to_owned() }
    }
}

impl Source for Password {
    fn find(&self, _registry: &str, _repository: &str) -> Result<Option<Credentials>, Error> {
        let file = self.file.display();
        let text = fs::read_to_string(&self.file)
            .map_err(|error| Error::Local(format!("cannot read the password file {file}: {error}")))?;
        let password = text.lines().next().unwrap_or_default();
        if password.is_empty() {
            return Err(Error::Local(format!("the password file {file} has an empty first line")));
        }
        let proof = Proof::Password { user: self.user.clone(), password: Secret::new(password) };
        Ok(Some(Credentials { proof, source: file.to_string() }))
    }

    fn names(&self, _registry: &str) -> Result<bool, Error> {
        Ok(true)
    }
}
