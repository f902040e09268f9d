//! Small repositories made by git, and what is asked of them again and again.
use crate::git_command::git;
use pullgate::{
    git::CommitTree,
    tree::{Content, Entry, ObjectId, RepoPath, Tree},
};
use std::{
    ffi::OsStr,
    fs,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};
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

/// Where the object lies in a working tree's repository as long as it is not packed.
pub(super) fn loose_object(dir: &Path, id: &ObjectId) -> PathBuf {
    let hex = id.to_string();
    dir.join(".git/objects").join(&hex[..2]).join(&hex[2..])
}

/// The content of the file at `path`.
pub(super) fn text(tree: &impl Tree, path: &str) -> String {
    let entry = tree.lookup(&RepoPath::new(path)).expect("the tree is readable");
    let Entry::File(id) = entry else { panic!("{path} is {entry:?}") };
    let content = tree.read(&id, 1 << 20).expect("the file is readable");
    let Content::Bytes(bytes) = content else { panic!("{path} is {content:?}") };
    String::from_utf8(bytes).expect("the file is text")
}

/// A path of any bytes.
pub(super) fn path_of(bytes: &[u8]) -> PathBuf {
    OsStr::from_bytes(bytes).into()
}

/// Everything in the tree, in git's order, as `git ls-tree -r -t` lists it.
pub(super) fn listing(tree: &impl Tree, root: &ObjectId) -> Vec<(RepoPath, Entry)> {
    let mut found = Vec::new();
    walk(tree, &RepoPath::root(), root, &mut found);
    found
}

fn walk(tree: &impl Tree, directory: &RepoPath, id: &ObjectId, found: &mut Vec<(RepoPath, Entry)>) {
    for (name, entry) in tree.list(id).expect("the directory is readable") {
        let path = directory.join(name);
        found.push((path.clone(), entry));
        if let Entry::Directory(id) = entry {
            walk(tree, &path, &id, found);
        }
    }
}

/// What git lists for `revision` in `dir`.
pub(super) fn listing_by_git(dir: &Path, revision: &str) -> Vec<(RepoPath, Entry)> {
    let listed = git(dir).args(["ls-tree", "-r", "-t", "-z", "--full-tree", revision]).bytes();
    listed.split(|&b| b == 0).filter(|line| !line.is_empty()).map(listed_entry).collect()
}

fn listed_entry(line: &[u8]) -> (RepoPath, Entry) {
    let tab = line.iter().position(|&b| b == b'\t').expect("a tab stands before the path");
    let fields: Vec<&[u8]> = line[..tab].split(|&b| b == b' ').collect();
    let id = ObjectId::from_hex(fields[2]).expect("git prints object ids");
    let entry = match fields[0] {
        b"040000" => Entry::Directory(id),
        b"120000" => Entry::Symlink(id),
        b"160000" => Entry::Submodule(id),
        _ => Entry::File(id),
    };
    (RepoPath::new(&line[tab + 1..]), entry)
}

/// Holds the tree against what git, in `dir`, reads at `revision`: every entry by listing and by look-up, every file.
pub(super) fn assert_same_tree(tree: &CommitTree<'_>, dir: &Path, revision: &str) {
    let expected = listing_by_git(dir, revision);
    assert_eq!(listing(tree, &tree.id()), expected);
    for (path, entry) in expected {
        assert_eq!(tree.lookup(&path).expect("the tree is readable"), entry, "{path}");
        if let Entry::File(id) | Entry::Symlink(id) = entry {
            let bytes = git(dir).args(["cat-file", "blob", &id.to_string()]).bytes();
            assert_eq!(tree.read(&id, u64::MAX).expect("the file is readable"), Content::Bytes(bytes), "{path}");
        }
    }
}
