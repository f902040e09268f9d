//! Hosts that want to be left alone: when one request is told to wait, all requests to that host wait.
use super::{
    address::origin,
    exchange::{Reply, Request},
};
use reqwest::Method;
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// The least that a host is left alone.
const LEAST: Duration = Duration::from_millis(250);
/// For how long, if it does not say; twice as long the next time.
const UNSAID: Duration = Duration::from_secs(1);

/// Those hosts, by origin, and towards which requests.
#[derive(Debug, Default)]
pub(super) struct Quiet(Mutex<BTreeMap<(String, Towards), Wish>>);

/// What is limited: Docker Hub counts what is pulled with GET and not who asks with HEAD, and lists of tags, which decide
/// nothing, must not keep us from asking for what does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Towards {
    Everything,
    Pulls,
    Lists,
}

impl Towards {
    fn of(request: &Request) -> Self {
        match request.method {
            Method::GET if request.url.path().ends_with("/tags/list") => Self::Lists,
            Method::GET => Self::Pulls,
            _ => Self::Everything,
        }
    }
}

/// How long a host wants to be left alone.
#[derive(Clone, Debug)]
pub(super) enum Wish {
    Until(Instant),
    /// For longer than there is time; with what it said.
    TooLong(Box<Reply>),
}

impl Quiet {
    /// What the host of a request wishes, if it still does.
    pub(super) fn of(&self, request: &Request) -> Option<Wish> {
        let (now, hosts) = (Instant::now(), self.lock());
        let limits = [Towards::Everything, Towards::of(request)];
        let mut wishes = limits.into_iter().filter_map(|towards| hosts.get(&(origin(&request.url), towards)));
        wishes.find(|wish| !matches!(wish, Wish::Until(until) if *until <= now)).cloned()
    }

    /// Leaves a host alone for as long as its answer says, if that is no more than half of the time that is left: somebody
    /// has to ask after it. `told` is how often the request was told so before.
    pub(super) fn keep(&self, request: &Request, reply: &Reply, told: u32, deadline: Instant) {
        let host = (origin(&request.url), Towards::of(request));
        let now = Instant::now();
        let delay = reply.retry_after().unwrap_or(UNSAID * 2_u32.saturating_pow(told)).max(LEAST);
        let mut hosts = self.lock();
        let wish = match hosts.get(&host) {
            _ if delay > deadline.saturating_duration_since(now) / 2 => Wish::TooLong(Box::new(reply.clone())),
            // Of two requests that were under way together, the one that is told to wait longer counts.
            Some(Wish::Until(until)) => Wish::Until((now + delay).max(*until)),
            Some(Wish::TooLong(_)) => return,
            None => Wish::Until(now + delay),
        };
        hosts.insert(host, wish);
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<(String, Towards), Wish>> {
        // A panic while the lock was held leaves the map whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
