//! Hosts that nobody listed: how many of them one check asks.
use super::address::authority;
use reqwest::Url;
use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

/// More registries than any repository that we know deploys from, with their token services and storage; and few enough
/// that a push cannot make us knock at doors all over the internet, or hold a descriptor for each.
pub(super) const MAX_STRANGERS: usize = 50;

/// The unlisted hosts that were asked in one check.
#[derive(Debug, Default)]
pub(super) struct Strangers(Mutex<BTreeSet<String>>);

impl Strangers {
    /// Whether the host of the URL may be asked: it was before, or there is room for one more.
    pub(super) fn admit(&self, url: &Url) -> bool {
        // A panic while the lock was held leaves the set whole.
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let name = authority(url);
        known.contains(&name) || (known.len() < MAX_STRANGERS && known.insert(name))
    }
}
