//! The image transformer: which fields hold images, which of them an entry of `images:` matches, and what it makes of
//! them, part by part.
use super::fields::{Missing, apply};
use crate::kustomize::{
    file::{Decoder, FieldSpec, Refusal},
    object::{Composer, Node, Origin, Resource, Scalar, parts},
};
use crate::yaml;
use regex::{Regex, RegexBuilder};
use std::{cell::Cell, collections::HashMap, ops::Range, sync::OnceLock};

/// The longest text that is taken for an image, in bytes: many times what a reference can have.
const MAX_IMAGE: usize = 4096;

/// One entry of `images:`.
#[derive(Clone, Debug, Default)]
pub(in crate::kustomize) struct ImageEntry {
    pub(in crate::kustomize) name: String,
    pub(in crate::kustomize) new_name: Option<Scalar>,
    pub(in crate::kustomize) new_tag: Option<Scalar>,
    pub(in crate::kustomize) digest: Option<Scalar>,
    pub(in crate::kustomize) tag_suffix: Option<Scalar>,
    pattern: OnceLock<Option<Regex>>,
    /// Whether it has matched anything.
    pub(in crate::kustomize) has_matched: Cell<bool>,
}

impl ImageEntry {
    pub(in crate::kustomize) fn decode(decoder: &Decoder<'_>, node: yaml::Node<'_>) -> Result<Self, Refusal> {
        let mut entry = Self::default();
        decoder.fields(node, |name, value| {
            match name {
                "name" => entry.name = crate::kustomize::file::text(value)?,
                "newname" => entry.new_name = decoder.scalar("newName", value)?,
                "newtag" => entry.new_tag = decoder.scalar("newTag", value)?,
                "digest" => entry.digest = decoder.scalar("digest", value)?,
                "tagsuffix" => entry.tag_suffix = decoder.scalar("tagSuffix", value)?,
                _ => return Ok(false),
            }
            Ok(true)
        })?;
        Ok(entry)
    }

    /// The image that it makes of one of its name, if it says a tag or digest; not for a name that is a pattern.
    pub(in crate::kustomize) fn alone(&self) -> Option<Scalar> {
        let name = Scalar::plain(self.name.as_str(), Origin::Nowhere);
        let says_which = self.new_tag.is_some() || self.digest.is_some();
        (says_which && self.is_plain() && !self.name.is_empty()).then(|| self.rewrite(&name))
    }

    fn is_plain(&self) -> bool {
        !self.name.contains(|c: char| "\\+*?()[]{}|^$".contains(c))
    }

    /// What it costs to hold an image against it; a regular expression counts for many.
    fn cost(&self) -> u64 {
        if self.is_plain() { 1 } else { 100 }
    }

    /// Rewrites an image that it matches; whether only newer versions of kustomize match it: up to 5.8.1, a digest that is
    /// not SHA-256 matches nothing.
    fn apply(&self, image: &mut Scalar) -> bool {
        if !self.matches(&image.text) {
            return false;
        }
        let is_new = image.text.split_once('@').is_some_and(|(_, digest)| !digest.starts_with("sha256:"));
        self.has_matched.set(true);
        let before = std::mem::replace(image, self.rewrite(image));
        is_new && before.text != image.text
    }

    fn matches(&self, image: &str) -> bool {
        if self.is_plain() {
            return self.matches_plainly(image);
        }
        self.pattern.get_or_init(|| self.compile()).as_ref().is_some_and(|pattern| pattern.is_match(image))
    }

    /// kustomize puts the name into a regular expression as it stands, so `foo|bar` means a prefix or a suffix.
    fn compile(&self) -> Option<Regex> {
        let tag = r"(:[a-zA-Z0-9_.{}-]*)?";
        let digest = r"(@[a-zA-Z0-9]+([.+_-][a-zA-Z0-9]+)*:[a-zA-Z0-9_.{}-]*)?";
        RegexBuilder::new(&format!("^{}{tag}{digest}$", self.name)).size_limit(1 << 20).build().ok()
    }

    /// The same for a name whose only special character is the dot, without a regular expression.
    fn matches_plainly(&self, image: &str) -> bool {
        let mut rest = image.chars();
        let same =
            self.name.chars().all(|wanted| rest.next().is_some_and(|c| c == wanted || (wanted == '.' && c != '\n')));
        same && is_tag_and_digest(rest.as_str())
    }

    /// What it makes of an image that it matches, by plain concatenation as in kustomize.
    fn rewrite(&self, image: &Scalar) -> Scalar {
        let text = &*image.text;
        let (name, tag, digest) = parts(text);
        let mut composer = Composer::default();
        composer.inherit(text, &image.origin);
        let old = |range: &Range<usize>| (!range.is_empty()).then(|| vec![(image, range.clone())]);
        let new = |scalar: &'_ Scalar| 0..scalar.text.len();
        let name = self.new_name.as_ref().map_or_else(|| vec![(image, name)], |name| vec![(name, new(name))]);
        let (tag, digest) = match (&self.new_tag, &self.digest, &self.tag_suffix) {
            (None, None, Some(suffix)) => {
                let mut tag = old(&tag).unwrap_or_default();
                tag.push((suffix, new(suffix)));
                (Some(tag), None)
            }
            (None, None, None) => (old(&tag), old(&digest)),
            (tag, digest, _) => {
                let tag = tag.as_ref().map(|tag| vec![(tag, new(tag))]);
                (tag, digest.as_ref().map(|digest| vec![(digest, new(digest))]))
            }
        };
        for (sign, part) in [("", Some(name)), (":", tag), ("@", digest)] {
            let Some(pieces) = part else { continue };
            composer.sign(sign);
            for (scalar, range) in pieces {
                if !std::ptr::eq(scalar, image) {
                    composer.inherit(&scalar.text, &scalar.origin);
                }
                composer.copy(&scalar.text, &scalar.origin, range);
            }
        }
        let (text, origin) = composer.finish();
        Scalar { text, origin, style: image.style, tag: None }
    }
}

/// Whether `rest` is `[:tag][@algorithm:digest]` in kustomize's sense, which is wider than a reference's.
fn is_tag_and_digest(rest: &str) -> bool {
    let loose = |c: char| c.is_ascii_alphanumeric() || "_.{}-".contains(c);
    let rest = rest.strip_prefix(':').map_or(rest, |tag| tag.trim_start_matches(loose));
    let Some((algorithm, hex)) = rest.strip_prefix('@').and_then(|digest| digest.split_once(':')) else {
        return rest.is_empty();
    };
    let component = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric());
    algorithm.split(['.', '+', '_', '-']).all(component) && hex.chars().all(loose)
}

/// Applies the entries in order. Every entry makes two passes, as in kustomize: one over every list under `containers`
/// and `initContainers` at any depth, one over the fields of `specs`. A container of a pod template is met by both, which
/// is why a `tagSuffix` doubles there. Takes what that costs from what is `left`; says whether an image comes out otherwise
/// in older versions, which makes its object doubtful.
pub(in crate::kustomize) fn replace_images(
    resources: &mut [Resource],
    entries: &[ImageEntry],
    specs: &[FieldSpec],
    left: &Cell<u64>,
) -> Result<bool, String> {
    let mut depends = false;
    let a_pass: u64 = entries.iter().map(ImageEntry::cost).sum();
    for resource in resources {
        if resource.node.get("kind").and_then(Node::text) == Some("CustomResourceDefinition") {
            continue;
        }
        // Where the fields are does not depend on what they hold, so one walk over the object does for all entries. Until
        // it is changed, a field is known by its address.
        let mut passes: HashMap<usize, usize> = HashMap::new();
        let object = resource.edit();
        for_each_image(object, specs, &mut |image| {
            *passes.entry(std::ptr::from_ref(image).addr()).or_default() += 1;
        })?;
        let cost = a_pass.saturating_mul(passes.values().sum::<usize>() as u64).saturating_add(object.size() as u64);
        if left.get() <= cost {
            left.set(0);
            return Ok(depends);
        }
        left.set(left.get() - cost);
        let mut is_doubtful = false;
        for_each_image(object, specs, &mut |image| {
            let passes = passes.remove(&std::ptr::from_ref(image).addr()).unwrap_or_default();
            for entry in entries {
                (0..passes).for_each(|_| is_doubtful |= entry.apply(image));
            }
        })?;
        resource.is_doubtful |= is_doubtful;
        depends |= is_doubtful;
    }
    Ok(depends)
}

/// Hands every image to `take`, once for each time that a pass of kustomize meets it.
fn for_each_image(object: &mut Node, specs: &[FieldSpec], take: &mut dyn FnMut(&mut Scalar)) -> Result<(), String> {
    let mut take = |node: &mut Node| match node {
        Node::Scalar(image) => {
            if image.text.len() <= MAX_IMAGE {
                take(image);
            }
            Ok(())
        }
        _ => Err("an image is not a text".to_owned()),
    };
    in_container_lists(object, &mut take)?;
    specs.iter().try_for_each(|spec| apply(object, spec, Missing::Nothing, &mut take))
}

fn in_container_lists(node: &mut Node, take: &mut dyn FnMut(&mut Node) -> Result<(), String>) -> Result<(), String> {
    match node {
        Node::Scalar(_) => Ok(()),
        Node::Sequence(items) => items.iter_mut().try_for_each(|item| in_container_lists(item, take)),
        Node::Mapping(entries) => entries.iter_mut().try_for_each(|(key, value)| {
            in_container_lists(value, take)?;
            match value {
                Node::Sequence(containers) if matches!(&**key, "containers" | "initContainers") => {
                    containers.iter_mut().try_for_each(|container| in_container(container, take))
                }
                _ => Ok(()),
            }
        }),
    }
}

fn in_container(container: &mut Node, take: &mut dyn FnMut(&mut Node) -> Result<(), String>) -> Result<(), String> {
    match container {
        Node::Mapping(_) => container.get_mut("image").map_or(Ok(()), take),
        _ if container.is_null() => Ok(()),
        _ => Err("a list of containers holds something that is no container".to_owned()),
    }
}
