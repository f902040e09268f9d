//! What holds for every pair of trees, whatever is in them.
use super::changes;
use crate::map_tree::MapTree;
use proptest::{collection::btree_map, prelude::*, sample::select};
use pullgate::image::ImageUse;
use std::collections::BTreeMap;

/// Paths that name one another, and some that lead astray.
const PATHS: &[&str] = &[
    "kustomization.yaml",
    "app.yaml",
    "base/kustomization.yaml",
    "base/app.yaml",
    "base/Kustomization",
    "prod/kustomization.yaml",
    "prod/patch.yaml",
    "prod/more",
    "c/kustomization.yml",
    ".x/app.yaml",
];

const CONTENTS: &[&str] = &[
    "resources: [app.yaml]\n",
    "resources: [../base, more]\nimages: [{name: a, newName: r.io/a, newTag: '2'}]\n",
    "resources: [base, prod]\ncomponents: [c]\n",
    "kind: Component\nimages:\n- name: a\n  digest: sha256:00\n- {name: 'a|b(', newTag: x}\n",
    "resources: [..]\nbases: [.]\n",
    "resources: [../prod]\npatches: [{path: patch.yaml}]\nimages: [{name: a, newTag: 1.10}]\n",
    "resources: [app.yaml]\npatchesStrategicMerge: [patch.yaml]\nreplacements: [{path: more}]\n",
    "apiVersion: v1\nkind: Pod\nspec: {containers: [{name: x, image: a}, {image: 'r.io/b:1'}]}\n",
    "apiVersion: v1\nkind: List\nitems: &i\n- {apiVersion: v1, kind: Pod, spec: {containers: [{image: 'a:1@sha256:zz'}]}}\n- *i\n",
    "apiVersion: v1\nkind: Pod\nspec: {containers: [{image: [x]}, 7, null, {image: '${X}'}], volumes: [{image: {reference: c}}]}\n",
    "a: [\n---\napiVersion: v1\nkind: Pod\nspec: {containers: [{image: r.io/late:1}]}\n",
    "{{ if }}",
    "",
    "\u{feff}# nothing",
];

fn files() -> impl Strategy<Value = BTreeMap<&'static str, &'static str>> {
    btree_map(select(PATHS), select(CONTENTS), 0..8)
}

fn tree(files: &BTreeMap<&'static str, &'static str>) -> MapTree {
    MapTree::new(files.iter().map(|(path, text)| (*path, *text)), [("link.yaml", "base/app.yaml"), ("loop", "loop")])
}

proptest! {
    #[test]
    fn nothing_is_new_in_the_same_tree_and_what_is_new_is_there(old in files(), new in files()) {
        let (old, new) = (tree(&old), tree(&new));
        prop_assert!(changes(Some(&new), &new).uses.is_empty());
        let all: Vec<String> = changes(None, &new).uses.iter().map(ImageUse::pulled).collect();
        for image in changes(Some(&old), &new).uses {
            prop_assert!(all.contains(&image.pulled()), "{image:?} is new and not there");
        }
    }

    /// What the new tree deploys is either told as new, or was deployed by the old tree, or comes from a unit of which
    /// no file changed.
    #[test]
    fn nothing_new_goes_untold(old in files(), new in files()) {
        let told: Vec<String> = changes(Some(&tree(&old)), &tree(&new)).uses.iter().map(ImageUse::pulled).collect();
        let before: Vec<String> = changes(None, &tree(&old)).uses.iter().map(ImageUse::pulled).collect();
        for image in changes(None, &tree(&new)).uses {
            let files: Vec<String> = image.chain.iter().map(|link| link.place.path.to_string()).collect();
            let has_changed = files.iter().any(|path| old.get(path.as_str()) != new.get(path.as_str()));
            let pulled = image.pulled();
            prop_assert!(!has_changed || told.contains(&pulled) || before.contains(&pulled), "{image:?} goes untold");
        }
    }
}
