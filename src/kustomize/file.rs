//! A kustomization file, read as strictly as kustomize reads it, with the place of everything that matters.
use super::{
    field::{Field, field},
    images::{Entry, Layer, Part},
    patch::PatchSource,
    value::{Named, Refusal, list, string, strings},
};
use crate::{
    image::{Link, Place},
    tree::RepoPath,
    yaml::{self, Kind, Node, Position},
};
use std::{collections::HashSet, rc::Rc};

/// The names that make a directory a kustomization, in the order in which kustomize looks for them.
const FILE_NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// Whether a file of this name makes its directory a kustomization.
pub fn is_kustomization_name(name: &[u8]) -> bool {
    FILE_NAMES.iter().any(|known| known.as_bytes() == name)
}

/// A kustomization file, as far as it bears on images.
#[derive(Debug, Default)]
pub struct Kustomization {
    /// Whether it is a Component, which works on the kustomization that names it and deploys nothing alone.
    pub is_component: bool,
    /// `resources` and `bases`, in the order in which kustomize loads them.
    pub(super) resources: Vec<Named>,
    pub(super) components: Vec<Named>,
    pub(super) images: Rc<Layer>,
    pub(super) patches: Vec<PatchSource>,
    /// Whether it brings its own schema (`openapi`), by which kustomize then merges lists, and no longer by the built-in.
    pub(super) has_schema: bool,
    /// Fields that rewrite or add what we do not see, with the code of their notice.
    pub(super) opaque: Vec<(Field, &'static str, Position)>,
    /// Every other path that it names: files of generators, transformers and the like.
    pub(super) mentions: Vec<String>,
    /// Why kustomize would refuse it.
    pub(super) refused: Option<(Position, String)>,
}

impl Kustomization {
    /// Reads `bytes`, which stand at `path`. What kustomize would refuse is kept as the reason, with as much of the rest
    /// as could be read.
    pub(super) fn parse(path: &RepoPath, bytes: &[u8]) -> Self {
        let mut read = Self::default();
        let stream = yaml::parse(bytes, &yaml::Limits::default());
        if let Some(error) = stream.errors.first() {
            read.refused = Some((error.position, format!("it does not parse: {error}")));
        }
        let Some(document) = stream.documents.first() else {
            read.refused.get_or_insert((Position::START, "it is empty".to_owned()));
            return read;
        };
        let root = document.root();
        if root.kind() != Kind::Mapping {
            read.refused.get_or_insert((root.position(), "it is not a mapping".to_owned()));
        } else if let Err(refusal) = read.take_fields(path, root) {
            read.refused.get_or_insert(refusal);
        }
        read
    }

    /// In place of a file that is not read.
    pub(super) fn unread(why: String) -> Self {
        Self { refused: Some((Position::START, why)), ..Self::default() }
    }

    fn take_fields(&mut self, path: &RepoPath, root: Node<'_>) -> Result<(), Refusal> {
        let has =
            |wanted: &str| root.entries().any(|(key, _)| key.as_str().is_some_and(|k| k.eq_ignore_ascii_case(wanted)));
        let has_vars = has("vars");
        if let Some(kind) = root.get("kind").and_then(Node::as_str) {
            self.is_component = kind == "Component";
            if !matches!(kind, "Component" | "Kustomization") {
                return Err((root.position(), format!("its kind is {kind}")));
            }
        }
        let mut refused = None;
        for (key, value) in root.entries() {
            let Some(name) = key.as_str() else { continue };
            let Some(meaning) = field(name, has_vars) else {
                refused.get_or_insert((key.position(), format!("kustomize knows no field \"{name}\"")));
                continue;
            };
            if let Err(refusal) = self.take_field(path, name, meaning, value) {
                refused.get_or_insert(refusal);
            }
        }
        let is_type = |key: &str| key.eq_ignore_ascii_case("apiVersion") || key.eq_ignore_ascii_case("kind");
        if root.entries().all(|(key, _)| key.as_str().is_none_or(is_type)) {
            refused.get_or_insert((root.position(), "it is empty".to_owned()));
        }
        refused.map_or(Ok(()), Err)
    }

    fn take_field(&mut self, path: &RepoPath, name: &str, meaning: Field, value: Node<'_>) -> Result<(), Refusal> {
        match meaning {
            // kustomize appends `bases` to `resources`, whichever stands first in the file.
            Field::Resources if name.eq_ignore_ascii_case("resources") => {
                self.resources.splice(0..0, strings(value)?);
            }
            Field::Resources => self.resources.extend(strings(value)?),
            Field::Components => self.components = strings(value)?,
            Field::Images => {
                let entries = list(value)?.map(|item| image_entry(path, item)).collect::<Result<Vec<_>, _>>()?;
                self.images = Rc::new(Layer { entries });
            }
            Field::Patches => {
                for item in list(value)? {
                    self.patches.push(PatchSource::read(name, item)?);
                }
            }
            Field::Rewrites(code) | Field::Adds(code) => {
                if value.items().next().is_some() {
                    self.opaque.push((meaning, code, value.position()));
                }
                mentioned(value, &mut self.mentions);
            }
            Field::Files => {
                self.has_schema |= name.eq_ignore_ascii_case("openapi") && value.get("path").is_some();
                mentioned(value, &mut self.mentions);
            }
            Field::Neutral => {}
        }
        Ok(())
    }
}

fn image_entry(path: &RepoPath, item: Node<'_>) -> Result<Entry, Refusal> {
    if item.kind() != Kind::Mapping {
        return Err((item.position(), "an entry of images is not a mapping".to_owned()));
    }
    let mut entry = Entry::default();
    for (key, value) in item.entries() {
        let Some(name) = key.as_str() else { continue };
        let known = ["name", "newName", "newTag", "digest", "tagSuffix"];
        let Some(step) = known.into_iter().find(|known| known.eq_ignore_ascii_case(name)) else {
            return Err((key.position(), format!("kustomize knows no field \"{name}\" in images")));
        };
        // Empty is the same as absent.
        let Some(text) = string(value)?.filter(|text| !text.is_empty()) else { continue };
        let at = value.position();
        let place = Place { path: path.clone(), line: at.line, column: at.column };
        let part = Part { text: text.to_owned(), link: Link { step, place, text: format!("{name}: {text}") } };
        match step {
            "name" => text.clone_into(&mut entry.name),
            "newName" => entry.new_name = Some(part),
            "newTag" => entry.new_tag = Some(part),
            "digest" => entry.digest = Some(part),
            _ => entry.tag_suffix = Some(part),
        }
    }
    Ok(entry)
}

/// Keys under which generators, transformers and charts name files.
const FILE_KEYS: &[&str] = &["path", "files", "env", "envs", "valuesFile", "additionalValuesFiles"];

/// The files that a field names: what a generator or transformer reads is consumed, and does not speak for itself. An
/// item of the field's own list is a file, and what stands under one of [`FILE_KEYS`]; `key=path` of a generator is `path`.
fn mentioned(field: Node<'_>, mentions: &mut Vec<String>) {
    let mut seen = HashSet::new();
    let mut ahead = vec![(field, true)];
    while let Some((node, names_files)) = ahead.pop() {
        match node.kind() {
            // An alias may lead here twice, once as a file and once not.
            _ if !seen.insert((node.id(), names_files)) => {}
            Kind::Mapping => {
                let is_file = |key: Node<'_>| key.as_str().is_some_and(|key| FILE_KEYS.contains(&key));
                ahead.extend(node.entries().map(|(key, value)| (value, is_file(key))));
            }
            Kind::Sequence => ahead.extend(node.items().map(|item| (item, names_files))),
            Kind::Scalar if names_files => {
                let text = node.as_str().unwrap_or_default();
                let name = text.rsplit_once('=').map_or(text, |(_, path)| path);
                // An inline transformer is a whole document, and no name.
                if !name.is_empty() && name.len() < 4096 && !name.contains('\n') {
                    mentions.push(name.to_owned());
                }
            }
            Kind::Scalar => {}
        }
    }
}
