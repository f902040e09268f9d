//! Why the repository could not answer.
use crate::tree::{self, ObjectId};
use std::path::{Path, PathBuf};

/// Why the repository could not answer; each is "cannot tell", never "nothing to check".
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no repository here, or one of its object directories cannot be opened.
    #[error("cannot open the repository {}: {reason}", path.display())]
    Open {
        /// What was to be opened.
        path: PathBuf,
        /// Why it was not.
        reason: String,
    },
    /// The object is in none of the object directories: the push is incomplete, or the repository is damaged.
    #[error("the object {id} is missing from the repository")]
    MissingObject {
        /// The object.
        id: ObjectId,
    },
    /// It is there, but damaged, or the file system failed.
    #[error("cannot read {what}: {reason}")]
    Unreadable {
        /// An object or a ref.
        what: String,
        /// Why.
        reason: String,
    },
    /// What the user gave as a revision names no object.
    #[error("there is no revision {revision:?}: {reason}")]
    Revision {
        /// As it was given.
        revision: String,
        /// Why.
        reason: String,
    },
}

impl Error {
    pub(super) fn open(path: &Path, reason: impl Into<String>) -> Self {
        Self::Open { path: path.to_owned(), reason: reason.into() }
    }

    pub(super) fn unreadable(what: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Unreadable { what: what.into(), reason: reason.into() }
    }

    pub(super) fn damaged(id: &gix::oid, reason: impl Into<String>) -> Self {
        Self::unreadable(format!("the object {id}"), reason)
    }
}

/// All of gix's chain of causes, on one line.
pub(super) fn causes(error: &gix::Error) -> String {
    // Not `{error:#}`, which spells some of them out for developers, over several lines.
    let mut messages: Vec<String> = error.iter_errors().map(|cause| cause.to_string().replace('\n', " ")).collect();
    messages.dedup();
    messages.join(": ")
}

impl From<Error> for tree::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Unreadable { what, reason } => Self { what, reason },
            Error::MissingObject { id } => {
                Self { what: format!("the object {id}"), reason: "it is missing from the repository".into() }
            }
            Error::Open { .. } | Error::Revision { .. } => {
                Self { what: "the repository".into(), reason: error.to_string() }
            }
        }
    }
}
