//! What one check holds at the same time of what servers send it: bounded for all of them together, so that no number of
//! servers that send too much takes more memory than one.
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A body that is no longer than this, in bytes, is read whenever it comes.
pub(super) const SMALL: usize = 64 * 1024;
/// And this much of one that does not say how long it is.
pub(super) const UNMEASURED: usize = 16 * 1024;
/// How many longer ones are held at the same time.
const LARGE: usize = 3;
/// The longest token, in bytes: no server takes a longer one in a header.
const TOKEN: usize = 16 * 1024;
/// What all tokens may take together, in bytes: 5000 of more than 3 KiB.
const TOKENS: usize = 16 * 1024 * 1024;

/// What is left of it.
#[derive(Debug)]
pub(super) struct Budget {
    large: Arc<Semaphore>,
    tokens: AtomicUsize,
    excluded: Mutex<BTreeSet<String>>,
}

impl Default for Budget {
    fn default() -> Self {
        Self { large: Arc::new(Semaphore::new(LARGE)), tokens: AtomicUsize::default(), excluded: Mutex::default() }
    }
}

impl Budget {
    /// Waits for room for a body that is not small; held for as long as the body. The semaphore is never closed.
    pub(super) async fn large(&self) -> Option<Arc<OwnedSemaphorePermit>> {
        Arc::clone(&self.large).acquire_owned().await.ok().map(Arc::new)
    }

    /// Asks an origin no more, whose headers are too long: they are known to be only after they were read, and a
    /// connection does not give back what it read them into.
    pub(super) fn exclude(&self, origin: &str) {
        self.lock().insert(origin.to_owned());
    }

    /// Whether an origin is asked no more.
    pub(super) fn excludes(&self, origin: &str) -> bool {
        self.lock().contains(origin)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<String>> {
        // A panic while the lock was held leaves the set whole.
        self.excluded.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a token of that length can be kept with all others.
    pub(super) fn keeps(&self, token: usize) -> bool {
        token <= TOKEN && self.tokens.fetch_add(token, Ordering::Relaxed) + token <= TOKENS
    }
}

/// Divides `room` requests among those who have `needs`: nobody gets more than that, everybody at least one, and what is
/// short is short for the greatest.
pub(super) fn divide<K: Ord + Clone>(room: usize, needs: &BTreeMap<K, usize>) -> BTreeMap<K, usize> {
    let mut ascending: Vec<(usize, &K)> = needs.iter().map(|(key, need)| (*need, key)).collect();
    ascending.sort();
    let (mut left, mut others) = (room, ascending.len());
    let share = |(need, key): (usize, &K)| {
        let share = need.min(left / others).max(1);
        (left, others) = (left.saturating_sub(share), others - 1);
        (key.clone(), share)
    };
    ascending.into_iter().map(share).collect()
}

#[cfg(test)]
mod tests {
    use super::divide;
    use std::collections::BTreeMap;

    #[test]
    fn who_needs_little_gets_it_and_the_rest_is_shared() {
        let shares = |needs: &[usize]| -> Vec<usize> {
            divide(64, &needs.iter().copied().enumerate().collect::<BTreeMap<_, _>>()).into_values().collect()
        };
        assert_eq!(shares(&[20]), [20]);
        assert_eq!(shares(&[1000]), [64]);
        assert_eq!(shares(&[1000, 2, 1000]), [31, 2, 31]);
        assert_eq!(shares(&[5000; 100]).iter().max(), Some(&1));
    }
}
