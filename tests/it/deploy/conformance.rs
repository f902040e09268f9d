//! kustomize as the oracle: what is called certain must be what `kustomize build` deploys.
use super::changes;
use crate::map_tree::MapTree;
use pullgate::image::Certainty;
use serde_json::Value;
use std::{fs, path::Path};

fn text<'c>((path, content): (&'c String, &'c Value)) -> (&'c str, &'c str) {
    (path, content.as_str().expect("contents are text"))
}

/// What came of one case.
#[derive(Debug, PartialEq)]
enum Outcome {
    /// The same images as kustomize, all of them certain, and nothing left to say.
    Exact,
    /// Not worked out, and said so.
    Said,
    /// Certain of something that kustomize does not deploy, or silent about what it does.
    Wrong(String),
}

/// Cases in which we see an image and kustomize gives none, or the other way round, and why that is as it should be.
const APART: &[(&str, &str)] = &[
    ("kind-crd-skipped", "the case counts a CustomResourceDefinition's containers, which no cluster pulls"),
    ("diamond-conflict", "kustomize refuses the same object twice; we do not compare objects"),
    ("obj-generate-name", "kustomize refuses an object without a name; kubectl takes it"),
    ("load-symlink-out", "kustomize refuses it unless it is told to look outside, as Flux tells it"),
    ("yaml-dup-key-res", "kustomize refuses a key that stands twice; clusters take the last"),
];

#[test]
fn what_is_certain_is_what_kustomize_builds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/kustomize");
    let mut exact = 0;
    let mut wrong = Vec::new();
    for entry in fs::read_dir(folder).expect("the cases are there") {
        let path = entry.expect("the cases are there").path();
        let case: Value =
            serde_json::from_str(&fs::read_to_string(&path).expect("a case is text")).expect("a case is JSON");
        let name = path.file_stem().expect("a case has a name").to_string_lossy().into_owned();
        // What Flux and Argo CD put on top is not part of the tree.
        let is_on_top = |tag: &Value| tag == "flux" || tag == "argocd";
        if case["tags"].as_array().is_some_and(|tags| tags.iter().any(is_on_top))
            || APART.iter().any(|(id, _)| *id == name)
        {
            continue;
        }
        match judge(&case) {
            Outcome::Exact => exact += 1,
            Outcome::Said => {}
            Outcome::Wrong(why) => wrong.push(format!("{name}: {why}")),
        }
    }
    assert!(wrong.is_empty(), "{}\n{} wrong, {exact} exact", wrong.join("\n"), wrong.len());
    assert!(exact >= 80, "only {exact} cases are worked out exactly");
}

fn judge(case: &Value) -> Outcome {
    let pairs = |key: &str| case[key].as_object().cloned().unwrap_or_default();
    let (files, links) = (pairs("files"), pairs("symlinks"));
    let tree = MapTree::new(files.iter().map(text), links.iter().map(text));
    let target = case["target"].as_str().unwrap_or(".").trim_start_matches("./").trim_end_matches('/');
    let unit = format!("kustomization {}", if target.is_empty() { "." } else { target });
    let found = changes(None, &tree);
    let certain = |image: &&pullgate::image::ImageUse| image.unit == unit && image.certainty == Certainty::Certain;
    let mut images: Vec<&str> = found.uses.iter().filter(certain).map(|image| image.reference.as_str()).collect();
    images.sort_unstable();
    images.dedup();
    let said = !found.notices.is_empty();
    let Some(expected) = case["expect"]["images"].as_array() else {
        // kustomize refuses to build it. We may not notice, but then we must not have made anything up.
        return if said || images.is_empty() {
            Outcome::Said
        } else {
            Outcome::Wrong(format!("builds {images:?}, kustomize does not: {}", case["expect"]["oracleMessage"]))
        };
    };
    let mut expected: Vec<&str> = expected.iter().filter_map(Value::as_str).filter(|image| !image.is_empty()).collect();
    expected.sort_unstable();
    expected.dedup();
    match (images == expected, said) {
        (true, _) => Outcome::Exact,
        (false, true) if images.iter().all(|image| expected.contains(image)) => Outcome::Said,
        _ => Outcome::Wrong(format!("{images:?} instead of {expected:?}, notices {:?}", found.notices)),
    }
}
