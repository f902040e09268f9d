//! Labels, annotations and replica counts: what later selectors and replacements may look at.
use super::fields::{Config, Missing, absorb, apply, for_each};
use crate::kustomize::{
    file::{FieldSpec, Labels, Named},
    object::{Node, Resource},
};

/// What `labels` and `commonLabels` add, to the labels of every object and, if told so, to templates and selectors.
pub(in crate::kustomize) fn label(
    resources: &mut [Resource],
    config: &Config,
    all: &[Labels],
    common: &[(String, String)],
) -> Result<(), String> {
    for labels in all {
        let mut specs = labels.fields.clone();
        absorb(&mut specs, &config.labels)?;
        if labels.in_selectors {
            absorb(&mut specs, &config.common_labels)?;
        } else {
            if labels.in_templates {
                absorb(&mut specs, &config.template_labels)?;
            }
            let own = FieldSpec { path: "metadata/labels".to_owned(), create: true, ..FieldSpec::default() };
            absorb(&mut specs, &[own])?;
        }
        add(resources, &labels.pairs, &specs)?;
    }
    add(resources, common, &config.common_labels)
}

/// What `commonAnnotations` adds.
pub(in crate::kustomize) fn annotate(
    resources: &mut [Resource],
    config: &Config,
    pairs: &[(String, String)],
) -> Result<(), String> {
    add(resources, pairs, &config.common_annotations)
}

/// Adds pairs of strings to the mappings that the specs mean.
pub(in crate::kustomize) fn add(
    resources: &mut [Resource],
    pairs: &[(String, String)],
    specs: &[FieldSpec],
) -> Result<(), String> {
    if pairs.is_empty() {
        return Ok(());
    }
    let mut set = |node: &mut Node| {
        if !matches!(node, Node::Mapping(_)) && !node.is_null() {
            return Err("kustomize wants a mapping here".to_owned());
        }
        for (key, value) in pairs {
            node.set(key, Node::string(value.as_str()));
        }
        Ok(())
    };
    resources.iter_mut().try_for_each(|resource| for_each(resource.edit(), specs, Missing::Mapping, &mut set))
}

/// `replicas`: kustomize refuses a name that no object ever had.
pub(in crate::kustomize) fn replicate(resources: &mut [Resource], config: &Config, name: &Named) -> Result<(), String> {
    let mut found = false;
    for spec in &config.replicas {
        for resource in resources.iter_mut() {
            let is_meant = |id: &crate::kustomize::object::Id| id.name == name.text && id.gvk.is_selected_by(&spec.gvk);
            if resource.ids().iter().any(is_meant) {
                found = true;
                let spec = FieldSpec { gvk: crate::kustomize::object::Gvk::default(), ..spec.clone() };
                apply(resource.edit(), &spec, Missing::Scalar, &mut |node| match node {
                    Node::Scalar(_) => Ok(()),
                    _ => Err("there is no number of replicas".to_owned()),
                })?;
            }
        }
    }
    if found { Ok(()) } else { Err(format!("no object whose replicas can be set is called {}", name.text)) }
}
