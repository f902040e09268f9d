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
mod budget;
mod challenge;
mod complaint;
mod credentials;
mod digest;
mod document;
mod error;
mod exchange;
mod follow;
mod host;
mod lanes;
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
pub use credentials::Secret;
pub use error::Error;
use host::Site;
use lanes::Lanes;
pub use options::{CredentialChoice, Helpers, HostOptions, Options, Unlisted, UserConfig, Variables, is_helper_name};
pub use pinned::Moved;
use std::{collections::BTreeMap, sync::Arc, time::Instant};
use tokio::{sync::Semaphore, time::timeout_at};

/// All registries, as the configuration sees them.
#[derive(Debug)]
pub struct Registries {
    options: Arc<Options>,
    clients: Arc<Clients>,
}

impl Registries {
    /// Builds, reads and asks nothing yet.
    pub fn new(options: Options) -> Self {
        Self { clients: Arc::new(Clients::new(options.http.clone())), options: Arc::new(options) }
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
            // Wherever a registry has answered.
            let has_answered = |answer: &Result<Answer, Error>| {
                !matches!(answer, Err(_) | Ok(Answer::Denied { .. } | Answer::NotAllowed { .. }))
            };
            let both = answers
                .iter()
                .filter(|(reference, answer)| pinned::tag_alone(reference).is_some() && has_answered(answer));
            let both = both.map(|(reference, _)| reference.clone());
            let mut asked = Lanes::new(&mut map, both, |route, reference| async move { route.moved(&reference).await });
            while let Ok(Some((reference, now))) = timeout_at(until.into(), asked.next()).await {
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
        let distinct_ones = distinct.values().map(|alike| alike[0].clone());
        let mut asked = Lanes::new(map, distinct_ones, |route, reference| async move { route.ask(&reference).await });
        let mut answers: BTreeMap<_, _> =
            references.iter().map(|reference| (reference.clone(), Err(Error::Deadline))).collect();
        while let Ok(Some((reference, answer))) = timeout_at(deadline.into(), asked.next()).await {
            for &alike in distinct.get(&identity(&reference)).into_iter().flatten() {
                answers.insert(alike.clone(), answer.clone());
            }
        }
        answers
    }

    fn site(&self, deadline: Instant) -> Arc<Site> {
        Arc::new(Site {
            options: Arc::clone(&self.options),
            // For this check only: files and helpers may say something else the next time.
            sources: credentials::Sources::new(&self.options, deadline.into()),
            network: exchange::Network {
                clients: Arc::clone(&self.clients),
                timeout: self.options.request_timeout,
                deadline: deadline.into(),
                quiet: quiet::Quiet::default(),
                budget: budget::Budget::default(),
            },
            unlisted: Arc::new(Semaphore::new(route::UNLISTED)),
            strangers: strangers::Strangers::default(),
            looks: Semaphore::new(tags::LOOKS),
        })
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
