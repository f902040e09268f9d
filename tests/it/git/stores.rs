//! Where objects lie: alternates, and what is missing, damaged or moved while it is read.
use super::fixture::{assert_same_tree, commit, folder, loose_object, rev, text, work_tree, write};
use crate::git_command::git;
use pullgate::{
    git::{Environment, Error, Repository},
    tree::{Entry, ObjectId, Tree},
};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// A bare repository without objects of its own, at `place`, whose alternates are `alternates`.
fn borrower(place: &Path, head: &ObjectId, alternates: &[&str]) -> PathBuf {
    fs::create_dir_all(place).expect("the folder is writable");
    git(place).args(["init", "-q", "--bare"]).ok();
    write(&place.join("objects/info/alternates"), alternates.join("\n") + "\n");
    write(&place.join("refs/heads/main"), format!("{head}\n"));
    place.to_owned()
}

#[test]
fn relative_alternates_are_followed_as_git_follows_them() {
    let (dir, source) = (folder(), work_tree());
    let head = rev(source.path(), "HEAD");
    let pool = dir.path().join("pools/pool.git");
    git(dir.path()).args(["clone", "-q", "--bare"]).args([source.path(), &pool]).ok();
    let borrowed = borrower(&dir.path().join("mid/f.git"), &head, &["../../../pools/pool.git/objects"]);
    let nested = borrower(&dir.path().join("deep/x/g.git"), &head, &["../../../../mid/f.git/objects"]);
    let deeper = borrower(&dir.path().join("h.git"), &head, &["# nothing", "../../deep/x/g.git/objects"]);
    for place in [borrowed, nested, deeper] {
        let by_name = Repository::open(&place).unwrap();
        assert_same_tree(&by_name.tree(&head).unwrap().unwrap(), &place, "main");
        // As a hook sees a repository whose objects are all borrowed through what git names.
        let environment = Environment {
            git_dir: borrower(&dir.path().join("own.git"), &head, &[]),
            object_directory: None,
            alternates: Some(place.join("objects").into()),
        };
        let in_hook = Repository::open_in_hook(&environment).unwrap();
        assert_same_tree(&in_hook.tree(&head).unwrap().unwrap(), &place, "main");
    }
}

#[test]
fn an_alternate_that_does_not_exist_is_passed_over() {
    let dir = work_tree();
    let head = rev(dir.path(), "HEAD");
    write(&dir.path().join(".git/objects/info/alternates"), "/nowhere/objects\n../gone/objects\n");
    let hook = Environment {
        git_dir: dir.path().join(".git"),
        object_directory: None,
        alternates: Some("/nowhere/else/objects".into()),
    };
    assert_eq!(reached(&Repository::open_in_hook(&hook).unwrap(), &head), 4);
    let missing = rev(dir.path(), "HEAD:a.yaml");
    fs::remove_file(loose_object(dir.path(), &missing)).unwrap();
    assert_eq!(reached(&Repository::open_in_hook(&hook).unwrap(), &head), 3);
}

#[test]
fn alternates_in_a_circle_end_in_an_error() {
    let (dir, source) = (folder(), work_tree());
    let head = rev(source.path(), "HEAD");
    let places = ["a.git", "b.git"].map(|name| dir.path().join(name));
    borrower(&places[0], &head, &["../../b.git/objects"]);
    borrower(&places[1], &head, &["../../a.git/objects"]);
    assert!(Repository::open(&places[0]).is_err());
}

#[test]
fn a_missing_object_is_an_error_wherever_it_is_missed() {
    let dir = work_tree();
    let head = rev(dir.path(), "HEAD");
    for (gone, missed_in) in [("HEAD:a.yaml", 3), ("HEAD:dir", 2), ("HEAD^{tree}", 1), ("HEAD", 0)] {
        let id = rev(dir.path(), gone);
        fs::remove_file(loose_object(dir.path(), &id)).unwrap();
        let repository = Repository::open(dir.path()).unwrap();
        assert_eq!(reached(&repository, &head), missed_in, "{gone}");
    }
    let repository = Repository::open(dir.path()).unwrap();
    assert!(matches!(repository.tree(&head), Err(Error::MissingObject { id }) if id == head));
}

#[test]
fn a_damaged_object_is_an_error() {
    let dir = work_tree();
    let head = rev(dir.path(), "HEAD");
    for (damaged, missed_in) in [("HEAD:a.yaml", 3), ("HEAD:dir", 2), ("HEAD", 0)] {
        let path = loose_object(dir.path(), &rev(dir.path(), damaged));
        fs::remove_file(&path).unwrap();
        fs::write(&path, b"not zlib at all").unwrap();
        let repository = Repository::open(dir.path()).unwrap();
        assert_eq!(reached(&repository, &head), missed_in, "{damaged}");
    }
    let repository = Repository::open(dir.path()).unwrap();
    assert!(matches!(repository.tree(&head), Err(Error::Unreadable { .. })));
}

#[test]
fn a_damaged_pack_is_an_error() {
    let dir = work_tree();
    let head = rev(dir.path(), "HEAD");
    git(dir.path()).args(["repack", "-adq"]).ok();
    let packs = dir.path().join(".git/objects/pack");
    let pack = fs::read_dir(packs)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().unwrap() == "pack");
    let pack = pack.unwrap();
    let mut bytes = fs::read(&pack).unwrap();
    bytes[12..].fill(0x5a);
    fs::remove_file(&pack).unwrap();
    fs::write(&pack, bytes).unwrap();
    assert_eq!(reached(&Repository::open(dir.path()).unwrap(), &head), 0);
}

/// How far reading gets: 1 with a tree, 2 with its list, 3 with the list of `dir`, 4 with the file `a.yaml`.
fn reached(repository: &Repository, head: &ObjectId) -> usize {
    let Ok(Some(tree)) = repository.tree(head) else { return 0 };
    let Ok(entries) = tree.list(&tree.id()) else { return 1 };
    let id_of = |name: &[u8]| {
        let entry = entries.iter().find(|entry| entry.0 == name).expect("it is listed").1;
        let (Entry::File(id) | Entry::Directory(id)) = entry else { panic!("{entry:?}") };
        id
    };
    if tree.list(&id_of(b"dir")).is_err() {
        return 2;
    }
    if tree.read(&id_of(b"a.yaml"), 100).is_err() { 3 } else { 4 }
}

#[test]
fn a_repack_while_the_repository_is_open_is_survived() {
    let dir = work_tree();
    let commits: Vec<ObjectId> =
        (0..4).map(|number| commit(dir.path(), &[("a.yaml", &format!("a: {number}\n"))])).collect();
    let repository = Repository::open(dir.path()).unwrap();
    for (number, id) in commits.iter().enumerate() {
        // First from loose objects, then from a pack that was not there, then from one that replaced it.
        let tree = repository.tree(id).unwrap().unwrap();
        write(&dir.path().join("more"), number.to_string());
        git(dir.path()).args(["hash-object", "-w", "more"]).ok();
        git(dir.path()).args(["repack", "-adkq"]).ok();
        git(dir.path()).args(["prune-packed"]).ok();
        assert_eq!(text(&tree, "a.yaml"), format!("a: {number}\n"));
        assert_eq!(text(&tree, "dir/b.yaml"), "b: 1\n");
    }
}
