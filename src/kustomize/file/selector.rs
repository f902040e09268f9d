//! Selectors: which objects a patch or a replacement is for.
use super::decode::{Decoder, Refusal, text};
use crate::{
    kustomize::object::{Gvk, Id, Resource, split_api_version},
    yaml::Node,
};
use regex::{Regex, RegexBuilder};

/// A selector; what it leaves empty is anything.
#[derive(Clone, Debug, Default)]
pub(in crate::kustomize) struct Selector {
    group: Pattern,
    version: Pattern,
    kind: Pattern,
    name: Pattern,
    namespace: Pattern,
    labels: Requirements,
    annotations: Requirements,
}

impl Selector {
    pub(in crate::kustomize) fn decode(decoder: &Decoder<'_>, node: Node<'_>) -> Result<Self, Refusal> {
        let mut selector = Self::default();
        decoder.fields(node, |name, value| {
            let pattern = match name {
                "group" => &mut selector.group,
                "version" => &mut selector.version,
                "kind" => &mut selector.kind,
                "name" => &mut selector.name,
                "namespace" => &mut selector.namespace,
                "labelselector" => {
                    selector.labels = Requirements::parse(&text(value)?);
                    return Ok(true);
                }
                "annotationselector" => {
                    selector.annotations = Requirements::parse(&text(value)?);
                    return Ok(true);
                }
                _ => return Ok(false),
            };
            *pattern = Pattern::new(text(value)?);
            Ok(true)
        })?;
        Ok(selector)
    }

    /// Why kustomize would fail as soon as it uses the selector.
    pub(in crate::kustomize) fn fault(&self) -> Option<String> {
        self.broken_pattern().or_else(|| self.marks_fault())
    }

    fn broken_pattern(&self) -> Option<String> {
        let patterns = [&self.group, &self.version, &self.kind, &self.name, &self.namespace];
        let broken = patterns.into_iter().find(|pattern| pattern.is_broken())?;
        Some(format!("{:?} is not a regular expression", broken.text))
    }

    fn marks_fault(&self) -> Option<String> {
        [&self.labels, &self.annotations].into_iter().find_map(|all| all.fault.clone())
    }

    /// Whether it names an object at all, by more than labels and annotations.
    pub(in crate::kustomize) fn has_id(&self) -> bool {
        [&self.group, &self.version, &self.kind, &self.name, &self.namespace].iter().any(|p| !p.text.is_empty())
    }

    /// Whether it names the object by name: then it says at least which one is meant.
    pub(in crate::kustomize) fn has_name(&self) -> bool {
        !self.name.text.is_empty()
    }

    /// The indices of the objects that a patch with this target is for.
    pub(in crate::kustomize) fn select(&self, resources: &[Resource]) -> Result<Vec<usize>, String> {
        self.broken_pattern().map_or(Ok(()), Err)?;
        let all = resources.iter().enumerate().filter(|(_, resource)| self.names(resource));
        let named: Vec<(usize, &Resource)> = all.collect();
        // What is wanted of the marks is read only when there is an object to look at.
        if !named.is_empty() {
            self.marks_fault().map_or(Ok(()), Err)?;
        }
        Ok(named.into_iter().filter(|(_, resource)| self.matches_marks(resource)).map(|(index, _)| index).collect())
    }

    /// Whether it means the object but for its marks: its name and namespace may be those of now or the first ones.
    fn names(&self, resource: &Resource) -> bool {
        let (now, first) = (resource.id(), resource.original_id());
        let either = |pattern: &Pattern, a: &str, b: &str| pattern.matches(a) || pattern.matches(b);
        either(&self.namespace, first.effective_namespace(), now.effective_namespace())
            && either(&self.name, &first.name, &now.name)
            && self.matches_gvk(&now.gvk)
    }

    /// Whether a replacement with this selector is for an object that was ever called so.
    pub(in crate::kustomize) fn matches_id(&self, id: &Id) -> bool {
        self.matches_gvk(&id.gvk) && self.name.matches(&id.name) && self.namespace.matches(&id.namespace)
    }

    fn matches_gvk(&self, gvk: &Gvk) -> bool {
        self.group.matches(&gvk.group) && self.version.matches(&gvk.version) && self.kind.matches(&gvk.kind)
    }

    /// Whether labels and annotations are as wanted.
    pub(in crate::kustomize) fn matches_marks(&self, resource: &Resource) -> bool {
        self.labels.match_all(resource, "labels") && self.annotations.match_all(resource, "annotations")
    }

    /// Whether it wants anything of labels or annotations.
    pub(in crate::kustomize) fn has_marks(&self) -> bool {
        !self.labels.all.is_empty() || !self.annotations.all.is_empty()
    }
}

/// The id that a replacement's source or a variable names, field by field.
pub(in crate::kustomize) fn take_id(id: &mut Id, name: &str, value: Node<'_>) -> Result<bool, Refusal> {
    match name {
        "group" => id.gvk.group = text(value)?,
        "version" => id.gvk.version = text(value)?,
        "kind" => id.gvk.kind = text(value)?,
        "name" => id.name = text(value)?,
        "namespace" => id.namespace = text(value)?,
        _ => return Ok(false),
    }
    Ok(true)
}

/// Puts an `apiVersion` into an id.
pub(in crate::kustomize) fn set_api_version(id: &mut Id, api_version: &str) {
    if !api_version.is_empty() {
        let (group, version) = split_api_version(api_version);
        (id.gvk.group, id.gvk.version) = (group.to_owned(), version.to_owned());
    }
}

/// A regular expression for a whole text.
#[derive(Clone, Debug, Default)]
struct Pattern {
    text: String,
    /// `None` for what is compared as it is, or is no regular expression.
    regex: Option<Regex>,
}

impl Pattern {
    fn new(text: String) -> Self {
        let is_plain = !text.contains(|c: char| !c.is_alphanumeric() && !"-_/".contains(c));
        let compile = || RegexBuilder::new(&format!("^(?:{text})$")).size_limit(1 << 20).build().ok();
        let regex = if is_plain { None } else { compile() };
        Self { text, regex }
    }

    fn is_broken(&self) -> bool {
        self.regex.is_none() && self.text.contains(|c: char| !c.is_alphanumeric() && !"-_/".contains(c))
    }

    fn matches(&self, text: &str) -> bool {
        match &self.regex {
            Some(regex) => regex.is_match(text),
            None => self.text.is_empty() || self.text == text,
        }
    }
}

/// What is wanted of labels or annotations: the terms of a Kubernetes selector.
#[derive(Clone, Debug, Default)]
struct Requirements {
    all: Vec<Requirement>,
    fault: Option<String>,
}

#[derive(Clone, Debug)]
enum Requirement {
    Exists(String),
    Absent(String),
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Above(String, i64),
    Below(String, i64),
}

impl Requirements {
    fn parse(text: &str) -> Self {
        match terms(text).into_iter().map(|term| Requirement::parse(term.trim())).collect() {
            Some(all) => Self { all, fault: None },
            None => Self { all: Vec::new(), fault: Some(format!("{text:?} is not a selector")) },
        }
    }

    fn match_all(&self, resource: &Resource, field: &str) -> bool {
        self.all.iter().all(|one| {
            let value = |wanted: &str| resource.pairs(field).find(|(key, _)| *key == wanted).map(|(_, value)| value);
            one.matches(value)
        })
    }
}

/// The terms between the commas that stand outside of parentheses.
fn terms(text: &str) -> Vec<&str> {
    let (mut depth, mut start) = (0_usize, 0);
    let mut terms = Vec::new();
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                terms.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    if !text.trim().is_empty() {
        terms.push(&text[start..]);
    }
    terms
}

impl Requirement {
    fn parse(term: &str) -> Option<Self> {
        if let Some(key) = term.strip_prefix('!') {
            return label_key(key).map(Self::Absent);
        }
        for (sign, make) in [
            ("!=", (|key, value: String| Some(Self::NotIn(key, vec![value]))) as fn(String, String) -> Option<Self>),
            ("==", |key, value| Some(Self::In(key, vec![value]))),
            ("=", |key, value| Some(Self::In(key, vec![value]))),
            (">", |key, value| Some(Self::Above(key, value.parse().ok()?))),
            ("<", |key, value| Some(Self::Below(key, value.parse().ok()?))),
        ] {
            if let Some((key, value)) = term.split_once(sign) {
                return make(label_key(key)?, label_value(value)?);
            }
        }
        if let Some((before, values)) = term.split_once('(') {
            let mut words = before.split_whitespace();
            let (key, operator) = (label_key(words.next()?)?, words.next()?);
            let values = values.strip_suffix(')')?.split(',').map(label_value).collect::<Option<Vec<_>>>()?;
            return match operator {
                "in" => Some(Self::In(key, values)),
                "notin" => Some(Self::NotIn(key, values)),
                _ => None,
            };
        }
        label_key(term).map(Self::Exists)
    }

    fn matches<'v>(&self, value: impl Fn(&str) -> Option<&'v str>) -> bool {
        let is_among = |values: &[String], own: &str| values.iter().any(|value| value == own);
        let number = |key: &str| value(key).and_then(|own| own.parse::<i64>().ok());
        match self {
            Self::Exists(key) => value(key).is_some(),
            Self::Absent(key) => value(key).is_none(),
            Self::In(key, values) => value(key).is_some_and(|own| is_among(values, own)),
            Self::NotIn(key, values) => !value(key).is_some_and(|own| is_among(values, own)),
            Self::Above(key, limit) => number(key).is_some_and(|own| own > *limit),
            Self::Below(key, limit) => number(key).is_some_and(|own| own < *limit),
        }
    }
}

fn label_key(text: &str) -> Option<String> {
    let text = text.trim();
    let (prefix, name) = text.split_once('/').map_or((None, text), |(prefix, name)| (Some(prefix), name));
    // A prefix is the name of a domain, in small letters.
    let fits = !name.is_empty()
        && is_label(name)
        && prefix.is_none_or(|prefix| {
            !prefix.is_empty() && is_label(prefix) && !prefix.contains(|c: char| c == '_' || c.is_ascii_uppercase())
        });
    fits.then(|| text.to_owned())
}

fn label_value(text: &str) -> Option<String> {
    let text = text.trim();
    (text.len() <= 63 && is_label(text)).then(|| text.to_owned())
}

/// Whether it has only the signs that labels may have, with a letter or digit at both ends.
fn is_label(text: &str) -> bool {
    let is_sound = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let ends = |c: Option<char>| c.is_none_or(|c| c.is_ascii_alphanumeric());
    text.chars().all(is_sound) && ends(text.chars().next()) && ends(text.chars().last())
}
