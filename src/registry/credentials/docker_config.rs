//! A source: docker's `config.json`, podman's `auth.json`, or a Kubernetes Secret that holds one.
use super::{
    entry::Entry,
    file,
    form::Contents,
    helper::Call,
    key::{Key, fitting},
    source::{Credentials, Found, Source},
};
use crate::registry::{error::Error, options::UserConfig};
use std::{
    path::{Path, PathBuf},
    sync::OnceLock,
};

/// A docker configuration, read when it is first asked.
#[derive(Debug)]
pub(super) struct DockerConfig {
    place: Place,
    read: OnceLock<Result<Contents, Error>>,
}

#[derive(Debug)]
enum Place {
    /// A file that must be there.
    Named(PathBuf),
    Searched(UserConfig),
}

impl DockerConfig {
    /// Of a file that the administrator named.
    pub(super) fn named(path: &Path) -> Self {
        Self { place: Place::Named(path.to_owned()), read: OnceLock::new() }
    }

    /// Of a place where there may be one.
    pub(super) fn searched(place: &UserConfig) -> Self {
        Self { place: Place::Searched(place.clone()), read: OnceLock::new() }
    }

    /// Whether there is a key for the registry: then who wrote it has listed the registry.
    pub(super) fn names(&self, registry: &str) -> Result<bool, Error> {
        let contents = self.contents()?;
        Ok(contents.auths.keys().chain(contents.helpers.keys()).any(|key| Key::parse(key).is_of(registry)))
    }

    fn contents(&self) -> Result<&Contents, Error> {
        self.read.get_or_init(|| self.load()).as_ref().map_err(Clone::clone)
    }

    fn load(&self) -> Result<Contents, Error> {
        let found = match &self.place {
            Place::Named(path) => file::read(path)?.ok_or_else(|| self.wrong("there is no such file"))?,
            Place::Searched(UserConfig::File(path)) => file::read(path)?.unwrap_or_default(),
            Place::Searched(UserConfig::Text { text, .. }) => text.expose().as_bytes().to_vec(),
        };
        Contents::read(&found).map_err(|reason| self.wrong(&reason))
    }

    fn name(&self) -> String {
        match &self.place {
            Place::Named(path) | Place::Searched(UserConfig::File(path)) => path.display().to_string(),
            Place::Searched(UserConfig::Text { variable, .. }) => variable.clone(),
        }
    }

    fn wrong(&self, reason: &str) -> Error {
        Error::Local(format!("cannot read {}: {reason}", self.name()))
    }

    fn call(&self, helper: &str, registry: &str) -> Result<Found, Error> {
        let call = Call::new(helper, registry);
        call.map(Found::Helper).ok_or_else(|| self.wrong("it has a credential helper whose name is not one"))
    }

    /// What an entry holds; `None` if its secret is elsewhere.
    fn credentials(&self, key: &str, entry: &Entry) -> Result<Option<Found>, Error> {
        let source = format!("{}, key \"{key}\"", self.name());
        match entry.proof() {
            Ok(proof) => Ok(proof.map(|proof| Found::Credentials(Credentials { proof, source }))),
            Err(_) => {
                let reason = "is neither user:password in base64 nor a token";
                Err(Error::Local(format!("the entry of {source} {reason}")))
            }
        }
    }
}

impl Source for DockerConfig {
    /// As docker does it: for a registry among `credHelpers` its helper alone is asked, for others `credsStore` before
    /// `auths`. Keys with a path, which docker does not know, come before what is for the whole registry.
    fn find(&self, registry: &str, repository: &str) -> Result<Vec<Found>, Error> {
        let contents = self.contents()?;
        if let Some((.., helper)) = fitting(&contents.helpers, registry, repository).first() {
            return Ok(vec![self.call(helper, registry)?]);
        }
        let (mut found, mut general) = (Vec::new(), Vec::new());
        for (fit, key, entry) in fitting(&contents.auths, registry, repository) {
            let part = if fit.is_narrow() { &mut found } else { &mut general };
            part.extend(self.credentials(key, entry)?);
        }
        if let Some(store) = &contents.store {
            found.push(self.call(store, registry)?);
        }
        found.append(&mut general);
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::{Credentials, DockerConfig, Found, Source, UserConfig};
    use crate::registry::credentials::{Secret, source::Proof};

    fn config(json: &str) -> DockerConfig {
        DockerConfig::searched(&UserConfig::Text { variable: "CONFIG".to_owned(), text: Secret::new(json) })
    }

    fn entry(key: &str, password: &str) -> String {
        format!("\"{key}\":{{\"username\":\"u\",\"password\":\"{password}\"}}")
    }

    /// Passwords, and helpers with whom they are asked for.
    fn found(config: &DockerConfig, registry: &str, repository: &str) -> Vec<String> {
        let show = |found| match found {
            Found::Credentials(Credentials { proof: Proof::Password { password, .. }, .. }) => {
                password.expose().to_owned()
            }
            Found::Helper(call) => format!("{call}"),
            Found::Credentials(other) => panic!("{other:?}"),
        };
        config.find(registry, repository).unwrap().into_iter().map(show).collect()
    }

    #[test]
    fn all_that_fit_are_found_the_longest_path_first() {
        let entries = [entry("quay.io", "host"), entry("quay.io/org", "org"), entry("quay.io/org/app", "app")];
        let config = config(&format!("{{\"auths\":{{{},\"ghcr.io\":{{}}}}}}", entries.join(",")));
        assert_eq!(found(&config, "quay.io", "org/app"), ["app", "org", "host"]);
        assert_eq!(found(&config, "quay.io", "org/app/sub"), ["app", "org", "host"]);
        assert_eq!(found(&config, "quay.io", "org/app2"), ["org", "host"]);
        assert_eq!(found(&config, "quay.io", "organ/app"), ["host"]);
        assert_eq!(found(&config, "quay.io:443", "organ/app"), ["host"]);
        assert_eq!(found(&config, "quay.io.evil.example", "org/app"), [""; 0]);
        assert_eq!(found(&config, "ghcr.io", "org/app"), [""; 0]);
        assert!(config.names("ghcr.io").unwrap() && config.names("quay.io:443").unwrap());
        assert!(!config.names("io").unwrap() && !config.names("quay.io.evil.example").unwrap());
    }

    #[test]
    fn a_helper_of_the_registry_is_asked_instead_of_the_file_and_the_store_before_it() {
        let auths = [entry("a.io", "a"), entry("b.io", "b"), entry("b.io/team", "team")].join(",");
        let helpers =
            "\"credHelpers\":{\"a.io\":\"one\",\"https://index.docker.io/v1/\":\"two\"},\"credsStore\":\"all\"";
        let config = config(&format!("{{\"auths\":{{{auths}}},{helpers}}}"));
        assert_eq!(found(&config, "a.io", "x"), ["docker-credential-one for a.io"]);
        assert_eq!(found(&config, "docker.io", "x"), ["docker-credential-two for https://index.docker.io/v1/"]);
        assert_eq!(found(&config, "b.io", "x"), ["docker-credential-all for b.io", "b"]);
        assert_eq!(found(&config, "b.io", "team/x"), ["team", "docker-credential-all for b.io", "b"]);
        // Asked for any registry, but who is asked about it at all is for the caller to say.
        assert!(config.names("a.io").unwrap() && !config.names("c.io").unwrap());
    }

    #[test]
    fn a_helper_has_no_path_for_a_name() {
        for name in ["../../tmp/x", "/bin/sh", "a b", "a\\nb"] {
            let config = config(&format!("{{\"credsStore\":\"{name}\"}}"));
            assert!(config.find("a.io", "x").unwrap_err().to_string().contains("name is not one"), "{name}");
        }
    }

    #[test]
    fn nothing_secret_is_shown() {
        let config = config(&format!("{{\"auths\":{{{}}}}}", entry("a.io", "hunter2")));
        let found = config.find("a.io", "x").unwrap();
        assert!(!format!("{config:?} {found:?}").contains("hunter2"));
        let [Found::Credentials(credentials)] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!(credentials.source, "CONFIG, key \"a.io\"");
    }

    #[test]
    fn a_bad_entry_is_named_where_it_is_needed_and_nowhere_else() {
        let config = config(&format!("{{\"auths\":{{\"b.io\":{{\"auth\":\"hunter2\"}},{}}}}}", entry("a.io", "a")));
        assert_eq!(found(&config, "a.io", "x"), ["a"]);
        let said = config.find("b.io", "x").unwrap_err().to_string();
        assert!(said.contains("CONFIG, key \"b.io\"") && !said.contains("hunter2"), "{said}");
    }

    #[test]
    fn a_file_that_is_searched_may_be_missing_and_one_that_is_named_may_not() {
        let path = std::path::Path::new("/nonexistent/config.json");
        assert!(DockerConfig::named(path).find("a.io", "x").unwrap_err().to_string().contains("/nonexistent/"));
        let searched = DockerConfig::searched(&UserConfig::File(path.to_owned()));
        assert!(searched.find("a.io", "x").unwrap().is_empty() && !searched.names("a.io").unwrap());
    }
}
