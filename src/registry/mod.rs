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
mod tags;
mod token;
mod version;

use crate::{http::Clients, image::Reference};
pub use answer::{Answer, AskedAs, Kind, Refusal, Repository};
pub use error::Error;
use host::{Halt, Host, Site};
pub use options::{CredentialChoice, HostOptions, Options, Unlisted};
pub use pinned::Moved;
use std::{
    collections::{BTreeMap, BTreeSet},
    panic,
    sync::Arc,
    time::Instant,
};
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
        let round = Round::new(self, references, deadline);
        let answers = round.answers(references).await;
        let is_there = |answer: &Result<Answer, Error>| matches!(answer, Ok(Answer::Present { .. }));
        let moved = if self.options.pinned_tags || !answers.values().all(is_there) {
            round.moved(&answers).await
        } else {
            BTreeMap::new()
        };
        Checked { answers, moved }
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

/// The registries of one check.
struct Round {
    hosts: BTreeMap<String, Result<Arc<Host>, Halt>>,
    deadline: tokio::time::Instant,
}

impl Round {
    fn new(registries: &Registries, references: &[Reference], deadline: Instant) -> Self {
        let options = &registries.options;
        let deadline = deadline.into();
        let site = Arc::new(Site {
            options: Arc::clone(options),
            sources: Arc::clone(&registries.sources),
            network: exchange::Network {
                clients: Arc::clone(&registries.clients),
                timeout: options.request_timeout,
                deadline,
            },
            unlisted: Arc::new(Semaphore::new(HostOptions::default().concurrency)),
            lists: Semaphore::new(tags::LISTS),
        });
        let names: BTreeSet<&str> = references.iter().map(Reference::registry).collect();
        let open = |name: &str| (name.to_owned(), Host::open(Arc::clone(&site), name).map(Arc::new));
        Self { hosts: names.into_iter().map(open).collect(), deadline }
    }

    async fn answers(&self, references: &[Reference]) -> BTreeMap<Reference, Result<Answer, Error>> {
        let mut distinct: BTreeMap<_, Vec<&Reference>> = BTreeMap::new();
        for reference in references {
            distinct.entry(reference.identity()).or_default().push(reference);
        }
        let mut tasks = JoinSet::new();
        for reference in distinct.values().map(|alike| alike[0].clone()) {
            let host = self.hosts[reference.registry()].clone();
            tasks.spawn(async move {
                let answer = match host {
                    Ok(host) => manifest::ask(&host, &reference).await,
                    Err(halt) => halt.into_answer(),
                };
                (reference, answer)
            });
        }
        let mut answers: BTreeMap<_, _> =
            references.iter().map(|reference| (reference.clone(), Err(Error::Deadline))).collect();
        while let Some((reference, answer)) = next(&mut tasks, self.deadline).await {
            for &alike in distinct.get(&reference.identity()).into_iter().flatten() {
                answers.insert(alike.clone(), answer.clone());
            }
        }
        answers
    }

    /// Looks at tags that stand beside digests, where the registry has answered and as long as that may take.
    async fn moved(&self, answers: &BTreeMap<Reference, Result<Answer, Error>>) -> BTreeMap<Reference, Moved> {
        let mut tasks = JoinSet::new();
        for (reference, answer) in answers.iter().filter(|(reference, _)| pinned::tag_alone(reference).is_some()) {
            let has_answered = !matches!(answer, Err(_) | Ok(Answer::Denied { .. } | Answer::NotAllowed { .. }));
            if let Some(Ok(host)) = self.hosts.get(reference.registry()).filter(|_| has_answered) {
                let (host, reference) = (Arc::clone(host), reference.clone());
                tasks.spawn(async move { (pinned::moved(&host, &reference).await, reference) });
            }
        }
        let until = (tokio::time::Instant::now() + pinned::PATIENCE).min(self.deadline);
        let mut moved = BTreeMap::new();
        while let Some((now, reference)) = next(&mut tasks, until).await {
            moved.extend(now.map(|now| (reference, now)));
        }
        moved
    }
}

/// The next task that is done; `None` if there is none by then.
async fn next<T: 'static>(tasks: &mut JoinSet<T>, until: tokio::time::Instant) -> Option<T> {
    let done = timeout_at(until, tasks.join_next()).await.ok()??;
    // A task is aborted only when the set is dropped, so this is a panic: not to be taken for an answer.
    Some(done.unwrap_or_else(|error| panic::resume_unwind(error.into_panic())))
}
