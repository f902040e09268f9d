//! A source: a program that keeps credentials, asked as docker asks it.
//! <https://github.com/docker/docker-credential-helpers#development>
use super::{
    key,
    process::{self, Ended},
    source::{Credentials, Found, Proof, Source},
};
use crate::registry::{
    error::Error,
    options::{Helpers, is_helper_name},
};
use serde::Deserialize;
use std::{
    fmt,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};
use tokio::time::Instant;

/// How a helper says that it knows nothing of a registry.
const NOT_FOUND: &str = "credentials not found in native keychain";

/// The helper that the configuration names for a registry.
#[derive(Debug)]
pub(super) struct Helper(String);

impl Helper {
    pub(super) fn new(name: &str) -> Self {
        Self(name.to_owned())
    }
}

impl Source for Helper {
    fn find(&self, registry: &str, _repository: &str) -> Result<Vec<Found>, Error> {
        let call = Call::new(&self.0, registry);
        let wrong = || Error::Local("a credential helper in the configuration has a name that is not one".to_owned());
        Ok(vec![Found::Helper(call.ok_or_else(wrong)?)])
    }
}

/// A question to a helper: the same for all repositories of a registry.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Call {
    program: String,
    server: String,
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} for {}", self.program, self.server)
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Answer {
    username: String,
    secret: String,
}

impl Call {
    /// `None` if the name is none of a helper.
    pub(super) fn new(name: &str, registry: &str) -> Option<Self> {
        let program = format!("docker-credential-{name}");
        is_helper_name(name).then(|| Self { program, server: key::server(registry) })
    }

    /// Runs the helper. Nothing that it writes is ever passed on: a helper in trouble may say a secret.
    pub(super) async fn ask(&self, helpers: &Helpers, deadline: Instant) -> Result<Option<Credentials>, Error> {
        let Some(program) = self.program(helpers) else {
            let folders: Vec<_> = helpers.folders.iter().map(|folder| folder.display().to_string()).collect();
            let folders = folders.join(", ");
            return Err(Error::Local(format!("no credentials from {self}: there is no such program in {folders}")));
        };
        let until = deadline.min(Instant::now() + helpers.timeout);
        match process::run(&program, &self.server, helpers, until).await {
            Ok(ended) => self.understand(&program, &ended),
            Err(failure) => Err(self.failed(&program, &failure.to_string())),
        }
    }

    fn understand(&self, program: &Path, ended: &Ended) -> Result<Option<Credentials>, Error> {
        if !ended.status.success() {
            return match ended.stdout.trim_ascii() == NOT_FOUND.as_bytes() {
                true => Ok(None),
                false => Err(self.failed(program, &ended.status.to_string())),
            };
        }
        let answer: Answer =
            serde_json::from_slice(&ended.stdout).map_err(|_| self.failed(program, "it printed no credentials"))?;
        match (answer.username.as_str(), answer.secret.as_str()) {
            ("", "") => Ok(None),
            (_, "") => Err(self.failed(program, "it printed no secret")),
            (user, secret) => Ok(Some(Credentials { proof: Proof::new(user, secret), source: self.program.clone() })),
        }
    }

    fn program(&self, helpers: &Helpers) -> Option<PathBuf> {
        let is_program =
            |path: &PathBuf| path.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0);
        helpers.folders.iter().map(|folder| folder.join(&self.program)).find(is_program)
    }

    /// With the whole path, because the administrator's shell may not look where we do.
    fn failed(&self, program: &Path, reason: &str) -> Error {
        let (server, program) = (&self.server, program.display());
        Error::Local(format!("no credentials from {self}: {reason} (\"echo {server} | {program} get\" shows more)"))
    }
}
