//! The object directories that gix does not find by itself: alternates of alternates with relative paths.
use super::error::{Error, causes};
use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

/// git's own limit (`link_alt_odb_entries`); what lies deeper, git does not see either.
const DEEPEST: usize = 5;

/// The alternates of the alternates of `objects`, in canonical form. gix takes every relative path in an
/// `info/alternates` as seen from `objects`; git, as seen from the directory that holds the file
/// (`gitrepository-layout`(5)). The two differ from the second level on, so these get a store of their own.
pub(super) fn nested(objects: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut found = Vec::new();
    let mut seen = BTreeSet::from([objects.to_owned()]);
    let mut level = listed(objects)?;
    for depth in 1..=DEEPEST {
        let mut next = Vec::new();
        for directory in level {
            if !seen.insert(directory.clone()) {
                continue;
            }
            next.extend(listed(&directory)?);
            if depth > 1 {
                found.push(directory);
            }
        }
        level = next;
    }
    Ok(found)
}

/// What `objects/info/alternates` lists. Like git, passes over what does not exist: an object that would have been there
/// is then missing, which is an error of its own.
fn listed(objects: &Path) -> Result<Vec<PathBuf>, Error> {
    let file = objects.join("info/alternates");
    let text = match fs::read(&file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::unreadable(file.display().to_string(), error.to_string())),
    };
    let entries = gix::odb::alternate::parse(&text)
        .map_err(|error| Error::unreadable(file.display().to_string(), causes(&error)))?;
    Ok(entries.iter().filter_map(|entry| objects.join(entry).canonicalize().ok()).collect())
}
