//! Registries: whether images can be pulled from where their references say.
//!
//! Each distinct manifest is asked for once, all registries at the same time, under one deadline. "Absent" is an
//! answer, and is given only after HEAD and GET agree; that a registry could not tell is an error, and never read as
//! "absent". The protocol is that of <https://github.com/opencontainers/distribution-spec>, with the tokens of
//! <https://distribution.github.io/distribution/spec/auth/token/>.
mod address;
mod answer;
mod attempt;
mod authorize;
mod challenge;
mod complaint;
mod credentials;
mod digest;
mod document;
mod error;
mod exchange;
mod follow;
mod host;
mod manifest;
mod memo;
mod nearest;
mod obtain;
mod options;
mod pinned;
mod platforms;
mod quiet;
mod route;
mod strangers;
mod tags;
mod token;
mod trial;
mod version;

use crate::{http::Clients, image::Reference};
pub use address::canonical;
pub use answer::{Answer, AskedAs, Kind, Refusal, Repository};
pub use error::Error;
use host::Site;
pub use options::{CredentialChoice, HostOptions, Options, Unlisted};
pub use pinned::Moved;
use std::{collections::BTreeMap, panic, sync::Arc, time::Instant};
use tokio::{sync::Semaphore, task::JoinSet, time::timeout_at};

/// All registries, as the configuration sees them.
#[derive(Debug)]
pub struct Registries {
    options: Arc<Options>,
    clients: Arc<Clients>,
    sources: Arc<credentials::Sources>,
}

impl Registries {
    /// Builds, reads and asks nothing yet.
    pub fn new(options: Options) -> Self {
        Self {
            clients: Arc::new(Clients::new(options.http.clone())),
            sources: Arc::new(credentials::Sources::new(&options)),
            options: Arc::new(options),
        }
    }

    /// Asks for every reference, each distinct manifest once. Returns by the deadline, with [`Error::Deadline`] for
    /// what was not answered by then; there is an entry for every reference.
    pub async fn check(&self, references: &[Reference], deadline: Instant) -> Checked {
        let mut map = route::Map::new(self.site(deadline));
        let answers = self.answers(&mut map, references, deadline).await;
        let is_there = |answer: &Result<Answer, Error>| matches!(answer, Ok(Answer::Present { .. }));
        let mut moved = BTreeMap::new();
        if self.options.pinned_tags || !answers.values().all(is_there) {
            let until = (Instant::now() + pinned::PATIENCE).min(deadline);
            let mut tasks = self.ask_for_tags(&mut map, &answers);
            while let Some((reference, now)) = next(&mut tasks, until).await {
                moved.extend(now.map(|now| (reference, now)));
            }
        }
        Checked { answers, moved }
    }

    async fn answers(
        &self,
        map: &mut route::Map,
        references: &[Reference],
        deadline: Instant,
    ) -> BTreeMap<Reference, Result<Answer, Error>> {
        let name = |reference: &Reference| self.options.name_of(reference.registry());
        let identity = |reference: &Reference| {
            let (_, repository, manifest) = reference.identity();
            (name(reference), repository.to_owned(), manifest.to_owned())
        };
        let mut distinct: BTreeMap<_, Vec<&Reference>> = BTreeMap::new();
        for reference in references {
            distinct.entry(identity(reference)).or_default().push(reference);
        }
        let mut tasks = self.ask(map, distinct.values().map(|alike| alike[0]));
        let mut answers: BTreeMap<_, _> =
            references.iter().map(|reference| (reference.clone(), Err(Error::Deadline))).collect();
        while let Some((reference, answer)) = next(&mut tasks, deadline).await {
            for &alike in distinct.get(&identity(&reference)).into_iter().flatten() {
                answers.insert(alike.clone(), answer.clone());
            }
        }
        answers
    }

    fn site(&self, deadline: Instant) -> Arc<Site> {
        Arc::new(Site {
            options: Arc::clone(&self.options),
            sources: Arc::clone(&self.sources),
            network: exchange::Network {
                clients: Arc::clone(&self.clients),
                timeout: self.options.request_timeout,
                deadline: deadline.into(),
                quiet: quiet::Quiet::default(),
            },
            unlisted: Arc::new(Semaphore::new(HostOptions::default().concurrency)),
            strangers: strangers::Strangers::default(),
            looks: Semaphore::new(tags::LOOKS),
        })
    }

    fn ask<'a>(
        &self,
        map: &mut route::Map,
        references: impl Iterator<Item = &'a Reference>,
    ) -> JoinSet<(Reference, Result<Answer, Error>)> {
        let mut tasks = JoinSet::new();
        for reference in references {
            let route = map.route(self.options.name_of(reference.registry()));
            let reference = reference.clone();
            tasks.spawn(async move {
                let answer = route.ask(&reference).await;
                (reference, answer)
            });
        }
        tasks
    }

    /// Asks what has become of tags that stand beside digests, wherever a registry has answered.
    fn ask_for_tags(
        &self,
        map: &mut route::Map,
        answers: &BTreeMap<Reference, Result<Answer, Error>>,
    ) -> JoinSet<(Reference, Option<Moved>)> {
        let mut tasks = JoinSet::new();
        for (reference, answer) in answers.iter().filter(|(reference, _)| pinned::tag_alone(reference).is_some()) {
            if !matches!(answer, Err(_) | Ok(Answer::Denied { .. } | Answer::NotAllowed { .. })) {
                let route = map.route(self.options.name_of(reference.registry()));
                let reference = reference.clone();
                tasks.spawn(async move {
                    let moved = route.moved(&reference).await;
                    (reference, moved)
                });
            }
        }
        tasks
    }
}

/// What came of asking.
#[derive(Clone, Debug, Default)]
pub struct Checked {
    /// There is one for every reference.
    pub answers: BTreeMap<Reference, Result<Answer, Error>>,
    /// References with a tag and a digest whose tag no longer means that digest, as far as that is known.
    pub moved: BTreeMap<Reference, Moved>,
}

/// The next task that is done; `None` if there is none by then.
async fn next<T: 'static>(tasks: &mut JoinSet<T>, until: Instant) -> Option<T> {
    let done = timeout_at(until.into(), tasks.join_next()).await.ok()??;
    // A task is aborted only when the set is dropped, so this is a panic: not to be taken for an answer.
    Some(done.unwrap_or_else(|error| panic::resume_unwind(error.into_panic())))
}
