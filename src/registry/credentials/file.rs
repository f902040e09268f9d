//! Files of credentials: read once, of bounded size, and only if not everybody could have written them.
use super::Secret;
use crate::registry::error::Error;
use std::{fs, io, io::Read, os::unix::fs::PermissionsExt, path::Path};

/// Kubernetes takes no larger secret.
const MAX: u64 = 1 << 20;

/// What is in the file; `None` if there is none. That a group may write it is allowed: with a umask of 002 that is how
/// files are made, and the group is the user's own.
pub(super) fn read(path: &Path) -> Result<Option<Vec<u8>>, Error> {
    let wrong = |reason: &dyn std::fmt::Display| Error::Local(format!("cannot read {}: {reason}", path.display()));
    // Before it is opened: a pipe would keep us waiting.
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(wrong(&error)),
    };
    if !metadata.is_file() {
        return Err(wrong(&"it is not a file"));
    }
    if metadata.permissions().mode() & 0o002 != 0 {
        let path = path.display();
        return Err(Error::Local(format!("{path} may be written by everybody, so it is not used: chmod o-w {path}")));
    }
    let mut content = Vec::new();
    let file = fs::File::open(path).map_err(|error| wrong(&error))?;
    file.take(MAX + 1).read_to_end(&mut content).map_err(|error| wrong(&error))?;
    if content.len() as u64 > MAX {
        return Err(wrong(&"it has more than 1 MiB"));
    }
    Ok(Some(content))
}

/// The first line of a file that must be there.
pub(super) fn first_line(path: &Path) -> Result<Secret, Error> {
    let wrong = |reason: &str| Error::Local(format!("cannot read {}: {reason}", path.display()));
    let content = read(path)?.ok_or_else(|| wrong("there is no such file"))?;
    let text = String::from_utf8(content).map_err(|_| wrong("it is not text"))?;
    match text.lines().next().unwrap_or_default() {
        "" => Err(wrong("its first line is empty")),
        line => Ok(Secret::new(line)),
    }
}
