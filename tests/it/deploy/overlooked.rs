//! What is easily overlooked: files that matter without saying so, and images that are not deployed after all.
use super::changes;
use crate::map_tree::MapTree;
use pullgate::image::Certainty;

fn pod(image: &str) -> String {
    format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: a}}\nspec: {{containers: [{{name: a, image: '{image}'}}]}}\n")
}

fn tree(files: &[(&str, &str)]) -> MapTree {
    MapTree::new(files.iter().copied(), [])
}

/// The references, with `?` behind what is only likely.
fn found(old: Option<&MapTree>, new: &MapTree) -> Vec<String> {
    let uses = changes(old, new).uses;
    let doubt = |certainty| if certainty == Certainty::Likely { "?" } else { "" };
    uses.iter().map(|image| format!("{}{}", image.reference, doubt(image.certainty))).collect()
}

fn codes(old: &MapTree, new: &MapTree) -> Vec<&'static str> {
    changes(Some(old), new).notices.iter().map(|notice| notice.code).collect()
}

#[test]
fn what_a_kustomization_names_matters_whatever_it_looks_like() {
    let files = |kustomization: &str, path: &str, text: &str| {
        tree(&[("kustomization.yaml", kustomization), ("app.yaml", &pod("r.io/a:1")), (path, text)])
    };
    for (kustomization, path, text) in [
        (
            "resources: [app.yaml]\nconfigMapGenerator: [{name: p, envs: [params.env]}]\nreplacements:\n- source: {kind: ConfigMap, fieldPath: data.image}\n  targets: [{select: {kind: Pod}, fieldPaths: [spec.containers.0.image]}]",
            "params.env",
            "image=r.io/b:1",
        ),
        (
            "resources: [app.yaml]\npatches: [{path: image.patch, target: {kind: Pod}}]",
            "image.patch",
            "- {op: replace, path: /spec/containers/0/image, value: 'r.io/b:1'}",
        ),
    ] {
        let (old, new) = (files(kustomization, path, text), files(kustomization, path, &text.replace("b:1", "b:2")));
        assert_eq!(found(Some(&old), &new), ["r.io/b:2"], "{path}");
    }
    let large = |tag: &str| format!("{}#{}\n", pod(&format!("r.io/large:{tag}")), " ".repeat(2 << 20));
    let (old, new) =
        (files("resources: [large]", "large", &large("1")), files("resources: [large]", "large", &large("2")));
    assert_eq!(found(Some(&old), &new), ["r.io/large:2"]);
}

#[test]
fn a_kustomization_behind_a_link_is_reached_through_what_the_link_names() {
    let files = |tag: &str| {
        let text = format!("resources: [app.yaml]\nimages: [{{name: app, newName: r.io/app, newTag: {tag}}}]");
        MapTree::new(
            [("shared/k.yaml", &*text), ("web/app.yaml", &pod("app"))],
            [("web/kustomization.yaml", "../shared/k.yaml")],
        )
    };
    assert_eq!(found(Some(&files("v1")), &files("v2")), ["r.io/app:v2"]);
}

#[test]
fn a_link_on_the_way_to_a_manifest_matters() {
    let files = |target: &str| {
        let kustomization = "resources: [../current/app.yaml]";
        MapTree::new(
            [
                ("k/kustomization.yaml", kustomization),
                (".v/1/app.yaml", &pod("r.io/a:1")),
                (".v/2/app.yaml", &pod("r.io/a:2")),
            ],
            [("current", "now"), ("now", target)],
        )
    };
    assert_eq!(found(Some(&files(".v/1")), &files(".v/2")), ["r.io/a:2"]);
}

#[test]
fn who_names_a_directory_without_its_kustomization_is_said_to_be_broken() {
    let prod = ("prod/kustomization.yaml", "resources: [../base]");
    let old = tree(&[prod, ("base/kustomization.yaml", "namespace: x")]);
    assert_eq!(codes(&old, &tree(&[prod])), ["build-error"]);
}

#[test]
fn what_was_only_likely_to_be_deployed_is_new_when_it_certainly_is() {
    let files = |kustomization: &str| {
        tree(&[
            ("kustomization.yaml", kustomization),
            ("a.yaml", &pod("r.io/a:1")),
            ("b.yaml", &pod("r.io/b:1").replace("{name: a}", "{name: b}")),
        ])
    };
    let old = files("resources: [a.yaml]\ncomponents: ['https://example.com/o/r//c']");
    assert_eq!(found(Some(&old), &files("resources: [a.yaml]")), ["r.io/a:1"]);
    assert_eq!(found(Some(&files("resources: [b.yaml]")), &files("resources: [b.yaml, a.yaml]")), ["r.io/a:1"]);
    assert_eq!(found(Some(&files("resources: [a.yaml]")), &old), [""; 0]);
}

#[test]
fn what_kustomize_leaves_out_a_patch_removes_or_makes_never_pulled_is_not_found() {
    let local =
        pod("r.io/l:1").replace("{name: a}", "{name: a, annotations: {config.kubernetes.io/local-config: 'true'}}");
    let named = tree(&[("kustomization.yaml", "resources: [l.yaml]"), ("l.yaml", &local)]);
    assert_eq!(found(None, &named), [""; 0]);
    let rollout = pod("r.io/side:1").replace("kind: Pod", "kind: Rollout");
    for patch in [
        "{target: {name: a}, patch: '{kind: Other, metadata: {name: a}, spec: {containers: [{name: b, args: [x]}]}}'}",
        "{patch: '[{\"op\": \"add\", \"path\": \"/spec/containers/0/imagePullPolicy\", \"value\": \"Never\"}]', target: {kind: Rollout}}",
    ] {
        let kustomization = format!("resources: [r.yaml]\npatches: [{patch}]");
        let new = tree(&[("kustomization.yaml", &kustomization), ("r.yaml", &rollout)]);
        assert_eq!(found(None, &new), [""; 0], "{patch}");
    }
    // Whether a schema of one's own hides that of Kubernetes depends on who builds it.
    let schema = "resources: [d.yaml]\nopenapi: {path: schema.json}\npatches:\n- patch: |\n    apiVersion: v1\n    kind: Pod\n    metadata: {name: a}\n    spec: {containers: [{name: b, image: 'r.io/b:1'}]}";
    let new = tree(&[("kustomization.yaml", schema), ("schema.json", "{}"), ("d.yaml", &pod("r.io/side:1"))]);
    assert_eq!(found(None, &new), ["r.io/b:1?"]);
}

#[test]
fn a_patch_without_an_object_is_said_and_hides_no_image() {
    let old = tree(&[]);
    for (spec, image) in [("{hostname: x}", "r.io/a:1"), ("{containers: [{name: a, image: x}]}", "r.io/a:1?")] {
        let patch = format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: gone}}\nspec: {spec}\n");
        let new = tree(&[
            ("kustomization.yaml", "resources: [a.yaml]\npatches: [{path: gone.yaml}]"),
            ("a.yaml", &pod("r.io/a:1")),
            ("gone.yaml", &patch),
        ]);
        assert_eq!((found(None, &new), codes(&old, &new)), (vec![image.to_owned()], vec!["build-error"]));
    }
}
