//! The fields of a kustomization file, sorted by what they can do to an image.

/// What a field of a kustomization can do to the images that it deploys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    /// Names other kustomizations or manifests; modelled.
    Resources,
    /// Names components; modelled.
    Components,
    /// Rewrites references; modelled.
    Images,
    /// Patches of one kind or another; looked into.
    Patches,
    /// May rewrite any field of what is there: taints it. The code of the notice.
    Rewrites(&'static str),
    /// May add objects that we do not see. The code of the notice.
    Adds(&'static str),
    /// Cannot change which images deploy, but names files, which it consumes.
    Files,
    /// Cannot change which images deploy.
    Neutral,
}

/// The fields that kustomize knows, in lower case: it matches them without regard to case. Any other is a build error.
const FIELDS: &[(&str, Field)] = &[
    ("apiversion", Field::Neutral),
    ("kind", Field::Neutral),
    ("metadata", Field::Neutral),
    ("resources", Field::Resources),
    ("bases", Field::Resources),
    ("components", Field::Components),
    ("images", Field::Images),
    ("imagetags", Field::Images),
    ("patches", Field::Patches),
    ("patchesstrategicmerge", Field::Patches),
    ("patchesjson6902", Field::Patches),
    ("replacements", Field::Rewrites("replacement")),
    ("transformers", Field::Rewrites("transformer")),
    ("generators", Field::Adds("generator")),
    ("helmcharts", Field::Adds("helm-inflation")),
    ("helmchartinflationgenerator", Field::Adds("helm-inflation")),
    ("helmglobals", Field::Neutral),
    // ConfigMaps and Secrets hold no images; as the source of a replacement, the replacement taints.
    ("configmapgenerator", Field::Files),
    ("secretgenerator", Field::Files),
    ("generatoroptions", Field::Neutral),
    ("namespace", Field::Neutral),
    ("nameprefix", Field::Neutral),
    ("namesuffix", Field::Neutral),
    ("labels", Field::Neutral),
    ("commonlabels", Field::Neutral),
    ("commonannotations", Field::Neutral),
    ("replicas", Field::Neutral),
    // Without a varReference to an image field (which only `configurations` could add) a variable never lands in one.
    ("vars", Field::Neutral),
    ("crds", Field::Files),
    ("openapi", Field::Files),
    ("sortoptions", Field::Neutral),
    ("buildmetadata", Field::Neutral),
    ("validators", Field::Files),
    ("inventory", Field::Neutral),
];

/// What the field `name` does; `None` if kustomize does not know it. `configurations` matters only where `vars` could
/// use it.
pub(super) fn field(name: &str, has_vars: bool) -> Option<Field> {
    let name = name.to_ascii_lowercase();
    if name == "configurations" {
        return Some(if has_vars { Field::Rewrites("variable") } else { Field::Files });
    }
    FIELDS.iter().find(|(known, _)| *known == name).map(|&(_, field)| field)
}
