//! The way to an image: the mirrors of its registry, then the registry itself, whose answer is final.
use super::{
    answer::Answer,
    budget::divide,
    error::Error,
    host::{Halt, Host, Site},
    lanes::Lane,
    manifest::{self, Question},
    pinned::{self, Moved},
};
use crate::image::Reference;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    select,
    sync::watch,
    time::{Instant, sleep_until},
};

/// How long a mirror may be silent, if a quarter of the time that is left is not less.
const PATIENCE: Duration = Duration::from_secs(2);

/// Requests to all unlisted registries together.
pub(super) const UNLISTED: usize = 64;

type Opened = Result<Arc<Host>, Halt>;

/// All registries of one check, each opened once, whether as itself or as a mirror.
pub(super) struct Map {
    site: Arc<Site>,
    hosts: BTreeMap<String, Opened>,
    routes: BTreeMap<String, Arc<Route>>,
}

/// Where the images of one registry are asked for.
pub(super) struct Route {
    registry: String,
    mirrors: Vec<Mirror>,
    origin: Opened,
}

struct Mirror {
    host: Opened,
    /// Whether it failed: then nobody asks it again, and nobody waits for it any longer.
    dead: watch::Sender<bool>,
    /// When it last answered.
    heard: Mutex<Option<Instant>>,
}

impl Map {
    pub(super) fn new(site: Arc<Site>) -> Self {
        Self { site, hosts: BTreeMap::new(), routes: BTreeMap::new() }
    }

    /// The way to the images of a registry, as a reference names it. Several mirrors are asked in the order of theirs.
    pub(super) fn route(&mut self, registry: &str) -> Arc<Route> {
        let registry = self.site.options.name_of(registry);
        if let Some(route) = self.routes.get(&registry) {
            return Arc::clone(route);
        }
        let site = Arc::clone(&self.site);
        let mirrors = site.options.hosts.iter().filter(|(_, host)| host.mirror_of.as_ref() == Some(&registry));
        let mirrors = mirrors.map(|(name, _)| Mirror::new(self.host(name))).collect();
        let origin = self.host(&registry);
        let route = Arc::new(Route { registry: registry.clone(), mirrors, origin });
        self.routes.insert(registry, Arc::clone(&route));
        route
    }

    /// Divides the requests that may be under way among the registries, by how many images are asked of each. Before
    /// the first is sent: later some would be under way.
    pub(super) fn limit(&self, images: &BTreeMap<Lane, usize>) {
        let wanted = |(name, host): (&String, &Opened)| {
            let host = host.as_ref().ok().filter(|host| host.endpoint.listed)?;
            let options = &host.endpoint.options;
            // Its own images, and those that it is asked for first.
            let lanes = options.mirror_of.iter().map(|origin| self.site.lane(origin)).chain([Some(name.clone())]);
            let images: usize = lanes.filter_map(|lane| images.get(&lane)).sum();
            (images > 0).then(|| (Some(name.clone()), images.min(options.concurrency)))
        };
        let unlisted = images.get(&None).map(|images| (None, *images.min(&UNLISTED)));
        let needs: BTreeMap<Lane, usize> = self.hosts.iter().filter_map(wanted).chain(unlisted).collect();
        let most = self.site.options.hosts.values().map(|host| host.concurrency).chain([UNLISTED]).max();
        for (lane, share) in divide(most.unwrap_or(UNLISTED), &needs) {
            let permits = match lane.map(|name| self.hosts.get(&name)) {
                Some(Some(Ok(host))) => &host.permits,
                Some(_) => continue,
                None => &self.site.unlisted,
            };
            permits.forget_permits(permits.available_permits().saturating_sub(share));
        }
    }

    /// The lane of the images of a registry.
    pub(super) fn lane(&self, registry: &str) -> Lane {
        self.site.lane(registry)
    }

    fn host(&mut self, name: &str) -> Opened {
        let open = || Host::open(Arc::clone(&self.site), name).map(Arc::new);
        self.hosts.entry(name.to_owned()).or_insert_with(open).clone()
    }
}

impl Route {
    /// Asks the mirrors for a "yes", and without one the registry itself.
    pub(super) async fn ask(&self, reference: &Reference) -> Result<Answer, Error> {
        for mirror in &self.mirrors {
            if let Some(present) = mirror.ask(reference, &self.registry).await {
                return Ok(present);
            }
        }
        match &self.origin {
            Ok(host) => manifest::ask(host, reference, Question::Origin).await,
            Err(halt) => halt.clone().into_answer(),
        }
    }

    /// What has become of the tag that stands beside a digest, as the registry itself says it.
    pub(super) async fn moved(&self, reference: &Reference) -> Option<Moved> {
        pinned::moved(self.origin.as_ref().ok()?, reference).await
    }
}

impl Mirror {
    fn new(host: Opened) -> Self {
        Self { host, dead: watch::Sender::new(false), heard: Mutex::default() }
    }

    /// The "yes" of the mirror, if it gives one. Whatever is wrong with it costs its patience once, not once an image; and
    /// while it answers others, this one is only waiting for its turn.
    async fn ask(&self, reference: &Reference, origin: &str) -> Option<Answer> {
        let host = self.host.as_ref().ok()?;
        let left = host.site.network.deadline.saturating_duration_since(Instant::now());
        let mut dead = self.dead.subscribe();
        let asked = select! {
            biased;
            _ = dead.wait_for(|dead| *dead) => return None,
            asked = manifest::ask(host, reference, Question::Mirror(origin)) => Some(asked),
            () = self.silence(PATIENCE.min(left / 4)) => None,
        };
        let registry = &host.endpoint.registry;
        match asked {
            Some(Ok(answer)) => {
                *self.heard() = Some(Instant::now());
                return Some(answer).filter(|answer| matches!(answer, Answer::Present { .. }));
            }
            Some(Err(error)) => tracing::warn!(registry, %error, "the mirror is passed over"),
            None => tracing::warn!(registry, "the mirror does not answer, and is passed over"),
        }
        self.dead.send_replace(true);
        None
    }

    /// Ends when the mirror has answered nobody for so long, counted from now.
    async fn silence(&self, patience: Duration) {
        let mut end = Instant::now() + patience;
        while end > Instant::now() {
            sleep_until(end).await;
            end = end.max(self.heard().map_or(end, |heard| heard + patience));
        }
    }

    fn heard(&self) -> MutexGuard<'_, Option<Instant>> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
