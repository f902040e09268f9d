//! The inspection of a push: compare, gather, ask, judge.
use super::{
    compare::{Comparison, Initial, RefRules, comparisons},
    gather::{Asked, Gathered},
    judge::{judge, note},
    patterns::Patterns,
    policy::Policy,
};
use crate::{
    deploy,
    git::{self, Repository},
    image::{ImageUse, Reference},
    push::{RefName, RefUpdate},
    registry::{Checked, Registries},
    tree::{self, Tree},
    verdict::{Finding, Report, Verdict, escape},
};
use std::{
    io,
    time::{Duration, Instant},
};

/// What the configuration says of a push, apart from the registries.
#[derive(Clone, Debug)]
pub struct Options {
    /// What the verdicts do.
    pub policy: Policy,
    /// Which refs are judged.
    pub refs: RefRules,
    /// Paths that are left out.
    pub ignore: Patterns,
    /// Branches without history in common with the default branch.
    pub initial: Initial,
    /// For the whole push, from its start.
    pub deadline: Duration,
    /// Distinct images that are asked for; more are findings.
    pub max_images: usize,
    /// The largest manifest file that is read, in bytes.
    pub file_limit: u64,
}

/// The gate: the policy, and the registries to ask.
#[derive(Debug)]
pub struct Gate {
    options: Options,
    registries: Registries,
}

/// What came of an inspection.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What is to be said, and so the decision.
    pub report: Report,
    /// Distinct images that the push would newly deploy.
    pub changed: usize,
}

/// Why a push could not be judged: it is then rejected.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The objects of a ref update could not be read.
    #[error("{name}", name = escape(&name.to_string(), 200))]
    Ref {
        /// The ref.
        name: RefName,
        /// What could not be read.
        source: git::Error,
    },
    /// A file or directory of the trees could not be read.
    #[error(transparent)]
    Tree(#[from] tree::Error),
    /// No runtime for the network could be had from the system.
    #[error("cannot start asking the registries")]
    Runtime(#[from] io::Error),
}

impl Gate {
    /// Builds nothing yet, and asks nobody.
    pub fn new(options: Options, registries: Registries) -> Self {
        Self { options, registries }
    }

    /// Judges the `updates` of a push that began at `started`. Asks no registry unless an image would be newly deployed.
    pub fn inspect(&self, repository: &Repository, updates: &[RefUpdate], started: Instant) -> Result<Outcome, Error> {
        let comparisons = comparisons(repository, updates, &self.options.refs, self.options.initial)
            .map_err(|(name, source)| Error::Ref { name, source })?;
        let gathered = self.gather(&comparisons)?;
        tracing::debug!(elapsed = ?started.elapsed(), trees = comparisons.len(), images = gathered.images.len(), "compared");
        let answers = self.ask(&gathered, started)?;
        tracing::debug!(elapsed = ?started.elapsed(), answers = answers.answers.len(), "asked");
        Ok(self.judge(gathered, &answers))
    }

    fn gather(&self, comparisons: &[Comparison<'_>]) -> Result<Gathered, Error> {
        let ignored = |path: &tree::RepoPath| self.options.ignore.matches(path.as_bytes());
        let options = deploy::Options { ignored: &ignored, file_limit: self.options.file_limit };
        let mut gathered = Gathered::default();
        for Comparison { old, new, enforcement } in comparisons {
            let changes = deploy::changed(old.as_ref().map(|old| old as &dyn Tree), new, &options)?;
            changes.uses.into_iter().for_each(|image| gathered.add_use(image, *enforcement));
            changes.notices.into_iter().for_each(|notice| gathered.add_notice(notice, *enforcement));
        }
        Ok(gathered)
    }

    fn ask(&self, gathered: &Gathered, started: Instant) -> Result<Checked, Error> {
        let valid = gathered.images.values().filter_map(|asked| asked.reference.as_ref().ok());
        let references: Vec<Reference> = valid.take(self.options.max_images).cloned().collect();
        if references.is_empty() {
            return Ok(Checked::default());
        }
        // The clock is looked at often: a server may send what takes long to read.
        let runtime = tokio::runtime::Builder::new_current_thread().event_interval(4).enable_all().build()?;
        let answers = runtime.block_on(self.registries.check(&references, started + self.options.deadline));
        // A name look-up that is still under way on another thread must not hold up the push.
        runtime.shutdown_background();
        Ok(answers)
    }

    fn judge(&self, gathered: Gathered, checked: &Checked) -> Outcome {
        let changed = gathered.images.len();
        let notes = gathered.images.values().filter_map(|asked| {
            let reference = asked.reference.as_ref().ok()?;
            Some(note(reference, &asked.image, checked.moved.get(reference)?))
        });
        let notes = notes.collect();
        let mut findings: Vec<Finding> =
            gathered.images.into_values().filter_map(|asked| self.finding(asked, checked)).collect();
        findings.sort_by(|a, b| (b.severity, &a.image.place).cmp(&(a.severity, &b.image.place)));
        let notice_severity = self.options.policy.notice_severity(gathered.enforced_notice);
        Outcome {
            report: Report { findings, notices: gathered.notices.into_iter().collect(), notice_severity, notes },
            changed,
        }
    }

    /// The finding about one image; `None` if there is nothing to say of it.
    fn finding(&self, asked: Asked, checked: &Checked) -> Option<Finding> {
        let Asked { reference, image, enforcement, others } = asked;
        let answer = reference.as_ref().ok().map(|reference| checked.answers.get(reference));
        let judged = judge(&reference, answer.flatten(), self.options.max_images)?;
        // A volume may hold what no runtime can start.
        let starts = |image: &ImageUse| image.form != "image-volume";
        if judged.verdict == Verdict::WrongKind && !starts(&image) && !others.iter().any(starts) {
            return None;
        }
        let registry = reference.as_ref().ok().map(Reference::registry);
        let severity = self.options.policy.severity(registry, &judged.verdict, image.certainty, enforcement);
        let mut also: Vec<_> =
            others.into_iter().map(|other| other.place).filter(|place| *place != image.place).collect();
        also.sort();
        also.dedup();
        Some(Finding {
            image,
            also,
            canonical: reference.ok(),
            verdict: judged.verdict,
            severity,
            detail: judged.detail,
            hints: judged.hints,
            suggestions: judged.suggestions,
        })
    }
}

/// The default of interface and documentation.
impl Default for Options {
    fn default() -> Self {
        Self {
            policy: Policy::default(),
            refs: RefRules::default(),
            ignore: Patterns::default(),
            initial: Initial::Check,
            deadline: Duration::from_secs(10),
            max_images: 5000,
            file_limit: 16 << 20,
        }
    }
}
