//! What a deployer sets for the images of the kustomization that it builds, on top of the kustomization's own `images`.
use super::{
    file::{Decoder, Refusal, each},
    object::{Origin, Scalar, Source, Written, parts},
    transform::ImageEntry,
};
use crate::{
    image::Place,
    yaml::{Node, Position},
};
use std::rc::Rc;

/// The images of a deployer's own object.
#[derive(Clone, Debug)]
pub struct Overrides {
    entries: Vec<ImageEntry>,
    rule: Rule,
}

/// How they are put together with the entries of the kustomization file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rule {
    /// As `kustomize edit set image` does it.
    Argo,
    /// As kustomize-controller does it since 1.9.4.
    Flux,
}

/// In an image for Argo CD: the part stays as the file has it.
const KEEP: &str = "*";

impl Overrides {
    /// `kustomize.images` of an Argo CD source, each text with its place; the first text that says neither a name nor a
    /// tag nor a digest, for then the application does not render.
    pub fn argo(images: &[(String, Place)]) -> Result<Self, String> {
        let mut entries: Vec<ImageEntry> = Vec::new();
        for (text, place) in images {
            let (key, value) = text.split_once('=').map_or((None, text.as_str()), |(key, value)| (Some(key), value));
            let (name, tag, digest) = parts(value);
            if name.len() == text.len() {
                return Err(text.clone());
            }
            let part = |step: &'static str, range: std::ops::Range<usize>| {
                let at = Position { line: place.line, column: place.column };
                let file = Rc::new(place.path.clone());
                let written = Written { file, at, key: Some(step.into()), step };
                let text = value.get(range).filter(|text| !text.is_empty())?;
                Some(Scalar::string(text, Origin::Written(written)))
            };
            let own = value.get(name.clone()).unwrap_or_default();
            let mut entry = ImageEntry::default();
            entry.name = key.unwrap_or(own).to_owned();
            entry.new_name = key.and_then(|_| part("newName", name));
            (entry.new_tag, entry.digest) = (part("newTag", tag), part("digest", digest));
            // Of two for the same name, the last one counts.
            entries.retain(|known| known.name != entry.name);
            entries.push(entry);
        }
        Ok(Self { entries, rule: Rule::Argo })
    }

    /// `spec.images` of a Flux Kustomization in the file of `place`; where and why it cannot be read, if it cannot.
    pub fn flux(place: &Place, images: Node<'_>) -> Result<Self, (Position, String)> {
        let source = Source::file(&Rc::new(place.path.clone()), "literal");
        let decoder = Decoder { source: &source, is_strict: true };
        let entries: Result<_, Refusal> = each(images, |item| ImageEntry::decode(&decoder, item));
        Ok(Self { entries: entries?, rule: Rule::Flux })
    }

    /// Puts them together with the entries of the kustomization file.
    pub(super) fn apply(&self, own: &mut Vec<ImageEntry>) {
        match self.rule {
            Rule::Flux => self.entries.iter().for_each(|entry| merge(own, entry)),
            Rule::Argo => {
                let mut all = self.entries.clone();
                for file in own.drain(..) {
                    match all.iter_mut().find(|known| known.name == file.name) {
                        Some(known) => keep(known, Some(&file)),
                        None => all.push(file),
                    }
                }
                all.iter_mut().for_each(|entry| keep(entry, None));
                all.sort_by(|one, other| one.name.cmp(&other.name));
                *own = all;
            }
        }
    }
}

/// Names are compared as they are, though kustomize reads them as regular expressions. A tag and a digest go together.
fn merge(own: &mut Vec<ImageEntry>, entry: &ImageEntry) {
    let Some(known) = own.iter_mut().find(|known| known.name == entry.name) else {
        own.push(entry.clone());
        return;
    };
    if entry.new_name.is_some() {
        known.new_name.clone_from(&entry.new_name);
    }
    if entry.new_tag.is_some() || entry.digest.is_some() {
        known.new_tag.clone_from(&entry.new_tag);
        known.digest.clone_from(&entry.digest);
    }
}

/// Replaces every `*` by what the file has there.
fn keep(entry: &mut ImageEntry, file: Option<&ImageEntry>) {
    for (part, old) in [
        (&mut entry.new_name, file.and_then(|file| file.new_name.as_ref())),
        (&mut entry.new_tag, file.and_then(|file| file.new_tag.as_ref())),
        (&mut entry.digest, file.and_then(|file| file.digest.as_ref())),
    ] {
        if part.as_ref().is_some_and(|part| *part.text == *KEEP) {
            *part = old.cloned();
        }
    }
}
