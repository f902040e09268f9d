//! Replacements: those of a kustomization, and those in files that it names.
use super::{
    accumulate::Accumulator,
    builder::Work,
    fault::{Fault, Step},
};
use crate::{
    image::Place,
    kustomize::{
        file::{Decoder, Kustomization, Named, Refusal, Replacement, each},
        object::Source,
        transform::{Replaced, replace},
    },
    tree::RepoPath,
    yaml::{self, Node, Position},
};

impl Work<'_, '_> {
    /// `replacements`.
    pub(super) fn replacements(
        &mut self,
        kustomization: &Kustomization,
        root: &RepoPath,
        all: &[Replacement],
        accumulator: &mut Accumulator,
    ) -> Step<()> {
        let start = self.place(kustomization, Position::START);
        self.replacements_at(&start, root, all, accumulator)
    }

    /// Makes replacements that stand in the file of `start`.
    pub(super) fn replacements_at(
        &mut self,
        start: &Place,
        root: &RepoPath,
        all: &[Replacement],
        accumulator: &mut Accumulator,
    ) -> Step<()> {
        let mut loaded: Vec<(Place, Replacement)> = Vec::new();
        for replacement in all {
            let at = replacement.at.unwrap_or(Position { line: start.line, column: start.column });
            let place = Place { line: at.line, column: at.column, ..start.clone() };
            if replacement.path.text.is_empty() {
                loaded.push((place, replacement.clone()));
            } else if replacement.source.is_some() || replacement.targets.as_ref().is_some_and(|all| !all.is_empty()) {
                return Err(Fault::refused(place, "a replacement has both a path and a source or targets").into());
            } else {
                loaded.extend(self.replacement_file(&replacement.path, root, &place)?);
            }
        }
        for (place, replacement) in loaded {
            let targets = replacement.targets.as_ref().map_or(0, Vec::len);
            self.look_over(1 + targets, accumulator, &place)?;
            let are_all_known = !accumulator.is_partial;
            let replaced = replace(accumulator.resources.edit(), &replacement, are_all_known, self.builder.left)
                .map_err(|why| Fault::refused(place.clone(), format!("a replacement fails: {why}")))?;
            self.check_budget(&place)?;
            if replaced == Replaced::Unknown {
                let message =
                    "the source of this replacement is not in this repository: images of its targets are only \
                               likely"
                        .to_owned();
                self.notice("remote-base", place, message);
            }
        }
        Ok(())
    }

    fn replacement_file(&mut self, path: &Named, root: &RepoPath, place: &Place) -> Step<Vec<(Place, Replacement)>> {
        let loaded = self.load_at(root, &path.text, place)?;
        let source = Source::file(&loaded.path, "literal");
        let decoder = Decoder { source: &source, is_strict: false };
        let stream = yaml::parse(&loaded.bytes, &yaml::Limits::default());
        let refuse = |at: Position, why: String| Fault::refused(source.place(at), why);
        if let Some(error) = stream.errors.first() {
            return Err(refuse(error.position, error.kind.to_string()).into());
        }
        let Some(document) = stream.documents.first() else {
            return Err(refuse(Position::START, "there is no replacement".to_owned()).into());
        };
        let root = document.root();
        let read = match root.kind() {
            yaml::Kind::Sequence => each(root, |item| Replacement::decode(&decoder, item)),
            yaml::Kind::Mapping => Replacement::decode(&decoder, root).map(|one| vec![one]),
            yaml::Kind::Scalar => Err((root.position(), "this is no replacement".to_owned())),
        };
        let read = read.map_err(|(at, why)| refuse(at, why))?;
        Ok(read.into_iter().map(|one| (source.place(one.at.unwrap_or(Position::START)), one)).collect())
    }
}

/// The replacements of a `ReplacementTransformer`.
pub(super) fn replacements(decoder: &Decoder<'_>, node: Node<'_>) -> Result<Vec<Replacement>, Refusal> {
    let mut all = Vec::new();
    decoder.fields(node, |name, value| {
        if name == "replacements" {
            all = each(value, |item| Replacement::decode(decoder, item))?;
        }
        Ok(true)
    })?;
    Ok(all)
}
