//! Image references by the grammar of `distribution/reference`, the one that the kubelet and containerd use.

/// A valid reference in canonical form.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Reference;
