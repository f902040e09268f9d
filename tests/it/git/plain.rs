//! A repository at rest: found from a folder inside, revisions, trees, tags and their entries.
use super::fixture::{assert_same_tree, commit, folder, id, loose_object, path_of, rev, text, work_tree, write};
use crate::git_command::git;
use pullgate::{
    git::{Environment, Error, Repository},
    tree::{Content, Entry, ObjectId, RepoPath, Tree},
};
use std::{fs, os::unix::fs::symlink, path::Path};

#[test]
fn a_commit_is_read_from_inside_its_working_tree() {
    let dir = work_tree();
    let head = rev(dir.path(), "HEAD");
    let repository = Repository::open(&dir.path().join("dir")).unwrap();
    let tree = repository.tree(&head).unwrap().unwrap();
    assert_eq!(text(&tree, "dir/b.yaml"), "b: 1\n");
    assert_eq!(tree.id(), rev(dir.path(), "HEAD^{tree}"));
    let hook = Environment { git_dir: dir.path().join(".git"), object_directory: None, alternates: None };
    assert_eq!(Repository::open_in_hook(&hook).unwrap().commit(&head).unwrap(), Some(head));
}

#[test]
fn a_linked_working_tree_reads_the_objects_of_its_repository() {
    let dir = work_tree();
    let linked = folder();
    git(dir.path()).args(["worktree", "add", "-q", "-b", "other"]).args([linked.path().join("w")]).ok();
    let head = commit(&linked.path().join("w"), &[("new.yaml", "new: 1\n")]);
    let repository = Repository::open(&linked.path().join("w")).unwrap();
    assert_eq!(repository.resolve("HEAD").unwrap(), head);
    assert_same_tree(&repository.tree(&head).unwrap().unwrap(), dir.path(), "other");
}

#[test]
fn a_folder_outside_any_repository_cannot_be_opened() {
    assert!(matches!(Repository::open(folder().path()), Err(Error::Open { .. })));
}

#[test]
fn revisions_are_what_git_takes_them_for() {
    let dir = work_tree();
    for number in 2..6 {
        commit(dir.path(), &[("a.yaml", &format!("a: {number}\n"))]);
    }
    git(dir.path()).args(["tag", "-a", "-m", "release", "v1", "HEAD~2"]).ok();
    let short = &rev(dir.path(), "HEAD").to_string()[..9];
    let repository = Repository::open(dir.path()).unwrap();
    for revision in ["HEAD", "main", "HEAD~3", "v1", "v1^{commit}", "HEAD^{tree}", "HEAD:dir/b.yaml", "@", short] {
        assert_eq!(repository.resolve(revision).unwrap(), rev(dir.path(), revision), "{revision}");
    }
    for revision in ["", "nowhere", "HEAD~99", "-n", "0000000000000000000000000000000000000000000000"] {
        assert!(matches!(repository.resolve(revision), Err(Error::Revision { .. })), "{revision}");
    }
}

#[test]
fn trees_with_odd_names_symlinks_and_submodules_are_listed_as_git_lists_them() {
    let dir = work_tree();
    let odd: [&[u8]; 10] = [
        b"n\xff.yaml",
        b"new\nline",
        b"tab\t",
        b"\x1b[31m",
        b"a",
        b"a.b",
        b"a-",
        b"dir/a/b/c",
        b"\"q\"",
        "ä".as_bytes(),
    ];
    for name in odd {
        write(&dir.path().join(path_of(name)), name);
    }
    // In git's order, the directory `x` comes after `x.` and before `x0`.
    for name in ["x/file", "x.", "x0", "x-"] {
        write(&dir.path().join(name), name);
    }
    symlink("dir/b.yaml", dir.path().join("link")).unwrap();
    symlink("nowhere", dir.path().join("dir/dangling")).unwrap();
    let head = rev(dir.path(), "HEAD");
    git(dir.path()).args(["add", "-A"]).ok();
    git(dir.path()).args(["update-index", "--add", "--chmod=+x", "a"]).ok();
    git(dir.path()).args(["update-index", "--add", "--cacheinfo"]).args([format!("160000,{head},module")]).ok();
    git(dir.path()).args(["commit", "-q", "-m", "odd"]).ok();

    let repository = Repository::open(dir.path()).unwrap();
    let tree = repository.tree(&rev(dir.path(), "HEAD")).unwrap().unwrap();
    assert_same_tree(&tree, dir.path(), "HEAD");
    let at = |path: &str| tree.lookup(&RepoPath::new(path)).unwrap();
    assert_eq!(at("module"), Entry::Submodule(head));
    assert_eq!(at("module/file"), Entry::Absent);
    assert_eq!(at("link/file"), Entry::Absent);
    assert_eq!(at("a.yaml/file"), Entry::Absent);
    assert_eq!(at("di"), Entry::Absent);
    assert_eq!(at(""), Entry::Directory(tree.id()));
    assert!(matches!(at("link"), Entry::Symlink(_)));
}

#[test]
fn tags_lead_to_commits_trees_or_nothing_that_deploys() {
    let dir = work_tree();
    let tag = |name: &str, target: &str| {
        git(dir.path()).args(["tag", "-a", "-m", "a tag", name, target]).ok();
        rev(dir.path(), name)
    };
    let head = rev(dir.path(), "HEAD");
    let repository = Repository::open(dir.path()).unwrap();
    let tree_of = |id: &ObjectId| repository.tree(id).unwrap().map(|tree| tree.id());
    let root = rev(dir.path(), "HEAD^{tree}");

    for leads_to_commit in [head, tag("v1", "HEAD"), tag("of-tag", "v1")] {
        assert_eq!(repository.commit(&leads_to_commit).unwrap(), Some(head));
        assert_eq!(tree_of(&leads_to_commit), Some(root));
    }
    for leads_to_tree in [root, tag("tree", "HEAD^{tree}")] {
        assert_eq!(repository.commit(&leads_to_tree).unwrap(), None);
        assert_eq!(tree_of(&leads_to_tree), Some(root));
    }
    for leads_to_file in [rev(dir.path(), "HEAD:a.yaml"), tag("file", "HEAD:a.yaml"), tag("file-2", "file")] {
        assert_eq!(repository.commit(&leads_to_file).unwrap(), None);
        assert_eq!(tree_of(&leads_to_file), None);
    }
    let mut last = String::from("v1");
    for depth in 2..=11 {
        let next = format!("depth-{depth}");
        let id = tag(&next, &last);
        assert_eq!(repository.tree(&id).is_ok(), depth <= 10, "{depth}");
        last = next;
    }
}

#[test]
fn sha256_repositories_are_read_and_ids_of_the_other_length_are_missing() {
    let dir = folder();
    git(dir.path()).args(["init", "-q", "--object-format=sha256"]).ok();
    let head = commit(dir.path(), &[("a.yaml", "a: 1\n"), ("dir/b.yaml", "b: 1\n")]);
    assert_eq!(head.as_bytes().len(), 32);
    let repository = Repository::open(dir.path()).unwrap();
    assert_eq!(repository.resolve("HEAD").unwrap(), head);
    assert_same_tree(&repository.tree(&head).unwrap().unwrap(), dir.path(), "HEAD");
    let sha1 = id(&"1".repeat(40));
    assert!(matches!(repository.tree(&sha1), Err(Error::MissingObject { id }) if id == sha1));
    assert!(repository.base_of_new_ref(&sha1).is_err());
}

#[test]
fn a_file_past_the_limit_is_too_large_and_is_not_unpacked() {
    const SIZE: u64 = 6 << 20;
    let dir = work_tree();
    fs::File::create(dir.path().join("large")).unwrap().set_len(SIZE).unwrap();
    let head = commit(dir.path(), &[("small", "12345")]);
    let (large, small) = (rev(dir.path(), "HEAD:large"), rev(dir.path(), "HEAD:small"));
    let read = |id: &ObjectId, limit| {
        let repository = Repository::open(dir.path()).unwrap();
        repository.tree(&head).unwrap().unwrap().read(id, limit)
    };
    assert_eq!(read(&large, SIZE - 1).unwrap(), Content::TooLarge(SIZE));
    assert_eq!(read(&small, 4).unwrap(), Content::TooLarge(5));
    assert_eq!(read(&small, 5).unwrap(), Content::Bytes(b"12345".to_vec()));
    git(dir.path()).args(["repack", "-adq"]).ok();
    assert_eq!(read(&large, SIZE - 1).unwrap(), Content::TooLarge(SIZE));
    git(dir.path()).args(["unpack-objects", "-q"]).input(unpackable(dir.path())).ok();
    // The size still stands at the front of an object whose content cannot be unpacked any more.
    let path = loose_object(dir.path(), &large);
    let bytes = fs::read(&path).unwrap();
    fs::remove_file(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    assert_eq!(read(&large, SIZE - 1).unwrap(), Content::TooLarge(SIZE));
    assert!(read(&large, SIZE).is_err());
}

/// The repository's pack, taken out of it.
fn unpackable(dir: &Path) -> Vec<u8> {
    let packs = dir.join(".git/objects/pack");
    let files = fs::read_dir(&packs).expect("there are packs").map(|entry| entry.expect("it is readable").path());
    let files: Vec<_> = files.collect();
    let pack = files.iter().find(|path| path.extension().is_some_and(|end| end == "pack")).expect("there is a pack");
    let bytes = fs::read(pack).expect("the pack is readable");
    files.iter().for_each(|path| fs::remove_file(path).expect("the folder is writable"));
    bytes
}

#[test]
fn what_is_read_as_a_file_or_directory_must_be_one() {
    let dir = work_tree();
    let repository = Repository::open(dir.path()).unwrap();
    let tree = repository.tree(&rev(dir.path(), "HEAD")).unwrap().unwrap();
    assert!(tree.read(&rev(dir.path(), "HEAD^{tree}"), 1 << 20).is_err());
    assert!(tree.list(&rev(dir.path(), "HEAD:a.yaml")).is_err());
}

#[test]
fn trees_that_readers_would_read_differently_are_errors() {
    let dir = work_tree();
    let file = rev(dir.path(), "HEAD:a.yaml");
    let repository = Repository::open(dir.path()).unwrap();
    let forged: [&[&str]; 5] = [&["a", "a"], &["a/b"], &[""], &["."], &["..", "a"]];
    for names in forged {
        let entries: Vec<u8> =
            names.iter().flat_map(|name| [b"100644 ", name.as_bytes(), b"\0", file.as_bytes()].concat()).collect();
        let hash = git(dir.path()).args(["hash-object", "-w", "-t", "tree", "--literally", "--stdin"]).input(entries);
        let forged = id(&hash.output());
        let tree = repository.tree(&forged).unwrap().unwrap();
        assert!(tree.list(&forged).is_err(), "{names:?}");
        assert!(tree.lookup(&RepoPath::new("b")).is_err(), "{names:?}");
    }
}

#[test]
fn the_empty_tree_needs_no_object() {
    let dir = folder();
    git(dir.path()).args(["init", "-q"]).ok();
    let empty = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";
    let head = id(&git(dir.path()).args(["commit-tree", "-m", "nothing", empty]).output());
    let repository = Repository::open(dir.path()).unwrap();
    let tree = repository.tree(&head).unwrap().unwrap();
    assert_eq!(tree.list(&tree.id()).unwrap(), []);
    assert!(repository.tree(&id(empty)).unwrap().is_some());
}

#[test]
fn replace_refs_hide_nothing() {
    let dir = work_tree();
    let (good, bad) = (rev(dir.path(), "HEAD"), commit(dir.path(), &[("a.yaml", "a: 2\n")]));
    git(dir.path()).args(["replace"]).args([bad.to_string(), good.to_string()]).ok();
    let repository = Repository::open(dir.path()).unwrap();
    assert_eq!(text(&repository.tree(&bad).unwrap().unwrap(), "a.yaml"), "a: 2\n");
}
