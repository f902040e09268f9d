//! Small repositories made by git, and what is asked of them again and again.
use crate::git_command::git;
use pullgate::tree::{Content, Entry, ObjectId, RepoPath, Tree};
use std::{fs, path::Path};
use tempfile::TempDir;

/// From hexadecimal digits.
pub(super) fn id(hex: &str) -> ObjectId {
    ObjectId::from_hex(hex.as_bytes()).expect("git prints object ids")
}

/// What git says that `revision` is.
pub(super) fn rev(dir: &Path, revision: &str) -> ObjectId {
    id(&git(dir).args(["rev-parse", "--verify", revision]).output())
}

/// An empty folder.
pub(super) fn folder() -> TempDir {
    TempDir::new().expect("the folder for temporary files is writable")
}

/// A working tree with one commit on `main`: `a.yaml` and `dir/b.yaml`.
pub(super) fn work_tree() -> TempDir {
    let dir = folder();
    git(dir.path()).args(["init", "-q"]).ok();
    commit(dir.path(), &[("a.yaml", "a: 1\n"), ("dir/b.yaml", "b: 1\n")]);
    dir
}

/// Writes the file, and the directories above it.
pub(super) fn write(path: &Path, content: impl AsRef<[u8]>) {
    fs::create_dir_all(path.parent().expect("the file is in a folder")).expect("the folder is writable");
    fs::write(path, content).expect("the file is writable");
}

/// Commits the files on top of `HEAD`.
pub(super) fn commit(dir: &Path, files: &[(&str, &str)]) -> ObjectId {
    for (path, content) in files {
        write(&dir.join(path), content);
    }
    git(dir).args(["add", "-A"]).ok();
    git(dir).args(["commit", "-q", "--allow-empty", "-m", "a commit"]).ok();
    rev(dir, "HEAD")
}

/// The content of the file at `path`.
pub(super) fn text(tree: &impl Tree, path: &str) -> String {
    let entry = tree.lookup(&RepoPath::new(path)).expect("the tree is readable");
    let Entry::File(id) = entry else { panic!("{path} is {entry:?}") };
    let content = tree.read(&id, 1 << 20).expect("the file is readable");
    let Content::Bytes(bytes) = content else { panic!("{path} is {content:?}") };
    String::from_utf8(bytes).expect("the file is text")
}
