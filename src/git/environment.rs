//! What git tells a hook through its environment: the repository, and where the pushed objects wait.
use gix::bstr::{BStr, ByteSlice};
use std::{
    env,
    ffi::{OsStr, OsString},
    os::unix::ffi::{OsStrExt, OsStringExt},
    path::PathBuf,
};

/// The repository; git sets it to `.` for a pre-receive hook, Gitaly to an absolute path.
pub(super) const GIT_DIR: &str = "GIT_DIR";
/// Where the pushed objects wait. Not set when a push only deletes.
pub(super) const GIT_OBJECT_DIRECTORY: &str = "GIT_OBJECT_DIRECTORY";
/// Where the other objects are: the repository's own, and what was named before. Separated by `:`; an entry that
/// contains one is quoted as in C.
pub(super) const GIT_ALTERNATE_OBJECT_DIRECTORIES: &str = "GIT_ALTERNATE_OBJECT_DIRECTORIES";

/// What git tells a hook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Environment {
    /// The repository's directory (`GIT_DIR`).
    pub git_dir: PathBuf,
    /// The quarantine (`GIT_OBJECT_DIRECTORY`).
    pub object_directory: Option<PathBuf>,
    /// More object directories (`GIT_ALTERNATE_OBJECT_DIRECTORIES`), as git writes them.
    pub alternates: Option<OsString>,
}

impl Environment {
    /// Of this process, as git sets it for its hooks; the repository is the current directory unless `GIT_DIR` says
    /// otherwise.
    #[expect(clippy::disallowed_methods, reason = "git names the quarantine in the environment and nowhere else")]
    pub fn from_process() -> Self {
        let present = |name| env::var_os(name).filter(|value| !value.is_empty());
        Self {
            git_dir: present(GIT_DIR).map_or_else(|| PathBuf::from("."), PathBuf::from),
            object_directory: present(GIT_OBJECT_DIRECTORY).map(PathBuf::from),
            alternates: present(GIT_ALTERNATE_OBJECT_DIRECTORIES),
        }
    }

    /// The directories that `alternates` lists, read as git reads them.
    pub(super) fn alternate_directories(&self) -> Vec<PathBuf> {
        let mut rest = self.alternates.as_deref().unwrap_or(OsStr::new("")).as_bytes().as_bstr();
        let mut directories = Vec::new();
        while !rest.is_empty() {
            let (entry, consumed) = first_entry(rest);
            if !entry.is_empty() && !entry.starts_with(b"#") {
                directories.push(PathBuf::from(OsString::from_vec(entry)));
            }
            rest = rest[consumed..].strip_prefix(b":").unwrap_or(&rest[consumed..]).as_bstr();
        }
        directories
    }
}

/// The first entry and how many bytes it takes. Like git, what looks quoted but is not is taken as it stands.
fn first_entry(list: &BStr) -> (Vec<u8>, usize) {
    if list.starts_with(b"\"")
        && let Ok((entry, consumed)) = gix::quote::ansi_c::undo(list)
    {
        return (entry.into_owned().into(), consumed);
    }
    let end = list.find_byte(b':').unwrap_or(list.len());
    (list[..end].to_vec(), end)
}

#[cfg(test)]
mod tests {
    use super::Environment;
    use std::path::PathBuf;

    fn directories(list: &str) -> Vec<String> {
        let environment =
            Environment { git_dir: PathBuf::new(), object_directory: None, alternates: Some(list.into()) };
        environment.alternate_directories().iter().map(|path| path.to_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn alternates_are_separated_by_colons_and_quoted_as_in_c() {
        assert_eq!(directories("/a/objects:/b"), ["/a/objects", "/b"]);
        assert_eq!(directories(r#""/with\":\\ \303\244":/b"#), [r#"/with":\ ä"#, "/b"]);
        assert_eq!(directories(r#"/b:"/a:c""#), ["/b", "/a:c"]);
    }

    #[test]
    fn empty_entries_comments_and_broken_quotes_do_what_git_does() {
        assert_eq!(directories(""), [""; 0]);
        assert_eq!(directories(":/a::#no:/b:"), ["/a", "/b"]);
        assert_eq!(directories(r#""/open:/b"#), [r#""/open"#, "/b"]);
    }
}
