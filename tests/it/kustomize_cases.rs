//! kustomize as the oracle: cases as data, each a tree of files and what the real tool made of it.
//!
//! `PULLGATE_CASES=DIR` runs the cases in another directory instead of `tests/cases/kustomize`.
use crate::map_tree::MapTree;
use pullgate::{
    image::Place,
    kustomize::{Build, Builder, Options, Overrides, Parsed},
    tree::RepoPath,
    yaml::{self, Kind, Node, resolve},
};
use serde_json::Value;
use std::{
    cell::Cell,
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// What is compared: nothing for what is not built.
#[derive(Debug, PartialEq)]
enum Outcome {
    /// kustomize refuses to build it.
    Refused,
    /// The images, sorted, duplicates kept.
    Images(Vec<String>),
}

#[test]
fn every_case_gives_what_kustomize_built() {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/kustomize");
    let named = std::env::vars_os().find(|(name, _)| name == "PULLGATE_CASES").map(|(_, path)| PathBuf::from(path));
    let paths = cases(&named.unwrap_or(own));
    let mut differing = 0;
    for path in &paths {
        let text = fs::read_to_string(path).expect("a case is text");
        let case: Value = serde_json::from_str(&text).expect("a case is JSON");
        let (expected, found) = (expected(&case), found(&case));
        if expected != found.0 {
            differing += 1;
            println!("differs: {}", case["id"].as_str().unwrap_or_default());
            println!("  expected {expected:?}\n  found    {:?}\n  {}", found.0, found.1);
        }
    }
    println!("{} cases, {differing} differ", paths.len());
    assert!(!paths.is_empty() && differing == 0, "{differing} cases differ");
}

fn cases(directory: &Path) -> Vec<PathBuf> {
    let entries =
        fs::read_dir(directory).expect("the cases are there").map(|entry| entry.expect("it is readable").path());
    let mut paths: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|e| e == "json")).collect();
    paths.sort();
    paths
}

fn expected(case: &Value) -> Outcome {
    let expect = &case["expect"];
    match expect["images"].as_array() {
        Some(images) => {
            let images = images.iter().filter_map(Value::as_str).filter(|image| !image.is_empty());
            let mut images: Vec<String> = images.map(str::to_owned).collect();
            images.sort();
            Outcome::Images(images)
        }
        None => Outcome::Refused,
    }
}

fn found(case: &Value) -> (Outcome, String) {
    let pairs = |key: &str| case[key].as_object().cloned().unwrap_or_default();
    let (files, links) = (pairs("files"), pairs("symlinks"));
    let tree = MapTree::new(files.iter().map(text), links.iter().map(text));
    let (parsed, left) = (Parsed::default(), Cell::new(50_000_000));
    let root = case["root"].as_str().map(|root| flux(root, files[root].as_str().expect("contents are text")));
    let argo = case["argocd"]["kustomize"]["images"].as_array().map(|images| argo(images));
    let (path, overrides) = match (root, argo) {
        (Some((path, overrides)), _) => (Some(path), Some(overrides)),
        (None, Some(Err(image))) => return (Outcome::Refused, image),
        (None, argo) => (None, argo.and_then(Result::ok)),
    };
    let target = path.as_deref().or(case["target"].as_str()).unwrap_or(".");
    let target = target.trim_start_matches("./").trim_end_matches('/');
    let target = RepoPath::new(if target == "." { "" } else { target });
    let options = Options { root_only: case["loadRestrictor"] != "none", is_plain: true };
    let builder = Builder::new(&tree, &parsed, options, &left);
    let build = builder.build_with(&target, overrides.as_ref()).expect("a map can be read");
    let said = build.notices.iter().map(|notice| format!("{}: {}", notice.place, notice.message));
    let said = said.collect::<Vec<_>>().join("; ");
    if build.is_refused { (Outcome::Refused, said) } else { (Outcome::Images(images(&build)), said) }
}

/// The path and the images of a Flux Kustomization.
fn flux(file: &str, text: &str) -> (String, Overrides) {
    let stream = yaml::parse(text.as_bytes(), &yaml::Limits::default());
    let spec = stream.documents[0].root().get("spec").expect("it has a spec");
    let images = spec.get("images").expect("the cases are about images");
    let overrides = Overrides::flux(&place(file), images).expect("the images are sound");
    (spec.get("path").and_then(Node::as_str).expect("it has a path").to_owned(), overrides)
}

/// The images of an Argo CD application; the one that Argo CD refuses.
fn argo(images: &[Value]) -> Result<Overrides, String> {
    let image = |image: &Value| (image.as_str().expect("images are text").to_owned(), place("application.yaml"));
    Overrides::argo(&images.iter().map(image).collect::<Vec<_>>())
}

fn place(file: &str) -> Place {
    Place { path: RepoPath::new(file), line: 1, column: 1 }
}

fn text<'c>((path, content): (&'c String, &'c Value)) -> (&'c str, &'c str) {
    (path, content.as_str().expect("contents are text"))
}

fn images(build: &Build) -> Vec<String> {
    let mut images = Vec::new();
    for object in &build.objects {
        collect(object.document.root(), &mut images);
    }
    images.sort();
    images
}

/// The images of containers and volumes, at any depth.
fn collect(node: Node<'_>, images: &mut Vec<String>) {
    for (key, value) in node.entries() {
        let key = key.as_str().unwrap_or_default();
        if matches!(key, "containers" | "initContainers" | "ephemeralContainers") && value.kind() == Kind::Sequence {
            images.extend(value.items().filter_map(|item| image(item.get("image"))));
        }
        if key == "volumes" && value.kind() == Kind::Sequence {
            images.extend(value.items().filter_map(|item| image(item.get("image")?.get("reference"))));
        }
        collect(value, images);
    }
    node.items().for_each(|item| collect(item, images));
}

fn image(node: Option<Node<'_>>) -> Option<String> {
    let scalar = node?.scalar().filter(|scalar| resolve::core(*scalar) == resolve::Value::Str)?;
    (!scalar.text.is_empty()).then(|| scalar.text.to_owned())
}

/// Lines of one case in the place of lines of another: what comes of it is a result, a notice or a refusal, and soon.
#[test]
fn cases_that_are_torn_apart_and_mixed_are_built_or_refused() {
    let texts = cases(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/kustomize"));
    let read = |path: &PathBuf| serde_json::from_str::<Value>(&fs::read_to_string(path).expect("it is text"));
    let cases: Vec<Value> = texts.iter().map(|path| read(path).expect("a case is JSON")).collect();
    let lines: Vec<String> = cases
        .iter()
        .flat_map(|case| case["files"].as_object().into_iter().flatten())
        .flat_map(|file| text(file).1.lines().map(str::to_owned).collect::<Vec<_>>())
        .collect();
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut below = |limit: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % limit.max(1) as u64).expect("it is below the limit")
    };
    let started = Instant::now();
    for round in 0..2_000 {
        let files = cases[round % cases.len()]["files"].as_object().cloned().unwrap_or_default();
        let mut files: Vec<(String, String)> =
            files.iter().map(text).map(|(a, b)| (a.to_owned(), b.to_owned())).collect();
        for _ in 0..2 {
            let chosen = below(files.len());
            let mut torn: Vec<&str> = files[chosen].1.lines().collect();
            let at = below(torn.len());
            match below(3) {
                0 => drop((!torn.is_empty()).then(|| torn.remove(at))),
                1 => torn.insert(at, &lines[below(lines.len())]),
                _ => drop(torn.get_mut(at).map(|line| *line = &lines[below(lines.len())])),
            }
            files[chosen].1 = torn.join("\n");
        }
        let tree = MapTree::new(files.iter().map(|(path, text)| (path.as_str(), text.as_str())), []);
        let (parsed, left) = (Parsed::default(), Cell::new(1_000_000));
        let build = Builder::new(&tree, &parsed, Options::default(), &left).build(&RepoPath::root());
        let build = build.expect("a map can be read");
        assert!(!build.is_refused || !build.notices.is_empty(), "{files:?} is refused without a word");
    }
    assert!(started.elapsed() < Duration::from_secs(120), "{:?}", started.elapsed());
}
