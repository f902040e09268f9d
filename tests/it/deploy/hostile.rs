//! Trees that are small and mean far too much: what they cost is bounded, and what is left out is said.
use super::changes;
use crate::map_tree::MapTree;
use pullgate::deploy::Changes;
use std::time::{Duration, Instant};

/// What is new in a tree of these files, found within a time that no blow-up would keep.
fn soon(files: &[(String, String)]) -> Changes {
    let started = Instant::now();
    let found = changes(None, &MapTree::new(files.iter().map(|(path, text)| (path.as_str(), text.as_str())), []));
    assert!(started.elapsed() < Duration::from_secs(60), "{:?}", started.elapsed());
    found
}

fn codes(found: &Changes) -> Vec<&'static str> {
    found.notices.iter().map(|notice| notice.code).collect()
}

fn kustomization(name: &str, text: impl Into<String>) -> (String, String) {
    (format!("{name}/kustomization.yaml"), text.into())
}

const POD: &str = "apiVersion: v1\nkind: Pod\nspec: {containers: [{name: a, image: 'r.io/a:1'}]}\n";

#[test]
fn diamonds_upon_diamonds_are_built_once() {
    let mut files: Vec<_> = (0..30)
        .flat_map(|n| {
            let next = format!("resources: [../a{}, ../b{}]", n + 1, n + 1);
            [kustomization(&format!("a{n}"), next.clone()), kustomization(&format!("b{n}"), next)]
        })
        .collect();
    files.extend(["a30", "b30"].map(|name| kustomization(name, "namespace: x")));
    let found = soon(&files);
    assert!(codes(&found).is_empty() && found.uses.is_empty(), "{found:?}");
}

#[test]
fn objects_that_double_at_every_step_run_out_of_budget() {
    let mut files: Vec<_> = (0..30)
        .flat_map(|n| {
            let next = format!("resources: [../a{}, ../b{}]", n + 1, n + 1);
            [
                kustomization(&format!("a{n}"), format!("{next}\nnamePrefix: a")),
                kustomization(&format!("b{n}"), format!("{next}\nnamePrefix: b")),
            ]
        })
        .collect();
    for name in ["a30", "b30"] {
        files.push(kustomization(name, format!("resources: [app.yaml]\nnamePrefix: {name}")));
        files.push((format!("{name}/app.yaml"), POD.replace("kind: Pod", "kind: Pod\nmetadata: {name: a}")));
    }
    let found = soon(&files);
    assert_eq!(codes(&found), ["budget-exceeded"]);
    assert!(found.uses.is_empty());
}

#[test]
fn a_ladder_of_components_that_nothing_names_is_climbed_once() {
    let rung = |n: usize| {
        kustomization(
            &format!("c{n:05}"),
            format!("kind: Component\nresources: [app.yaml]\ncomponents: [../c{:05}]", n + 1),
        )
    };
    let mut files: Vec<_> = (0..3_000).map(rung).collect();
    files.push(("c02999/app.yaml".into(), POD.into()));
    assert_eq!(soon(&files).uses.len(), 1);
}

#[test]
fn a_long_ring_is_gone_round_once() {
    let link = |n: usize| kustomization(&format!("r{n:05}"), format!("resources: [../r{:05}]", (n + 1) % 3_000));
    let files: Vec<_> = (0..3_000).map(link).collect();
    assert_eq!(soon(&files).notices.len(), 3_000);
}

#[test]
fn many_images_held_against_many_entries_run_out_of_budget() {
    let entries = "- {name: x, newTag: v1}\n".repeat(8_000);
    let containers = "{image: r.io/a}, ".repeat(8_000);
    let files = [
        ("kustomization.yaml".to_owned(), format!("resources: [a.yaml]\nimages:\n{entries}")),
        ("a.yaml".to_owned(), format!("kind: Pod\nmetadata: {{name: a}}\nspec: {{containers: [{containers}]}}")),
    ];
    assert_eq!(codes(&soon(&files)), ["budget-exceeded"]);
}

#[test]
fn a_list_that_holds_itself_is_read_once() {
    let text = format!(
        "&l\napiVersion: v1\nkind: List\nitems:\n- {{apiVersion: v1, kind: Pod, spec: {{containers: [{{image: 'r.io/a:1'}}]}}}}\n{}",
        "- *l\n".repeat(100)
    );
    assert_eq!(soon(&[("a.yaml".into(), text)]).uses.len(), 1);
}

#[test]
fn long_keys_above_many_nodes_are_not_copied_into_each() {
    let key = "k".repeat(1_000);
    let (open, close) = (format!("{{{key}: ").repeat(60), "}".repeat(60));
    let inner = format!("{{list: [{}], containers: [{{image: 'r.io/a:1'}}]}}", "{a: {}}, ".repeat(5_000));
    let text = format!("apiVersion: v1\nkind: Pod\nspec: {open}{inner}{close}\n");
    assert_eq!(soon(&[("a.yaml".into(), text)]).uses.len(), 1);
}

#[test]
fn what_aliases_bring_into_many_objects_is_counted_in_each() {
    let big = "{a: b}, ".repeat(4_000);
    let pod = "- {apiVersion: v1, kind: Pod, spec: *big}\n".repeat(2_000);
    let text = format!("kind: List\nbig: &big [{big}]\nitems:\n{pod}");
    assert_eq!(codes(&soon(&[("a.yaml".into(), text)])), ["budget-exceeded"]);
}

#[test]
fn components_that_use_the_next_one_twice_run_out_of_uses() {
    let rung = |n: usize| {
        let next = if n < 24 { format!("components: [../c{0}, ../c{0}]\n", n + 1) } else { String::new() };
        kustomization(&format!("c{n}"), format!("kind: Component\nnamePrefix: x\n{next}"))
    };
    let mut files: Vec<_> = (0..=24).map(rung).collect();
    files.push(("kustomization.yaml".into(), "resources: [app.yaml]\ncomponents: [c0]\n".into()));
    files.push(("app.yaml".into(), POD.replace("kind: Pod", "kind: Pod\nmetadata: {name: a}")));
    assert_eq!(codes(&soon(&files)), ["budget-exceeded"]);
}

#[test]
fn aliases_of_aliases_in_a_resource_make_no_more_than_one_file_may() {
    let mut text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\na0: &a0 [x]\n".to_owned();
    for n in 1..12 {
        let list = format!("*a{}, ", n - 1).repeat(8);
        text.push_str(&format!("a{n}: &a{n} [{list}]\n"));
    }
    let files = [("kustomization.yaml".into(), "resources: [a.yaml]\n".into()), ("a.yaml".into(), text)];
    assert_eq!(codes(&soon(&files)), ["build-error"]);
}

#[test]
fn a_patch_that_copies_what_it_has_copied_is_refused() {
    let copies: String = (0..60).map(|n| format!("- {{op: copy, from: /spec, path: /spec/x{n}}}\n")).collect();
    let files = [
        (
            "kustomization.yaml".to_owned(),
            "resources: [a.yaml]\npatches: [{path: p.yaml, target: {kind: Pod}}]\n".to_owned(),
        ),
        ("a.yaml".to_owned(), POD.replace("kind: Pod", "kind: Pod\nmetadata: {name: a}")),
        ("p.yaml".to_owned(), copies),
    ];
    assert_eq!(codes(&soon(&files)), ["build-error"]);
}
