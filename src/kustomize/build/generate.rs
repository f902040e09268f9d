//! Generators: ConfigMaps and Secrets, which replacements and variables can take a value from.
use super::{
    accumulate::Accumulator,
    builder::Work,
    fault::{Fault, Step},
};
use crate::{
    image::Place,
    kustomize::{
        file::{Generator, Kustomization, Named},
        object::{Behavior, Node, Origin, Resource, Scalar, Written},
    },
    tree::RepoPath,
    yaml::Position,
};
use std::rc::Rc;

impl Work<'_, '_> {
    pub(super) fn generate(
        &mut self,
        kustomization: &Kustomization,
        root: &RepoPath,
        accumulator: &mut Accumulator,
    ) -> Step<()> {
        for generator in &kustomization.generators {
            let place = self.place(kustomization, generator.at.unwrap_or(Position::START));
            let generated = self.generated(generator, root, &place)?;
            self.absorb(generated, &place, accumulator)?;
        }
        if let Some(at) = kustomization.charts {
            let place = self.place(kustomization, at);
            if self.builder.options.is_plain {
                return Err(Fault::refused(place, "charts need --enable-helm").into());
            }
            accumulator.is_partial = true;
            let message = "what the charts here deploy is not worked out: it is not checked".to_owned();
            self.notice("helm-inflation", place, message);
        }
        self.external_generators(kustomization, root, accumulator)
    }

    /// The object that a generator makes.
    pub(super) fn generated(&mut self, generator: &Generator, root: &RepoPath, place: &Place) -> Step<Resource> {
        if generator.name.is_empty() {
            return Err(Fault::refused(place.clone(), "a generator needs a name").into());
        }
        let kind = if generator.is_secret { "Secret" } else { "ConfigMap" };
        let mut metadata = Node::Mapping(vec![("name".into(), Node::string(generator.name.as_str()))]);
        if !generator.namespace.is_empty() {
            metadata.set("namespace", Node::string(generator.namespace.as_str()));
        }
        let options = &generator.options;
        for (field, pairs) in [("labels", &options.labels), ("annotations", &options.annotations)] {
            if !pairs.is_empty() {
                let pairs = pairs.iter().map(|(key, value)| (Rc::from(key.as_str()), Node::string(value.as_str())));
                metadata.set(field, Node::Mapping(pairs.collect()));
            }
        }
        let (data, binary) = self.data(generator, root, place)?;
        let mut object = Node::Mapping(vec![
            ("apiVersion".into(), Node::string("v1")),
            ("kind".into(), Node::string(kind)),
            ("metadata".into(), metadata),
        ]);
        if generator.is_secret {
            let kind = if generator.secret_type.is_empty() { "Opaque" } else { &generator.secret_type };
            object.set("type", Node::string(kind));
        }
        for (field, entries) in [("data", data), ("binaryData", binary)] {
            if !entries.is_empty() {
                object.set(field, Node::Mapping(entries));
            }
        }
        Ok(Resource { behavior: generator.behavior, ..Resource::new(object, place.clone()) })
    }

    /// The data: text, and what is no text.
    fn data(&mut self, generator: &Generator, root: &RepoPath, place: &Place) -> Step<(Entries, Entries)> {
        let mut pairs: Vec<(String, Value)> = Vec::new();
        let refuse = |why: String| Fault::refused(place.clone(), why);
        for named in &generator.envs {
            let loaded = self.load_named(named, root, place)?;
            pairs.extend(lines_of(&loaded.path, &loaded.bytes).map_err(refuse)?);
        }
        for literal in &generator.literals {
            pairs.push(pair_of(literal).map_err(refuse)?);
        }
        for named in &generator.files {
            let (key, path) = file_source(&named.text).map_err(refuse)?;
            let path = Named { text: path.to_owned(), at: named.at };
            let loaded = self.load_named(&path, root, place)?;
            let written = Written { file: loaded.path, at: Position::START, key: Some(key.into()), step: "generator" };
            pairs.push((key.to_owned(), Value { bytes: loaded.bytes, origin: Origin::Written(written) }));
        }
        let (mut data, mut binary): (Entries, Entries) = (Vec::new(), Vec::new());
        for (key, Value { bytes, origin }) in pairs {
            if data.iter().chain(&binary).any(|(known, _)| **known == *key) {
                return Err(refuse(format!("the key {key} stands twice")).into());
            }
            let (field, text, origin) = match String::from_utf8(bytes) {
                Ok(text) if !generator.is_secret => (&mut data, text, origin),
                // An encoded text has no pieces that anybody could edit.
                Ok(text) => (&mut data, base64(text.as_bytes()), Origin::Nowhere),
                Err(error) if generator.is_secret => (&mut data, base64(error.as_bytes()), Origin::Nowhere),
                Err(error) => (&mut binary, base64(error.as_bytes()), Origin::Nowhere),
            };
            field.push((key.into(), Node::Scalar(Scalar::string(text, origin))));
        }
        Ok((data, binary))
    }

    fn load_named(&mut self, named: &Named, root: &RepoPath, place: &Place) -> Step<crate::kustomize::load::Loaded> {
        let Position { line, column } = named.at.unwrap_or(Position { line: place.line, column: place.column });
        self.load_at(root, &named.text, &Place { line, column, ..place.clone() })
    }

    /// Adds what a generator made, or puts it into the object of that name.
    pub(super) fn absorb(&mut self, mut made: Resource, place: &Place, accumulator: &mut Accumulator) -> Step<()> {
        let id = made.id();
        let refuse = |why: String| Fault::refused(place.clone(), why);
        let all = accumulator.resources.all().iter().enumerate();
        let mut same = all.filter(|(_, old)| old.ids().iter().any(|old| old.equals(&id))).map(|(index, _)| index);
        let index = match (same.next(), same.next(), made.behavior) {
            (None, _, Behavior::Create) => return self.append(vec![made], place, accumulator),
            // What is to be merged into may be one that we do not see.
            (None, _, _) if accumulator.is_partial => return Ok(()),
            (None, _, _) => return Err(refuse(format!("there is no {id} to merge with or to replace")).into()),
            (Some(_), _, Behavior::Create) => {
                return Err(refuse(format!("{id} is there already: say behavior: merge or replace")).into());
            }
            (Some(index), None, _) => index,
            (Some(_), Some(_), _) => return Err(refuse(format!("more than one object is or was {id}")).into()),
        };
        let old = &mut accumulator.resources.edit()[index];
        let before = old.id();
        let is_merge = made.behavior == Behavior::Merge;
        for (holder, field) in [(Some("metadata"), "labels"), (Some("metadata"), "annotations")]
            .into_iter()
            .chain(if is_merge { vec![(None, "data"), (None, "binaryData")] } else { Vec::new() })
        {
            merge_pairs(&old.node, made.edit(), holder, field);
        }
        made.set_meta("name", &before.name);
        if before.namespace.is_empty() {
            made.edit().get_mut("metadata").and_then(|metadata| metadata.remove("namespace"));
        } else {
            made.set_meta("namespace", &before.namespace);
        }
        made.earlier = std::mem::take(&mut old.earlier);
        made.vars = std::mem::take(&mut old.vars);
        made.is_doubtful |= old.is_doubtful;
        *old = made;
        Ok(())
    }
}

type Entries = Vec<(Rc<str>, Node)>;

struct Value {
    bytes: Vec<u8>,
    origin: Origin,
}

/// Adds to a mapping of the new object what only the old one has.
fn merge_pairs(old: &Node, new: &mut Node, holder: Option<&str>, field: &str) {
    let kept = match holder {
        Some(holder) => old.at(&[holder, field]),
        None => old.get(field),
    };
    let Some(kept) = kept.filter(|kept| !kept.is_empty()) else { return };
    let target = match holder {
        Some(holder) => new.mapping_at(holder).and_then(|holder| holder.mapping_at(field)),
        None => new.mapping_at(field),
    };
    let Some(target) = target else { return };
    for (key, value) in kept.entries() {
        if target.get(key).is_none() {
            target.set(key, value.clone());
        }
    }
}

/// `key=value`, with one pair of quotes around the value taken off.
fn pair_of(literal: &Scalar) -> Result<(String, Value), String> {
    let text = &*literal.text;
    let (key, value) =
        text.split_once('=').filter(|(key, _)| !key.is_empty()).ok_or(format!("{text} is no key=value"))?;
    let quoted = ['"', '\''].into_iter().find_map(|quote| value.strip_prefix(quote)?.strip_suffix(quote));
    let value = quoted.unwrap_or(value);
    let origin = match &literal.origin {
        Origin::Written(written) => Origin::Written(Written { key: Some(key.into()), ..written.clone() }),
        origin => origin.clone(),
    };
    Ok((key.to_owned(), Value { bytes: value.as_bytes().to_vec(), origin }))
}

/// The pairs of an environment file.
fn lines_of(file: &Rc<RepoPath>, bytes: &[u8]) -> Result<Vec<(String, Value)>, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| format!("{file} is not UTF-8"))?;
    let mut pairs = Vec::new();
    for (count, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let trimmed = line.trim_start();
        if trimmed.is_empty() || trimmed.starts_with('#') {
            continue;
        }
        let (key, value) = trimmed.split_once('=').unwrap_or((trimmed, ""));
        let column = line.chars().count() - value.chars().count() + 1;
        let at = Position { line: count as u32 + 1, column: column as u32 };
        let written = Written { file: Rc::clone(file), at, key: Some(key.into()), step: "generator" };
        pairs.push((key.to_owned(), Value { bytes: value.as_bytes().to_vec(), origin: Origin::Written(written) }));
    }
    Ok(pairs)
}

/// `key=path`, or a path whose last part is the key.
fn file_source(text: &str) -> Result<(&str, &str), String> {
    match text.split_once('=') {
        None => Ok((text.trim_end_matches('/').rsplit('/').next().unwrap_or(text), text)),
        Some((key, path)) if !key.is_empty() && !path.is_empty() && !path.contains('=') => Ok((key, path)),
        Some(_) => Err(format!("{text} is neither a path nor key=path")),
    }
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |index| u32::from(chunk.get(index).copied().unwrap_or(0));
        let word = byte(0) << 16 | byte(1) << 8 | byte(2);
        for digit in 0..4 {
            let is_there = digit <= chunk.len();
            let index = (word >> (18 - 6 * digit)) as usize & 63;
            text.push(if is_there { char::from(DIGITS[index]) } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{base64, file_source};

    #[test]
    fn secrets_are_encoded() {
        for (bytes, text) in [("", ""), ("a", "YQ=="), ("ab", "YWI="), ("abc", "YWJj"), ("foobar", "Zm9vYmFy")] {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }

    #[test]
    fn a_file_is_known_by_its_name_or_by_a_key() {
        assert_eq!(file_source("a/b.txt"), Ok(("b.txt", "a/b.txt")));
        assert_eq!(file_source("k=a/b.txt"), Ok(("k", "a/b.txt")));
        assert!(["=a", "a=", "a=b=c"].iter().all(|text| file_source(text).is_err()));
    }
}
