//! Where a text comes from: piece by piece, and by which steps.
use crate::{
    image::{Link, Place},
    tree::RepoPath,
    yaml::Position,
};
use std::{ops::Range, rc::Rc};

/// How many steps of a chain are kept; of a longer one, the first and the last.
const MAX_CHAIN: usize = 32;
/// How many characters of a text are quoted in a step.
const MAX_QUOTED: usize = 500;

/// Where a text comes from.
#[derive(Clone, Debug)]
pub(in crate::kustomize) enum Origin {
    /// kustomize made it up.
    Nowhere,
    /// It stands in a file as it is.
    Written(Written),
    /// It was put together.
    Composed(Rc<Trace>),
}

/// A text in a file.
#[derive(Clone, Debug)]
pub(in crate::kustomize) struct Written {
    pub(in crate::kustomize) file: Rc<RepoPath>,
    pub(in crate::kustomize) at: Position,
    /// The key whose value it is.
    pub(in crate::kustomize) key: Option<Rc<str>>,
    /// The step of the chain that begins with it.
    pub(in crate::kustomize) step: &'static str,
}

/// How a text came about.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    pieces: Vec<(Range<usize>, Rc<Link>)>,
    chain: Vec<Rc<Link>>,
}

impl Trace {
    /// From the literal to the last override.
    pub fn chain(&self) -> impl Iterator<Item = &Link> {
        self.chain.iter().map(|link| &**link)
    }

    /// Whether anything but the object's own file has a part in it.
    pub fn is_overridden(&self) -> bool {
        self.chain.len() > 1
    }

    /// The value to edit if `image` is wrong: what wrote the part that decides which image is pulled (the digest before
    /// the tag before the name), unless there is a part that `preferred` likes.
    pub fn decisive(&self, image: &str, preferred: impl Fn(&Place) -> bool) -> Option<&Link> {
        let (name, tag, digest) = parts(image);
        let within = |part: &Range<usize>| {
            let (start, end) = (part.start, part.end);
            self.pieces.iter().rev().filter(move |(range, _)| range.start < end && range.end > start)
        };
        let liked = [&tag, &digest, &name].into_iter().flat_map(within).find(|(_, link)| preferred(&link.place));
        liked
            .or_else(|| [&digest, &tag, &name].into_iter().find_map(|part| within(part).next()))
            .map(|(_, link)| &**link)
    }
}

/// The ranges of name, tag and digest as kustomize cuts them: the signs count only behind the first `/`. A part that is
/// not there is empty.
pub(in crate::kustomize) fn parts(image: &str) -> (Range<usize>, Range<usize>, Range<usize>) {
    let start = image.find('/').unwrap_or(0);
    let at = |sign| image[start..].find(sign).map(|found| start + found);
    let all = image.len();
    match (at(':'), at('@')) {
        (Some(colon), Some(sign)) if colon < sign => (0..colon, colon + 1..sign, sign + 1..all),
        (_, Some(sign)) => (0..sign, all..all, sign + 1..all),
        (Some(colon), None) => (0..colon, colon + 1..all, all..all),
        (None, None) => (0..all, all..all, all..all),
    }
}

impl Origin {
    /// Where a text comes from that has come from `other` before: the same, with the steps of both.
    pub(in crate::kustomize) fn after(&self, text: &str, other: &Self, other_text: &str) -> Self {
        let mut composer = Composer::default();
        composer.inherit(other_text, other);
        composer.inherit(text, self);
        composer.trace.pieces.clone_from(&self.trace(text).pieces);
        Self::Composed(Rc::new(composer.trace))
    }

    /// The trace of `text`, which comes from here.
    pub(in crate::kustomize) fn trace(&self, text: &str) -> Rc<Trace> {
        match self {
            Self::Nowhere => Rc::default(),
            Self::Written(written) => {
                let link = Rc::new(written.link(text));
                Rc::new(Trace { pieces: vec![(0..text.len(), Rc::clone(&link))], chain: vec![link] })
            }
            Self::Composed(trace) => Rc::clone(trace),
        }
    }
}

impl Written {
    /// As a step of a chain, with `text` as what stands there.
    pub(in crate::kustomize) fn link(&self, text: &str) -> Link {
        let place = Place { path: (*self.file).clone(), line: self.at.line, column: self.at.column };
        let text: String = text.chars().take(MAX_QUOTED).collect();
        let quoted = match &self.key {
            Some(key) => format!("{key}: {text}"),
            None => text,
        };
        Link { step: self.step, place, text: quoted }
    }
}

/// Puts a text together of pieces of others.
#[derive(Debug, Default)]
pub(in crate::kustomize) struct Composer {
    text: String,
    trace: Trace,
}

impl Composer {
    /// Adds what stands at `range` of `text`, which comes from `origin`.
    pub(in crate::kustomize) fn copy(&mut self, text: &str, origin: &Origin, range: Range<usize>) {
        let shift = self.text.len();
        for (piece, link) in &origin.trace(text).pieces {
            let (start, end) = (piece.start.max(range.start), piece.end.min(range.end));
            if start < end {
                self.trace.pieces.push((shift + start - range.start..shift + end - range.start, Rc::clone(link)));
            }
        }
        self.text.push_str(text.get(range).unwrap_or_default());
    }

    /// Takes over the steps by which `text` came about.
    pub(in crate::kustomize) fn inherit(&mut self, text: &str, origin: &Origin) {
        for link in &origin.trace(text).chain {
            self.step(link);
        }
    }

    /// Adds a sign between two pieces.
    pub(in crate::kustomize) fn sign(&mut self, sign: &str) {
        self.text.push_str(sign);
    }

    /// How long the text is so far, in bytes.
    pub(in crate::kustomize) fn length(&self) -> usize {
        self.text.len()
    }

    fn step(&mut self, link: &Rc<Link>) {
        let chain = &mut self.trace.chain;
        if !chain.contains(link) {
            if chain.len() >= MAX_CHAIN {
                chain.remove(1);
            }
            chain.push(Rc::clone(link));
        }
    }

    /// The text and where it comes from.
    pub(in crate::kustomize) fn finish(self) -> (Rc<str>, Origin) {
        (self.text.into(), Origin::Composed(Rc::new(self.trace)))
    }
}
