//! Variables: `$(NAME)` in the fields that `configurations` name as `varReference`, resolved when everything else is done.
use super::{
    fields::{Missing, for_each},
    path::{lookup, split},
};
use crate::kustomize::{
    file::{FieldSpec, Var},
    object::{Composer, Node, Resource, Scalar},
};
use crate::yaml::resolve::Value;
use std::{collections::BTreeMap, rc::Rc};

/// The variables of a build, by name.
#[derive(Clone, Debug, Default)]
pub(in crate::kustomize) struct Vars {
    all: BTreeMap<String, Rc<Var>>,
}

impl Vars {
    /// Adds a variable; kustomize refuses a name that is there already.
    pub(in crate::kustomize) fn add(&mut self, var: &Rc<Var>) -> Result<(), String> {
        match self.all.insert(var.name.text.clone(), Rc::clone(var)) {
            Some(_) => Err(format!("the variable {} stands twice", var.name.text)),
            None => Ok(()),
        }
    }

    /// Adds those of a kustomization below.
    pub(in crate::kustomize) fn absorb(&mut self, others: &Self) -> Result<(), String> {
        others.all.values().try_for_each(|var| self.add(var))
    }

    /// Marks the object whose value a variable has; kustomize refuses more than one.
    pub(in crate::kustomize) fn bind(resources: &mut [Resource], var: &Var) -> Result<(), String> {
        let wanted = &var.object;
        let is_any_namespace = wanted.namespace.is_empty() && !wanted.gvk.is_cluster_scoped();
        let is_meant = |resource: &&mut Resource| {
            resource.ids().iter().any(|id| {
                if is_any_namespace { id.name == wanted.name && id.gvk == wanted.gvk } else { id.equals(wanted) }
            })
        };
        let mut found: Vec<&mut Resource> = resources.iter_mut().filter(is_meant).collect();
        match &mut found[..] {
            [] => Ok(()),
            [one] => {
                one.vars.push(var.name.text.as_str().into());
                Ok(())
            }
            _ => Err(format!("the variable {} could mean {} objects", var.name.text, found.len())),
        }
    }
}

/// Puts the values of the variables in. What a variable holds that is not there is doubtful, unless `are_all_known`.
pub(in crate::kustomize) fn resolve_vars(
    resources: &mut [Resource],
    vars: &Vars,
    specs: &[FieldSpec],
    are_all_known: bool,
) -> Result<(), String> {
    let mut values: BTreeMap<&str, Option<(Scalar, bool)>> = BTreeMap::new();
    for (name, var) in &vars.all {
        let holder = resources.iter().find(|resource| resource.vars.iter().any(|own| **own == **name));
        let Some(holder) = holder else {
            if are_all_known {
                return Err(format!("the variable {name} cannot be found in any object"));
            }
            values.insert(name, None);
            continue;
        };
        let field = if var.field.is_empty() { "metadata.name" } else { &var.field };
        let value = lookup(&holder.node, &indexed(split(field)?))?
            .ok_or_else(|| format!("the variable {name} has no {field}"))?;
        if let Node::Scalar(value) = value {
            values.insert(name, Some((value.clone(), holder.is_doubtful)));
        }
    }
    if vars.all.is_empty() || specs.is_empty() {
        return Ok(());
    }
    for resource in resources {
        let mut is_doubtful = false;
        for_each(resource.edit(), specs, Missing::Nothing, &mut |node| expand_in(node, &values, &mut is_doubtful))?;
        resource.is_doubtful |= is_doubtful;
    }
    Ok(())
}

/// Takes the index off `ports[0]`, as only variables have it.
fn indexed(parts: Vec<String>) -> Vec<String> {
    let mut all = Vec::new();
    for part in parts {
        let cut = part.strip_suffix(']').and_then(|rest| rest.rsplit_once('['));
        match cut.filter(|(_, index)| !index.is_empty() && index.bytes().all(|b| b.is_ascii_digit())) {
            Some((name, index)) => all.extend([name.to_owned(), index.to_owned()]),
            None => all.push(part),
        }
    }
    all
}

/// The longest text that is put together of variables, in bytes.
const MAX_TEXT: usize = 1 << 20;

type Values<'v> = BTreeMap<&'v str, Option<(Scalar, bool)>>;

/// In a text, the values of a mapping, the items of a list; kustomize wants nothing but texts in a list.
fn expand_in(node: &mut Node, values: &Values<'_>, is_doubtful: &mut bool) -> Result<(), String> {
    match node {
        Node::Scalar(scalar) => expand(scalar, values, is_doubtful),
        Node::Mapping(entries) => {
            entries.iter_mut().filter_map(|(_, value)| leaf(value)).for_each(|leaf| expand(leaf, values, is_doubtful));
        }
        Node::Sequence(items) => {
            for item in items {
                let text = leaf(item).filter(|leaf| leaf.value() == Value::Str);
                expand(text.ok_or("an item of a list with variables is no text")?, values, is_doubtful);
            }
        }
    }
    Ok(())
}

fn leaf(node: &mut Node) -> Option<&mut Scalar> {
    if let Node::Scalar(scalar) = node { Some(scalar) } else { None }
}

/// `$(NAME)` is the variable's value, `$$` is `$`; anything else behind a `$` stays, as does a name that is no variable.
fn expand(scalar: &mut Scalar, values: &Values<'_>, is_doubtful: &mut bool) {
    let text = Rc::clone(&scalar.text);
    if !text.contains('$') {
        return;
    }
    let whole = text.strip_prefix("$(").and_then(|rest| rest.strip_suffix(')'));
    if let Some(Some((value, doubt))) = whole.and_then(|name| values.get(name)) {
        // Alone, a variable keeps its type.
        *is_doubtful |= doubt;
        *scalar = scalar.overridden_by(value);
        return;
    }
    let mut composer = Composer::default();
    composer.inherit(&text, &scalar.origin);
    let mut copied = 0;
    let mut at = 0;
    while let Some(sign) = text[at..].find('$').map(|found| at + found) {
        let rest = &text[sign + 1..];
        if rest.starts_with('$') {
            composer.copy(&text, &scalar.origin, copied..sign + 1);
            (copied, at) = (sign + 2, sign + 2);
            continue;
        }
        let name = rest.strip_prefix('(').and_then(|rest| rest.split_once(')')).map(|(name, _)| name);
        at = sign + 1;
        let Some(name) = name else { continue };
        let end = sign + 2 + name.len() + 1;
        match values.get(name) {
            Some(Some((value, _))) if composer.length() + value.text.len() > MAX_TEXT => *is_doubtful = true,
            Some(Some((value, doubt))) => {
                *is_doubtful |= doubt;
                composer.copy(&text, &scalar.origin, copied..sign);
                composer.inherit(&value.text, &value.origin);
                composer.copy(&value.text, &value.origin, 0..value.text.len());
                copied = end;
            }
            Some(None) => *is_doubtful = true,
            None => {}
        }
        at = end;
    }
    composer.copy(&text, &scalar.origin, copied..text.len());
    let (text, origin) = composer.finish();
    (scalar.text, scalar.origin) = (text, origin);
}
