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
mod error;
mod exchange;
mod follow;
mod host;
mod lanes;
mod manifest;
mod memo;
mod obtain;
mod options;
mod quiet;
mod route;
mod strangers;
mod tags;
mod token;
mod trial;

use crate::{http::Clients, image::Reference};
pub use address::canonical;
pub use answer::{Answer, AskedAs, Refusal, Repository};
pub use error::Error;
use host::Site;
use lanes::Lanes;
pub use options::{CredentialChoice, HostOptions, Options, Unlisted};
use std::{collections::BTreeMap, sync::Arc, time::Instant};
use tokio::{sync::Semaphore, time::timeout_at};

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
    pub async fn check(
        &self,
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
        let mut asked = self.ask(distinct.values().map(|alike| alike[0]), deadline);
        let mut answers: BTreeMap<_, _> =
            references.iter().map(|reference| (reference.clone(), Err(Error::Deadline))).collect();
        while let Ok(Some((reference, answer))) = timeout_at(deadline.into(), asked.next()).await {
            for &alike in distinct.get(&identity(&reference)).into_iter().flatten() {
                answers.insert(alike.clone(), answer.clone());
            }
        }
        answers
    }

    fn ask<'a>(&self, references: impl Iterator<Item = &'a Reference>, deadline: Instant) -> Lanes {
        let site = Arc::new(Site {
            options: Arc::clone(&self.options),
            sources: Arc::clone(&self.sources),
            network: exchange::Network {
                clients: Arc::clone(&self.clients),
                timeout: self.options.request_timeout,
                deadline: deadline.into(),
                quiet: quiet::Quiet::default(),
                budget: budget::Budget::default(),
            },
            unlisted: Arc::new(Semaphore::new(route::UNLISTED)),
            strangers: strangers::Strangers::default(),
        });
        let lane = |reference: &Reference| {
            let name = self.options.name_of(reference.registry());
            self.options.hosts.contains_key(&name).then_some(name)
        };
        Lanes::new(route::Map::new(site), references.map(|reference| (lane(reference), reference.clone())))
    }
}
