//! From uses to what is asked: each image once, with all its places; what is no reference apart.
use super::compare::Enforcement;
use crate::{
    image::{Certainty, ImageUse, Reference, reference::Invalid},
    verdict::Notice,
};
use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

/// An image, and every place that uses it.
#[derive(Debug)]
pub(super) struct Asked {
    /// `Err` if a cluster could not even ask for it.
    pub(super) reference: Result<Reference, Invalid>,
    /// The place that decides: enforced before warned, certain before likely, then in order of path.
    pub(super) image: ImageUse,
    pub(super) enforcement: Enforcement,
    pub(super) others: BTreeSet<ImageUse>,
}

/// What was gathered from all comparisons of a push.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    /// By what would be pulled, so that an image is asked for once however it is written.
    pub(super) images: BTreeMap<String, Asked>,
    pub(super) notices: BTreeSet<Notice>,
    /// Whether any notice comes from a ref that is enforced.
    pub(super) enforced_notice: bool,
}

impl Gathered {
    pub(super) fn add_use(&mut self, image: ImageUse, enforcement: Enforcement) {
        let reference = Reference::parse(&image.reference);
        if matches!(reference, Err(Invalid::Template)) {
            let message = format!("{} has a variable in it; what it deploys is not checked", image.reference);
            return self.add_notice(Notice { code: "variable", place: image.place, message }, enforcement);
        }
        match self.images.entry(image.pulled()) {
            Entry::Occupied(mut known) => known.get_mut().join(image, enforcement),
            Entry::Vacant(free) => {
                free.insert(Asked { reference, image, enforcement, others: BTreeSet::new() });
            }
        }
    }

    pub(super) fn add_notice(&mut self, notice: Notice, enforcement: Enforcement) {
        self.enforced_notice |= enforcement == Enforcement::Enforce;
        self.notices.insert(notice);
    }
}

impl Asked {
    fn join(&mut self, image: ImageUse, enforcement: Enforcement) {
        let rank = |enforcement: Enforcement, certainty: Certainty| (enforcement, certainty == Certainty::Certain);
        if rank(enforcement, image.certainty) > rank(self.enforcement, self.image.certainty) {
            self.others.insert(std::mem::replace(&mut self.image, image));
            self.enforcement = enforcement;
        } else if image != self.image {
            self.others.insert(image);
        }
    }
}
