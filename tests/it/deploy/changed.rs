//! What a change of a tree deploys anew: units, overrides, and what is no change.
use super::changes;
use crate::map_tree::MapTree;
use pullgate::image::Certainty;

/// A Deployment with one container.
fn app(image: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: app}}\nspec:\n  template:\n    spec:\n      \
         containers:\n        - name: app\n          image: {image}\n"
    )
}

fn tree(files: &[(&str, &str)]) -> MapTree {
    MapTree::new(files.iter().copied(), [])
}

/// `path:line reference`, with `?` behind what is only likely.
fn found(old: Option<&MapTree>, new: &MapTree) -> Vec<String> {
    let line = |image: &pullgate::image::ImageUse| {
        let doubt = if image.certainty == Certainty::Likely { "?" } else { "" };
        format!("{}:{} {}{doubt}", image.place.path, image.place.line, image.reference)
    };
    changes(old, new).uses.iter().map(line).collect()
}

fn codes(old: Option<&MapTree>, new: &MapTree) -> Vec<&'static str> {
    changes(old, new).notices.iter().map(|notice| notice.code).collect()
}

#[test]
fn a_new_image_in_a_plain_manifest_is_found_and_an_unchanged_one_is_not() {
    let old = tree(&[("a.yaml", &app("r.io/a:1")), ("b.yaml", &app("r.io/b:1"))]);
    let new = tree(&[("a.yaml", &app("r.io/a:2")), ("b.yaml", &app("r.io/b:1"))]);
    assert_eq!(found(Some(&old), &new), ["a.yaml:9 r.io/a:2"]);
    assert_eq!(found(Some(&new), &new), [""; 0]);
    assert_eq!(found(None, &new), ["a.yaml:9 r.io/a:2", "b.yaml:9 r.io/b:1"]);
}

#[test]
fn moving_reformatting_or_spelling_an_image_otherwise_is_no_change() {
    let old = tree(&[("a.yaml", &app("nginx:1.27"))]);
    let moved = tree(&[("elsewhere/b.yaml", &format!("# moved\n{}", app("docker.io/library/nginx:1.27")))]);
    assert_eq!(found(Some(&old), &moved), [""; 0]);
}

#[test]
fn a_base_speaks_only_through_its_overlay() {
    let overlay =
        |tag: &str| format!("resources: [../base]\nimages:\n- name: my-app\n  newName: r.io/app\n  newTag: {tag}\n");
    let files = |tag: &str| {
        let overlay = overlay(tag);
        tree(&[
            ("base/kustomization.yaml", "resources: [app.yaml]\n"),
            ("base/app.yaml", &app("my-app")),
            ("prod/kustomization.yaml", &overlay),
        ])
    };
    assert_eq!(found(None, &files("v1")), ["prod/kustomization.yaml:5 r.io/app:v1"]);
    assert_eq!(found(Some(&files("v1")), &files("v2")), ["prod/kustomization.yaml:5 r.io/app:v2"]);
}

#[test]
fn a_finding_points_into_the_file_that_the_push_changes() {
    let kustomization = "resources: [app.yaml]\nimages: [{name: app, newName: r.io/app}]\n";
    let old = tree(&[("kustomization.yaml", kustomization), ("app.yaml", &app("app:1"))]);
    let new = tree(&[("kustomization.yaml", kustomization), ("app.yaml", &app("app:2"))]);
    assert_eq!(found(Some(&old), &new), ["app.yaml:9 r.io/app:2"]);
    let renamed = kustomization.replace("r.io/app", "r.io/other");
    let new = tree(&[("kustomization.yaml", &renamed), ("app.yaml", &app("app:1"))]);
    assert_eq!(found(Some(&old), &new), ["kustomization.yaml:2 r.io/other:1"]);
}

#[test]
fn a_change_in_a_base_is_judged_in_every_overlay() {
    let overlay = |name: &str| format!("resources: [../base]\nimages: [{{name: app, newName: r.io/{name}}}]\n");
    let files = |tag: &str| {
        let (a, b) = (overlay("a"), overlay("b"));
        tree(&[
            ("base/kustomization.yaml", "resources: [app.yaml]"),
            ("base/app.yaml", &app(&format!("app:{tag}"))),
            ("a/kustomization.yaml", &a),
            ("b/kustomization.yaml", &b),
        ])
    };
    assert_eq!(found(Some(&files("1")), &files("2")), ["base/app.yaml:9 r.io/a:2", "base/app.yaml:9 r.io/b:2"]);
}

#[test]
fn taking_a_manifest_into_a_kustomization_is_no_change_of_its_images() {
    let old = tree(&[("app.yaml", &app("r.io/app:1"))]);
    let new =
        tree(&[("app.yaml", &app("r.io/app:1")), ("kustomization.yaml", "resources: [app.yaml]\nnamespace: x\n")]);
    assert_eq!(found(Some(&old), &new), [""; 0]);
}

#[test]
fn removing_the_last_overlay_does_not_make_a_placeholder_deploy() {
    let base = [("base/kustomization.yaml", "resources: [app.yaml]"), ("base/app.yaml", &*app("my-app:dev"))];
    let overlay = ("prod/kustomization.yaml", "resources: [../base]\nimages: [{name: my-app, newName: r.io/app}]");
    let old = tree(&[base[0], base[1], overlay]);
    assert_eq!(found(Some(&old), &tree(&base)), [""; 0]);
}

#[test]
fn a_manifest_beside_a_kustomization_that_does_not_name_it_is_only_likely() {
    let new = tree(&[
        ("kustomization.yaml", "resources: [a.yaml]"),
        ("a.yaml", &app("r.io/a:1")),
        ("forgotten.yaml", &app("r.io/b:1")),
    ]);
    assert_eq!(found(None, &new), ["a.yaml:9 r.io/a:1", "forgotten.yaml:9 r.io/b:1?"]);
}

#[test]
fn components_work_on_what_their_parent_has() {
    let new = tree(&[
        ("base/kustomization.yaml", "resources: [app.yaml]"),
        ("base/app.yaml", &app("app:1")),
        ("mirror/kustomization.yaml", "kind: Component\nimages: [{name: app, newName: mirror.io/app}]"),
        (
            "prod/kustomization.yaml",
            "resources: [../base]\ncomponents: [../mirror]\nimages: [{name: mirror.io/app, newTag: '2'}]",
        ),
    ]);
    assert_eq!(found(None, &new), ["prod/kustomization.yaml:3 mirror.io/app:2"]);
}

#[test]
fn an_image_that_a_patch_sets_is_found_in_the_patch() {
    let patch = "patches:\n- patch: |\n    apiVersion: apps/v1\n    kind: Deployment\n    metadata: {name: app}\n    spec: {template: {spec: {containers: [{name: app, image: x:1}]}}}\n";
    let new = tree(&[
        ("kustomization.yaml", &format!("resources: [app.yaml]\n{patch}images: [{{name: x, newName: r.io/x}}]\n")),
        ("app.yaml", &app("placeholder:dev")),
    ]);
    let changes = changes(None, &new);
    let [image] = &changes.uses[..] else { panic!("{changes:?}") };
    let at = |link: &pullgate::image::Link| (link.step, link.place.to_string(), link.text.clone());
    assert_eq!((&*image.reference, image.certainty), ("r.io/x:1", Certainty::Certain));
    assert_eq!(
        image.chain.iter().map(at).collect::<Vec<_>>(),
        [
            ("literal", "app.yaml:9:18".to_owned(), "image: placeholder:dev".to_owned()),
            ("patch", "kustomization.yaml:7:62".to_owned(), "image: x:1".to_owned()),
            ("newName", "kustomization.yaml:8:29".to_owned(), "newName: r.io/x".to_owned()),
        ]
    );
    assert!(changes.notices.is_empty());
}

#[test]
fn a_finding_points_at_the_line_that_the_push_writes() {
    let files = |name: &str, tag: &str| {
        let images = format!("images:\n- name: app\n  newName: {name}\n  newTag: {tag}\n");
        tree(&[("kustomization.yaml", &format!("resources: [app.yaml]\n{images}")), ("app.yaml", &app("app"))])
    };
    let old = files("r.io/a", "v1");
    assert_eq!(found(Some(&old), &files("r.io/a", "v2")), ["kustomization.yaml:5 r.io/a:v2"]);
    assert_eq!(found(Some(&old), &files("r.io/b", "v1")), ["kustomization.yaml:4 r.io/b:v1"]);
}

#[test]
fn a_part_that_a_replacement_sets_is_found_at_its_source() {
    let files = |tag: &str| {
        let kustomization = "resources: [app.yaml]\nconfigMapGenerator: [{name: v, envs: [v.env]}]\nreplacements:\n\
             - source: {kind: ConfigMap, name: v, fieldPath: data.TAG}\n  targets:\n  - select: {kind: Deployment}\n    \
             fieldPaths: [spec.template.spec.containers.0.image]\n    options: {delimiter: ':', index: 1}\n";
        let env = format!("# versions\nTAG={tag}\n");
        tree(&[("kustomization.yaml", kustomization), ("app.yaml", &app("r.io/app:0")), ("v.env", &env)])
    };
    assert_eq!(found(Some(&files("1")), &files("2")), ["v.env:2 r.io/app:2"]);
}

#[test]
fn a_kustomization_below_a_dot_folder_counts_where_another_names_it() {
    let files = |tag: &str| {
        let text = app(&format!("r.io/app:{tag}"));
        tree(&[
            ("kustomization.yaml", "resources: [.base]"),
            (".base/kustomization.yaml", "resources: [more]"),
            (".base/more/kustomization.yaml", "resources: [app.yaml]"),
            (".base/more/app.yaml", &text),
        ])
    };
    assert_eq!(found(Some(&files("1")), &files("2")), [".base/more/app.yaml:9 r.io/app:2"]);
}

#[test]
fn what_is_set_for_an_object_that_is_not_here_is_only_likely() {
    let new = tree(&[(
        "kustomization.yaml",
        "resources: ['https://github.com/o/r//base?ref=v1']\nimages: [{name: r.io/a, newTag: '2'}, {name: r.io/b, newName: c}]",
    )]);
    assert_eq!(found(None, &new), ["kustomization.yaml:2 r.io/a:2?"]);
    assert_eq!(codes(None, &new), ["remote-base"]);
}

#[test]
fn a_patch_beside_the_image_leaves_the_build_exact() {
    let new = tree(&[
        ("kustomization.yaml", "resources: [app.yaml]\npatches:\n- path: more.yaml\n"),
        ("app.yaml", &app("r.io/app:1")),
        ("more.yaml", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: app}\nspec: {replicas: 3}\n"),
    ]);
    assert_eq!(found(None, &new), ["app.yaml:9 r.io/app:1"]);
    assert_eq!(codes(None, &new), [""; 0]);
}

#[test]
fn a_remote_base_is_said_and_its_siblings_are_judged() {
    let new = tree(&[
        ("kustomization.yaml", "resources:\n- github.com/o/r//base?ref=v1\n- app.yaml\n"),
        ("app.yaml", &app("r.io/app:1")),
    ]);
    assert_eq!(found(None, &new), ["app.yaml:9 r.io/app:1"]);
    assert_eq!(codes(None, &new), ["remote-base"]);
}

#[test]
fn what_kustomize_refuses_deploys_nothing_and_is_said() {
    for (kustomization, why) in [
        ("resources: [app.yaml, gone.yaml]", "there is no gone.yaml"),
        ("resources: [app.yaml]\nimages: [{name: a, newTag: 1.10}]", "write \"1.10\""),
        ("resources: [app.yaml]\nimage: []", "knows no field \"image\""),
        ("resources: [app.yaml, ..]", "a cycle"),
        ("resources: [app.yaml", "does not parse"),
    ] {
        let new = tree(&[("k/kustomization.yaml", kustomization), ("k/app.yaml", &app("r.io/app:1"))]);
        let changes = changes(None, &new);
        assert!(changes.uses.iter().all(|image| image.certainty == Certainty::Likely), "{kustomization}: {changes:?}");
        assert!(changes.notices.iter().any(|n| n.message.contains(why)), "{kustomization}: {:?}", changes.notices);
    }
}

#[test]
fn kustomizations_in_a_ring_are_said() {
    let new = tree(&[("a/kustomization.yaml", "resources: [../b]"), ("b/kustomization.yaml", "resources: [../a]")]);
    assert_eq!(codes(None, &new), ["build-error", "build-error"]);
}

#[test]
fn schemas_policies_status_and_dot_folders_deploy_nothing() {
    let pod = |kind: &str, group: &str| {
        format!(
            "apiVersion: {group}\nkind: {kind}\nmetadata: {{name: x}}\nspec: {{containers: [{{image: r.io/x:1}}]}}\n"
        )
    };
    let new = tree(&[
        ("crd.yaml", &pod("CustomResourceDefinition", "apiextensions.k8s.io/v1")),
        ("policy.yaml", &pod("ClusterPolicy", "kyverno.io/v1")),
        (".github/pod.yaml", &pod("Pod", "v1")),
        ("status.yaml", "apiVersion: v1\nkind: Pod\nstatus: {containers: [{image: r.io/x:1}]}\n"),
        ("values.yaml", "containers: [{image: r.io/x:1}]\n"),
    ]);
    assert_eq!(found(None, &new), [""; 0]);
}

#[test]
fn lists_json_image_volumes_and_every_container_list_are_read() {
    let pod = r#"{"apiVersion": "v1", "kind": "List", "items": [{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"},
      "spec": {"initContainers": [{"name": "i", "image": "r.io/i:1"}], "ephemeralContainers": [{"image": "r.io/e:1"}],
               "containers": [{"name": "n", "image": "r.io/never:1", "imagePullPolicy": "Never"}],
               "volumes": [{"name": "v", "image": {"reference": "r.io/v:1"}}]}}]}"#;
    let cron = "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: c}\nspec: {jobTemplate: {spec: {template: {spec: {containers: [{image: 'r.io/c:1'}]}}}}}\n";
    let new = tree(&[("pod.json", pod), ("cron.yml", cron)]);
    assert_eq!(
        found(None, &new),
        ["cron.yml:4 r.io/c:1", "pod.json:2 r.io/i:1", "pod.json:2 r.io/e:1", "pod.json:4 r.io/v:1"]
    );
}

#[test]
fn one_broken_document_does_not_hide_the_others() {
    let new = tree(&[("a.yaml", &format!("{}---\na: [\n---\n{}", app("r.io/a:1"), app("r.io/b:1")))]);
    assert_eq!(found(None, &new), ["a.yaml:9 r.io/a:1", "a.yaml:21 r.io/b:1"]);
    assert_eq!(codes(None, &new), ["unreadable-yaml"]);
}

#[test]
fn a_symbolic_link_is_judged_by_what_it_leads_to() {
    let files = [("real/app.yaml", &*app("r.io/app:1")), ("k/kustomization.yaml", "resources: [app.yaml]")];
    let linked = MapTree::new(files, [("k/app.yaml", "../real/app.yaml")]);
    assert!(found(None, &linked).contains(&"real/app.yaml:9 r.io/app:1".to_owned()), "{:?}", found(None, &linked));
    let old = tree(&files);
    assert_eq!(codes(None, &old), ["build-error"]);
}

#[test]
fn a_manifest_of_any_name_is_judged_when_a_kustomization_names_it() {
    let files = |tag: &str| {
        let text = app(&format!("r.io/app:{tag}"));
        tree(&[("kustomization.yaml", "resources: [deployment]"), ("deployment", &text)])
    };
    assert_eq!(found(Some(&files("1")), &files("2")), ["deployment:9 r.io/app:2"]);
}

#[test]
fn only_what_names_a_file_consumes_one() {
    let neighbour = [("web/kustomization.yaml", "resources: [app.yaml]"), ("web/app.yaml", &*app("r.io/web:1"))];
    for field in [
        "namespace: web",
        "namePrefix: web",
        "commonLabels: {app: web}",
        "configMapGenerator: [{name: web, literals: [a=web]}]",
        "helmCharts: [{name: web}]",
        "replicas: [{name: web, count: 1}]",
    ] {
        let new = tree(&[neighbour[0], neighbour[1], ("kustomization.yaml", field)]);
        assert_eq!(found(None, &new), ["web/app.yaml:9 r.io/web:1"], "{field}");
    }
    for field in [
        "configMapGenerator: [{name: x, files: [web.yaml]}]",
        "secretGenerator: [{name: x, files: ['key=web.yaml']}]",
        "transformers: [web.yaml]",
        "replacements: [{path: web.yaml}]",
        "helmCharts: [{name: x, valuesFile: web.yaml}]",
        "patchesStrategicMerge: [web.yaml]",
    ] {
        let new = tree(&[("web.yaml", &app("r.io/web:1")), ("kustomization.yaml", field)]);
        assert_eq!(found(None, &new), [""; 0], "{field}");
    }
}

#[test]
fn what_only_an_idle_component_names_speaks_for_itself() {
    let new = tree(&[
        ("c/kustomization.yaml", "kind: Component\nresources: [../web]"),
        ("web/kustomization.yaml", "resources: [app.yaml]"),
        ("web/app.yaml", &app("r.io/web:1")),
    ]);
    assert_eq!(found(None, &new), ["web/app.yaml:9 r.io/web:1"]);
}

#[test]
fn what_a_chart_holds_or_is_given_is_only_likely() {
    let template = app("r.io/app:1");
    let values = "apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata: {name: x}\n\
                  spec: {source: {helm: {valuesObject: {initContainers: [{image: 'busybox:1'}]}}}}\n";
    let new = tree(&[
        ("charts/app/Chart.yaml", "name: app\n"),
        ("charts/app/templates/tests/test.yaml", &template),
        ("templates/app.yaml", &template.replace("app:1", "plain:1")),
        ("argo.yaml", values),
    ]);
    assert_eq!(
        found(None, &new),
        [
            "argo.yaml:4 busybox:1?",
            "charts/app/templates/tests/test.yaml:9 r.io/app:1?",
            "templates/app.yaml:9 r.io/plain:1"
        ]
    );
}
