//! A place in a tree that deploys an image, and how the reference came about.
use super::Reference;
use crate::tree::RepoPath;

/// A value in a file; line and column are 1-based, columns count Unicode characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// The file.
    pub path: RepoPath,
    /// 1-based.
    pub line: u32,
    /// 1-based, in characters.
    pub column: u32,
}

/// How sure it is that the place deploys the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Certainty {
    /// The cluster would pull exactly this reference: a missing image rejects.
    Certain,
    /// It probably would; `on-likely` decides.
    Likely,
}

impl Certainty {
    /// The word of the JSON schema.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Certain => "certain",
            Self::Likely => "likely",
        }
    }
}

/// One step on the way from the text in a file to the reference that deploys.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Link {
    /// What the step did: `literal`, `patch`, `newName`, `newTag`, `digest`, `tagSuffix`, `replacement`, `generator`.
    pub step: &'static str,
    /// Where it is written.
    pub place: Place,
    /// The line as a person would quote it, such as `newTag: 1.4.3`.
    pub text: String,
}

/// One place that deploys one image.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ImageUse {
    /// The reference as the cluster would be given it; not normalised, perhaps not even valid.
    pub reference: String,
    /// The value that a person would edit to change it.
    pub place: Place,
    /// The line at that place as a person would quote it, such as `newTag: 1.4.3`.
    pub text: String,
    /// How sure this is.
    pub certainty: Certainty,
    /// The form it was found in: `container`, `image-volume`, ...
    pub form: &'static str,
    /// What deploys it: `kustomization apps/prod`, `manifest apps/web.yaml`.
    pub unit: String,
    /// The object, as `Deployment prod/my-app`.
    pub object: String,
    /// The field in it, as `container app`.
    pub field: String,
    /// From the literal in the object to the last override; never empty.
    pub chain: Vec<Link>,
}

impl ImageUse {
    /// What would be pulled, the same however the reference is written; for what is no reference, its text.
    pub fn pulled(&self) -> String {
        match Reference::parse(&self.reference) {
            Ok(reference) => {
                let (registry, repository, manifest) = reference.identity();
                format!("{registry}/{repository} {manifest}")
            }
            Err(_) => self.reference.clone(),
        }
    }
}
