//! Why a build ends early.
use crate::{image::Place, tree};

/// Why a build ends early.
#[derive(Debug)]
pub(super) enum Stop {
    /// It is known what kustomize, or we, would say of it.
    Fault(Fault),
    /// The tree cannot be read.
    Tree(tree::Error),
}

/// What is said of a build that comes to nothing.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    pub(super) code: &'static str,
    pub(super) place: Place,
    pub(super) message: String,
    /// Whether it depends on who named the kustomization, and not on the kustomization alone.
    pub(super) is_of_the_way: bool,
}

impl Fault {
    /// kustomize would refuse to build it.
    pub(super) fn refused(place: Place, why: impl std::fmt::Display) -> Self {
        let message = format!("kustomize would not build this: {why}");
        Self { code: "build-error", place, message, is_of_the_way: false }
    }
}

impl From<tree::Error> for Stop {
    fn from(error: tree::Error) -> Self {
        Self::Tree(error)
    }
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// What a step of a build gives.
pub(super) type Step<T> = Result<T, Stop>;
