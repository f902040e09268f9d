//! A repository at rest: found from a folder inside, revisions, trees and their entries.
use super::fixture::{folder, text, work_tree};
use pullgate::{
    git::{Base, Environment, Error, Repository},
    tree::{Entry, RepoPath, Tree},
};

#[test]
fn a_commit_is_read_from_inside_its_working_tree() {
    let dir = work_tree();
    let repository = Repository::open(&dir.path().join("dir")).unwrap();
    let head = repository.resolve("HEAD").unwrap();
    let tree = repository.tree(&head).unwrap().unwrap();
    assert_eq!(text(&tree, "dir/b.yaml"), "b: 1\n");
    assert_eq!(tree.lookup(&RepoPath::new("dir/c.yaml")).unwrap(), Entry::Absent);
    assert_eq!(repository.base_of_new_ref(&head).unwrap(), Base::MergeBase(head));
    let hook = Environment { git_dir: dir.path().join(".git"), object_directory: None, alternates: None };
    assert_eq!(Repository::open_in_hook(&hook).unwrap().commit(&head).unwrap(), Some(head));
}

#[test]
fn a_folder_outside_any_repository_cannot_be_opened() {
    assert!(matches!(Repository::open(folder().path()), Err(Error::Open { .. })));
}
