//! The first use of credentials, which goes alone: many wrong ones at the same time may lock a user out.
use super::host::Host;
use std::future::Future;

/// What the first use of credentials has shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// They are right; whoever says no to them later means what they were used for.
    Accepted,
    /// They are wrong, and not tried again.
    Refused,
    /// The answer was of another kind.
    Unclear,
}

impl Host {
    /// Uses the credentials of a source: alone if that is their first use, not at all (`None`) if that has shown that
    /// they are wrong.
    pub(super) async fn try_out<T, F: Future<Output = T>>(
        &self,
        source: &str,
        ask: impl Fn() -> F,
        shows: impl Fn(&T) -> Standing,
    ) -> Option<T> {
        let mut first = None;
        let (slot, ask) = (&mut first, &ask);
        let alone = || async move {
            let answer = ask().await;
            let standing = shows(&answer);
            *slot = Some(answer);
            standing
        };
        let standing = self.standings.get(&source.to_owned(), alone).await;
        match first {
            None if standing != Standing::Refused => Some(ask().await),
            first => first,
        }
    }

    /// Whether the credentials of a source are known to be right.
    pub(super) fn is_accepted(&self, source: &str) -> bool {
        self.standings.known(&source.to_owned()) == Some(Standing::Accepted)
    }
}
