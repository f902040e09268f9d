//! The plan of the house as a test: which module may name which, and which foreign crate may be named where.
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// From the top floor down. A module names only modules of lower floors.
const FLOORS: &[&[&str]] = &[
    &["main", "lib"],
    &["cli"],
    &["config"],
    &["lab"],
    &["gate"],
    &["deploy"],
    &["extract", "kustomize"],
    &["git", "registry", "report"],
    &["verdict", "yaml"],
    &["image", "push"],
    &["http", "tree"],
];

/// A foreign crate, and the only modules that may name it.
const TOUCHES: &[(&str, &[&str])] = &[
    ("anyhow", &["cli"]),
    ("axum", &["lab"]),
    ("base64", &["lab", "registry"]),
    ("clap", &["cli"]),
    ("gix", &["git"]),
    ("globset", &["config", "gate"]),
    ("granit_parser", &["yaml"]),
    ("hickory_resolver", &["http"]),
    ("http_body", &["lab"]),
    ("hyper", &["http"]),
    ("regex", &["kustomize"]),
    ("reqwest", &["http", "registry"]),
    ("rustix", &["registry"]),
    ("rustls", &["http", "lab"]),
    ("tempfile", &["cli", "lab"]),
    ("tokio", &["cli", "gate", "http", "lab", "registry"]),
    ("tokio_rustls", &["lab"]),
    ("toml", &["config", "http"]),
    ("tracing_subscriber", &["cli"]),
];

/// Rooms that are functions of what they are given, whatever floor they stand on.
const PURE: &[&str] = &["deploy", "extract", "image", "kustomize", "push", "report", "tree", "verdict", "yaml"];

/// What a pure room never names: the rooms and modules that read disks, networks and the environment.
const IMPURE: &[&str] =
    &["crate::git", "crate::http", "crate::registry", "std::env", "std::fs", "std::net", "std::process", "tokio"];

#[test]
fn the_house_stands() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let faults: Vec<String> = sources(&src).iter().flat_map(|path| faults(&src, path)).collect();
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn every_file_opens_with_a_line_that_says_what_it_is_for() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let silent: Vec<PathBuf> = [sources(&root.join("src")), sources(&root.join("tests"))]
        .concat()
        .into_iter()
        .filter(|path| !read(path).starts_with("//! "))
        .collect();
    assert!(silent.is_empty(), "{silent:?}");
}

#[test]
fn planted_faults_are_found() {
    let named = |code: &str| names(&strip_comments(code), "crate");
    assert!(named("use crate::config::Config;").contains("config"));
    assert!(
        named("use crate::{gate::{Gate, policy}, lab};").is_superset(&BTreeSet::from(["gate".into(), "lab".into()]))
    );
    assert!(!named("// crate::config is not imported here").contains("config"));
    assert!(!named("\"https://crate.example\"; use crate::tree;").contains("config"));
    assert!(mentions("let x = gix::odb::at(p)", "gix") && !mentions("let x = my_gix::odb", "gix"));
    assert!(mentions("use gix;", "gix") && mentions("use tokio_rustls::TlsAcceptor", "tokio_rustls"));
    assert!(!mentions("use tokio_rustls::TlsAcceptor", "tokio"));
    assert!(names("use std::{fmt, fs};", "std").contains("fs"));
}

fn faults(src: &Path, path: &Path) -> Vec<String> {
    let inside = path.strip_prefix(src).expect("sources lie in src");
    let room = Path::new(inside.components().next().expect("a file has a name").as_os_str());
    let room = room.file_stem().and_then(|stem| stem.to_str()).expect("module names are UTF-8");
    let Some(own) = floor(room) else {
        return vec![format!("{}: no floor for `{room}`", inside.display())];
    };
    let code = strip_comments(&read(path));
    let mut faults = Vec::new();
    for used in names(&code, "crate") {
        if used != room && floor(&used).is_some_and(|theirs| theirs <= own) {
            faults.push(format!("{}: `{room}` names `{used}`, which is not below it", inside.display()));
        }
    }
    for impure in IMPURE.iter().filter(|_| PURE.contains(&room)) {
        let named = impure
            .split_once("::")
            .map_or_else(|| mentions(&code, impure), |(root, module)| names(&code, root).contains(module));
        if named {
            faults.push(format!("{}: `{room}` is pure and names `{impure}`", inside.display()));
        }
    }
    for (foreign, rooms) in TOUCHES {
        if mentions(&code, foreign) && !rooms.contains(&room) {
            faults.push(format!("{}: only {rooms:?} may touch `{foreign}`", inside.display()));
        }
    }
    faults
}

fn floor(room: &str) -> Option<usize> {
    FLOORS.iter().position(|rooms| rooms.contains(&room))
}

fn sources(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).expect("the folder is readable") {
        let path = entry.expect("the folder is readable").path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
    found
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).expect("sources are UTF-8")
}

fn strip_comments(source: &str) -> String {
    let without = |line: &str| line.split(" // ").next().unwrap_or_default().to_owned();
    source.lines().filter(|line| !line.trim_start().starts_with("//")).map(without).collect::<Vec<_>>().join("\n")
}

/// The first path segments after `root::`, also inside `root::{a, b::c}`.
fn names(code: &str, root: &str) -> BTreeSet<String> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut found = BTreeSet::new();
    for rest in code.split(&format!("{root}::")).skip(1) {
        let Some(group) = rest.strip_prefix('{') else {
            found.insert(rest.chars().take_while(|&c| is_word(c)).collect());
            continue;
        };
        let (mut depth, mut expects_name) = (0, true);
        let mut chars = group.chars().peekable();
        while let Some(c) = chars.next() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => expects_name = true,
                c if depth == 0 && expects_name && is_word(c) => {
                    let mut word = String::from(c);
                    while let Some(c) = chars.next_if(|&c| is_word(c)) {
                        word.push(c);
                    }
                    found.insert(word);
                    expects_name = false;
                }
                _ => {}
            }
        }
    }
    found
}

/// Whether the code names the crate: as `krate::`, or in a `use` of it.
fn mentions(code: &str, krate: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(krate).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        let after = &code[at + krate.len()..];
        !before.is_some_and(|c| is_word(c) || c == ':')
            && (after.starts_with("::") || (code[..at].ends_with("use ") && after.starts_with(';')))
    })
}
