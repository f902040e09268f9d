//! Replacements: a value of one object, or a part of it, copied into fields of others.
use super::path::{Create, lookup, matches, split};
use crate::kustomize::{
    file::{FieldOptions, Replacement, ReplacementSource, ReplacementTarget},
    object::{Composer, Copier, Node, Origin, Resource, Scalar, Source},
};
use crate::yaml;
use std::cell::Cell;

/// What came of a replacement.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::kustomize) enum Replaced {
    /// It was made.
    Done,
    /// Its source is not among the objects, which are not all known: what it would have changed is doubtful now.
    Unknown,
}

const DEFAULT_FIELD: &str = "metadata.name";
/// What looking for a field costs, against copying a value.
const FIELD_COST: u64 = 500;
/// The longest text that a replacement makes or looks into, in bytes.
const MAX_TEXT: usize = 1 << 16;

/// Makes one replacement. Where `are_all_known` is false, a source that is not found may lie elsewhere.
pub(in crate::kustomize) fn replace(
    resources: &mut [Resource],
    replacement: &Replacement,
    are_all_known: bool,
    left: &Cell<u64>,
) -> Result<Replaced, String> {
    let Some(targets) = &replacement.targets else { return Err(LACKING.to_owned()) };
    let (value, is_doubtful) = match (&replacement.source, &replacement.source_value) {
        (Some(_), Some(_)) => return Err("it has both source and sourceValue".to_owned()),
        (None, None) => return Err(LACKING.to_owned()),
        (None, Some(value)) => (Some(Node::Scalar(value.clone())), false),
        (Some(source), None) => match find_source(resources, source)? {
            Some(found) => (Some(refined(&found.node, source)?), found.is_doubtful),
            None if are_all_known => return Err(format!("nothing is called {}, which is its source", source.id)),
            None => (None, true),
        },
    };
    for target in targets {
        let Some(select) = &target.select else { return Err("a target selects nothing".to_owned()) };
        for selector in std::iter::once(select).chain(&target.reject) {
            selector.fault().map_or(Ok(()), Err)?;
        }
        let default = [DEFAULT_FIELD.to_owned()];
        let fields = if target.fields.is_empty() { &default[..] } else { &target.fields };
        for resource in resources.iter_mut().filter(|resource| is_target(resource, target)) {
            resource.is_doubtful |= is_doubtful;
            let Some(value) = &value else { continue };
            for field in fields {
                left.set(left.get().saturating_sub(FIELD_COST));
                if left.get() == 0 {
                    return Ok(Replaced::Done);
                }
                set_field(resource.edit(), value, field, &target.options)?;
            }
        }
    }
    Ok(if value.is_some() { Replaced::Done } else { Replaced::Unknown })
}

const LACKING: &str = "it needs a source and at least one target";

fn find_source<'r>(resources: &'r [Resource], source: &ReplacementSource) -> Result<Option<&'r Resource>, String> {
    let mut found = resources.iter().filter(|resource| resource.ids().iter().any(|id| id.is_selected_by(&source.id)));
    let first = found.next();
    match found.next() {
        Some(_) => Err(format!("more than one object is called {}, which is its source", source.id)),
        None => Ok(first),
    }
}

/// The value of the source's field, or the part of it that is asked for.
fn refined(object: &Node, source: &ReplacementSource) -> Result<Node, String> {
    let field = if source.field.is_empty() { DEFAULT_FIELD } else { &source.field };
    let value = lookup(object, &split(field)?)?.filter(|value| !value.is_empty());
    let value = value.ok_or_else(|| format!("its source {} has no {field}", source.id))?;
    let FieldOptions { delimiter, index, .. } = &source.options;
    if delimiter.is_empty() {
        return Ok(value.clone());
    }
    let Node::Scalar(scalar) = value else { return Err("only a text can be split".to_owned()) };
    let ranges = split_ranges(&scalar.text, delimiter);
    let range = usize::try_from(*index).ok().and_then(|index| ranges.get(index).cloned());
    let range = range.ok_or_else(|| format!("{} has no part {index}", scalar.text))?;
    let mut composer = Composer::default();
    composer.inherit(&scalar.text, &scalar.origin);
    composer.copy(&scalar.text, &scalar.origin, range);
    let (text, origin) = composer.finish();
    Ok(Node::Scalar(Scalar { text, origin, ..scalar.clone() }))
}

fn split_ranges(text: &str, delimiter: &str) -> Vec<std::ops::Range<usize>> {
    let mut start = 0;
    let mut ranges = Vec::new();
    for part in text.split(delimiter) {
        ranges.push(start..start + part.len());
        start += part.len() + delimiter.len();
    }
    ranges
}

fn is_target(resource: &Resource, target: &ReplacementTarget) -> bool {
    let Some(select) = &target.select else { return false };
    let ids = resource.ids();
    select.matches_marks(resource)
        && !target.reject.iter().any(|reject| reject.has_marks() && reject.matches_marks(resource))
        && !target.reject.iter().any(|reject| reject.has_id() && ids.iter().any(|id| reject.matches_id(id)))
        && ids.iter().any(|id| select.matches_id(id))
}

fn set_field(object: &mut Node, value: &Node, field: &str, options: &FieldOptions) -> Result<(), String> {
    let parts = split(field)?;
    let create = match value {
        _ if !options.create => Create::Nothing,
        Node::Mapping(_) => Create::Mapping,
        Node::Sequence(_) => Create::Sequence,
        Node::Scalar(_) => Create::Scalar,
    };
    if set_inside_text(object, value, &parts, create).is_some() {
        return Ok(());
    }
    let missing = |why: String| format!("unable to find the field {field}: {why}");
    let mut set = |target: &mut Node| put(target, value, options);
    match matches(object, &parts, create, &mut set).map_err(missing)? {
        0 => Err(missing("there is none".to_owned())),
        _ => Ok(()),
    }
}

/// Puts the value into the field: all of it, or the part that the options name.
fn put(target: &mut Node, value: &Node, options: &FieldOptions) -> Result<(), String> {
    let Node::Scalar(old) = &*target else {
        if !options.delimiter.is_empty() {
            return Err("only a text can be split".to_owned());
        }
        *target = value.clone();
        return Ok(());
    };
    let text = |node: &Node| node.scalar().filter(|scalar| !scalar.is_null()).cloned();
    let new = match (text(value), value) {
        // A collection in place of a text leaves its text, which is empty.
        (None, Node::Mapping(_) | Node::Sequence(_)) => Scalar::string("", Origin::Nowhere),
        (None, Node::Scalar(null)) => null.clone(),
        (Some(new), _) => new,
    };
    let (text, origin) = if options.delimiter.is_empty() {
        let all = old.overridden_by(&new);
        (all.text, all.origin)
    } else {
        spliced(old, &new, options)
    };
    if text.len() > MAX_TEXT && !options.delimiter.is_empty() {
        return Err("the text becomes too long".to_owned());
    }
    *target = Node::Scalar(Scalar { text, origin, ..old.clone() });
    Ok(())
}

/// The old text with one part replaced, or one more before or behind the others.
fn spliced(old: &Scalar, new: &Scalar, options: &FieldOptions) -> (std::rc::Rc<str>, Origin) {
    let mut pieces: Vec<_> =
        split_ranges(&old.text, &options.delimiter).into_iter().map(|range| (old, range)).collect();
    let added = (new, 0..new.text.len());
    match usize::try_from(options.index) {
        Err(_) => pieces.insert(0, added),
        Ok(index) => match pieces.get_mut(index) {
            Some(piece) => *piece = added,
            None => pieces.push(added),
        },
    }
    let mut composer = Composer::default();
    composer.inherit(&old.text, &old.origin);
    composer.inherit(&new.text, &new.origin);
    for (count, (scalar, range)) in pieces.into_iter().enumerate() {
        composer.sign(if count == 0 { "" } else { &options.delimiter });
        composer.copy(&scalar.text, &scalar.origin, range);
    }
    composer.finish()
}

/// Sets a field of the YAML or JSON that a text holds, if the path leads through one; `None` if it does not.
fn set_inside_text(object: &mut Node, value: &Node, parts: &[String], create: Create) -> Option<()> {
    let cut = (1..parts.len()).find(|&cut| {
        let found = lookup(object, &parts[..cut]).ok().flatten();
        found.and_then(Node::scalar).is_some_and(|text| parse(text).is_some())
    })?;
    let mut content = parse(lookup(object, &parts[..cut]).ok()??.scalar()?)?;
    let mut set = |target: &mut Node| {
        match (&mut *target, value) {
            (Node::Scalar(old), Node::Scalar(new)) => old.text = new.text.clone(),
            (target, value) => *target = value.clone(),
        }
        Ok(())
    };
    matches(&mut content, &parts[cut..], create, &mut set).ok().filter(|count| *count > 0)?;
    // Any YAML will do, for whoever looks into the text again; kustomize keeps its form.
    let text = json(&content);
    let mut put = |target: &mut Node| {
        *target = Node::string(text.as_str());
        Ok(())
    };
    matches(object, &parts[..cut], Create::Nothing, &mut put).ok().map(|_| ())
}

fn parse(text: &Scalar) -> Option<Node> {
    if text.text.len() > MAX_TEXT {
        return None;
    }
    let stream = yaml::parse(text.text.as_bytes(), &yaml::Limits::default());
    if !stream.errors.is_empty() {
        return None;
    }
    let source = Source::file(&std::rc::Rc::default(), "literal");
    let left = Cell::new(100_000);
    Copier::new(&source, &left).node(stream.documents.first()?.root()).ok()
}

fn json(node: &Node) -> String {
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    match node {
        Node::Mapping(entries) => {
            let pair = |(key, value): &(std::rc::Rc<str>, Node)| format!("{}: {}", quoted(key), json(value));
            format!("{{{}}}", entries.iter().map(pair).collect::<Vec<_>>().join(", "))
        }
        Node::Sequence(items) => format!("[{}]", items.iter().map(json).collect::<Vec<_>>().join(", ")),
        Node::Scalar(scalar) if scalar.style == yaml::Style::Plain && scalar.value() != yaml::resolve::Value::Str => {
            scalar.text.to_string()
        }
        Node::Scalar(scalar) => quoted(&scalar.text),
    }
}
