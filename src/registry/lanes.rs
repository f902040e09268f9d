//! Which references are under way: only some of each registry, so that the memory that a push takes does not grow with
//! its images, and no registry waits for another.
use super::route::{Map, Route};
use crate::image::Reference;
use std::{
    collections::{BTreeMap, VecDeque},
    future::Future,
    panic,
    sync::Arc,
};
use tokio::task::JoinSet;

/// References of one lane that are under way at the same time: more than requests may be, so that those never wait.
const WIDTH: usize = 128;

/// A listed registry, or (`None`) all that are not listed.
pub(super) type Lane = Option<String>;

/// References that something is asked about, and those that it will be.
pub(super) struct Lanes<'a, T, W> {
    map: &'a mut Map,
    work: W,
    waiting: BTreeMap<Lane, VecDeque<Reference>>,
    tasks: JoinSet<(Lane, Reference, T)>,
}

impl<'a, T: Send + 'static, F: Future<Output = T> + Send + 'static, W: Fn(Arc<Route>, Reference) -> F> Lanes<'a, T, W> {
    /// Begins with `work` on `references`.
    pub(super) fn new(map: &'a mut Map, references: impl IntoIterator<Item = Reference>, work: W) -> Self {
        let waiting = in_turn(map, references);
        let mut lanes = Self { map, work, waiting, tasks: JoinSet::new() };
        let lengths: BTreeMap<Lane, usize> =
            lanes.waiting.iter().map(|(lane, all)| (lane.clone(), all.len())).collect();
        for (lane, length) in &lengths {
            (0..WIDTH.min(*length)).for_each(|_| lanes.advance(lane.clone()));
        }
        lanes.map.limit(&lengths);
        lanes
    }

    /// The next that is done; `None` after the last.
    pub(super) async fn next(&mut self) -> Option<(Reference, T)> {
        // A task is aborted only when the set is dropped, so this is a panic: not to be taken for an answer.
        let done = self.tasks.join_next().await?;
        let (lane, reference, answer) = done.unwrap_or_else(|error| panic::resume_unwind(error.into_panic()));
        self.advance(lane);
        Some((reference, answer))
    }

    fn advance(&mut self, lane: Lane) {
        let Some(reference) = self.waiting.get_mut(&lane).and_then(VecDeque::pop_front) else { return };
        let answer = (self.work)(self.map.route(reference.registry()), reference.clone());
        self.tasks.spawn(async move { (lane, reference, answer.await) });
    }
}

/// In each lane the registries take turns: none waits until another has answered for all of its images.
fn in_turn(map: &Map, references: impl IntoIterator<Item = Reference>) -> BTreeMap<Lane, VecDeque<Reference>> {
    let mut lanes: BTreeMap<_, Vec<(usize, Reference)>> = BTreeMap::new();
    let mut turns: BTreeMap<String, (Lane, usize)> = BTreeMap::new();
    for reference in references {
        let registry = reference.registry();
        let (lane, turn) = turns.entry(registry.to_owned()).or_insert_with(|| (map.lane(registry), 0));
        lanes.entry(lane.clone()).or_default().push((*turn, reference));
        *turn += 1;
    }
    let sorted = |mut lane: Vec<(usize, Reference)>| {
        lane.sort_by_key(|(turn, _)| *turn);
        lane.into_iter().map(|(_, reference)| reference).collect()
    };
    lanes.into_iter().map(|(name, lane)| (name, sorted(lane))).collect()
}
