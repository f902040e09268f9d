//! Answers that several tasks wait for and only one fetches.
use std::{
    collections::BTreeMap,
    future::Future,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::OnceCell;

/// A map whose values are fetched once, however many ask at the same time.
#[derive(Debug)]
pub(super) struct Memo<K, V>(Mutex<BTreeMap<K, Arc<OnceCell<V>>>>);

impl<K, V> Default for Memo<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Ord + Clone, V: Clone> Memo<K, V> {
    /// The value of `key`; the first who asks fetches it, the others wait. If the first is cancelled, the next fetches.
    pub(super) async fn get<F: Future<Output = V>>(&self, key: &K, fetch: impl FnOnce() -> F) -> V {
        let cell = Arc::clone(self.lock().entry(key.clone()).or_default());
        // Boxed: those who wait need no room for it.
        cell.get_or_init(|| Box::pin(fetch())).await.clone()
    }

    /// The value of `key`, if it was fetched.
    pub(super) fn known(&self, key: &K) -> Option<V> {
        self.lock().get(key).and_then(|cell| cell.get().cloned())
    }

    /// Forgets the value of `key` if it is the one that `stale` means, and not one that was fetched since.
    pub(super) fn forget(&self, key: &K, stale: impl Fn(&V) -> bool) {
        let mut values = self.lock();
        if values.get(key).and_then(|cell| cell.get()).is_some_and(stale) {
            values.remove(key);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<K, Arc<OnceCell<V>>>> {
        // A panic while the lock was held leaves the map whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
