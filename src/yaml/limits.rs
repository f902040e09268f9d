//! How much of a stream is read.
use std::time::Duration;

/// How much is read. All but `depth` hold for the whole stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Size of the input.
    pub bytes: usize,
    /// Collections inside each other.
    pub depth: usize,
    /// Scalars, collections and aliases, and what merge keys add to mappings.
    pub nodes: usize,
    /// Documents, empty and broken ones too.
    pub documents: usize,
    /// Time, as accurate as some thousand events are quick.
    pub time: Duration,
}

impl Default for Limits {
    /// Several times what the largest manifests that are in use need.
    fn default() -> Self {
        let (bytes, nodes, documents) = (16 << 20, 1_000_000, 5_000);
        Self { bytes, depth: 128, nodes, documents, time: Duration::from_secs(2) }
    }
}
