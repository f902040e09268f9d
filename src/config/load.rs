//! Which file is the configuration, and reading it.
use super::{Config, file::File};
use std::{
    fs::{self, Metadata},
    io::{self, Read},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

/// Where the administrator's configuration lies if nothing else is said.
pub const SYSTEM_FILE: &str = "/etc/pullgate/config.toml";

/// A repository's own configuration, in its git directory: the administrator's too, because nothing pushed lands there.
const REPOSITORY_FILE: &str = "pullgate.toml";

/// Where to look for a configuration.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// `--config`: this file and no other.
    pub named: Option<PathBuf>,
    /// The git directory of the repository.
    pub repository: Option<PathBuf>,
}

/// Whose environment it is that we run in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Caller {
    /// The pusher's or the platform's: it says nothing about credentials.
    Hook,
    /// That of a person or of CI, whose credentials are meant to be used.
    User,
}

/// Why there is no configuration: always for the administrator, never for who pushes.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file is there, or was named, and cannot be read.
    #[error("cannot read {path}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Whoever can write it decides what is pushed.
    #[error("{path} may be written by others than its owner, so it is not used: chmod go-w {path}")]
    Writable {
        /// The file.
        path: PathBuf,
    },
    /// It says something that is not understood.
    #[error("{path}: {reason}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What, with line and column where they are known.
        reason: String,
    },
}

impl Search {
    /// Loads the first file that is there: the named one, the repository's own, the system's; without any, the defaults.
    /// As a hook must: of the environment only proxies and certificates count.
    pub fn load(&self) -> Result<Config, Error> {
        self.load_for(Caller::Hook)
    }

    /// The same for a command that a person or CI runs: their docker and podman credentials count, unless the
    /// configuration has `docker-config`, and so does their `PATH` for credential helpers.
    pub fn load_with_user(&self) -> Result<Config, Error> {
        self.load_for(Caller::User)
    }

    fn load_for(&self, caller: Caller) -> Result<Config, Error> {
        let repository = self.repository.as_ref().map(|directory| directory.join(REPOSITORY_FILE));
        let system = PathBuf::from(SYSTEM_FILE);
        let found = match (&self.named, repository) {
            (Some(named), _) => Some(named.clone()),
            (None, Some(own)) if exists(&own)? => Some(own),
            (None, _) => exists(&system)?.then_some(system),
        };
        let Some(path) = found else { return Config::new(&File::default(), Path::new(""), caller) };
        let table = read(&path)?;
        let file = interpret(&path, table.clone())?;
        let Some(base) = &file.extends else { return Config::new(&file, &path, caller) };
        let base_path = path.parent().unwrap_or(Path::new("")).join(base);
        let mut merged = read(&base_path)?;
        if interpret(&base_path, merged.clone())?.extends.is_some() {
            let reason = "a file that another one extends cannot itself extend".to_owned();
            return Err(Error::Malformed { path: base_path, reason });
        }
        overlay(&mut merged, table);
        Config::new(&interpret(&path, merged)?, &path, caller)
    }
}

/// A link to nowhere is there: it is a configuration that is broken, and not none.
fn exists(path: &Path) -> Result<bool, Error> {
    match path.symlink_metadata() {
        Ok(_) => Ok(true),
        Err(source) if source.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(source) => Err(Error::Unreadable { path: path.to_owned(), source }),
    }
}

/// The file as a table, once it is known to hold nothing but what we understand.
fn read(path: &Path) -> Result<toml::Table, Error> {
    let unreadable = |source| Error::Unreadable { path: path.to_owned(), source };
    let mut file = fs::File::open(path).map_err(unreadable)?;
    if is_writable_by_others(&file.metadata().map_err(unreadable)?) {
        return Err(Error::Writable { path: path.to_owned() });
    }
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(unreadable)?;
    // Typed first, because only then does an error know its line.
    toml::from_str::<File>(&text).map_err(|error| malformed(path, &text, &error))?;
    toml::from_str(&text).map_err(|error| malformed(path, &text, &error))
}

/// By everybody, or by a group that is not the owner's own: where each user has a group of the same number (and root
/// has), files are often made with a umask of 002, and nobody else is in it.
fn is_writable_by_others(file: &Metadata) -> bool {
    let is_own_group = file.gid() == file.uid() || file.gid() == 0;
    file.mode() & 0o002 != 0 || (file.mode() & 0o020 != 0 && !is_own_group)
}

fn interpret(path: &Path, table: toml::Table) -> Result<File, Error> {
    table.try_into().map_err(|error: toml::de::Error| malformed(path, "", &error))
}

fn malformed(path: &Path, text: &str, error: &toml::de::Error) -> Error {
    let line = error.span().and_then(|span| text.get(..span.start)).map(|before| before.matches('\n').count() + 1);
    let line = line.map_or_else(String::new, |line| format!("line {line}: "));
    Error::Malformed { path: path.to_owned(), reason: format!("{line}{}", error.message()) }
}

/// Puts `over` onto `base`, table by table.
fn overlay(base: &mut toml::Table, over: toml::Table) {
    for (key, value) in over {
        match (base.get_mut(&key), value) {
            (Some(toml::Value::Table(below)), toml::Value::Table(above)) => overlay(below, above),
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}
