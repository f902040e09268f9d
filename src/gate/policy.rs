//! From what is known of an image to what it does to the push. Pure.
use super::compare::Enforcement;
use crate::{
    image::Certainty,
    registry::canonical,
    verdict::{Severity, Verdict},
};
use std::collections::BTreeMap;

/// What a bad verdict does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The push is rejected.
    Reject,
    /// The push goes through, and is told.
    Warn,
}

/// What an image does that cannot be worked out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unresolved {
    /// The push is rejected.
    Reject,
    /// The push goes through, and is told.
    Warn,
    /// It is not mentioned.
    Ignore,
}

/// What the verdicts do, as the configuration says.
#[derive(Clone, Debug)]
pub struct Policy {
    /// For every registry that says nothing else.
    pub general: HostPolicy<Action>,
    /// For what cannot be worked out.
    pub on_unresolved: Unresolved,
    /// By registry, as references name it, but in lower case.
    pub hosts: BTreeMap<String, HostPolicy<Option<Action>>>,
}

/// What each kind of verdict does.
#[derive(Clone, Copy, Debug)]
pub struct HostPolicy<T> {
    /// The registry has no such image or not for every platform, has something else there, refuses to serve it, or could
    /// not be asked for it because it is no reference.
    pub on_missing: T,
    /// Missing or no permission, and registries that may not be asked.
    pub on_denied: T,
    /// The registry could not tell.
    pub on_error: T,
    /// The most that a place does which only likely deploys the image.
    pub on_likely: T,
}

impl Policy {
    /// What `verdict` does for an image of `registry` (`None` for what is no reference).
    pub(super) fn severity(
        &self,
        registry: Option<&str>,
        verdict: &Verdict,
        certainty: Certainty,
        enforcement: Enforcement,
    ) -> Severity {
        let host = registry.and_then(|registry| self.hosts.get(&canonical(registry)));
        let action =
            |of: fn(&HostPolicy<Option<Action>>) -> Option<Action>, general| host.and_then(of).unwrap_or(general);
        let wanted = match verdict {
            Verdict::Present => return Severity::Ok,
            Verdict::Missing | Verdict::Blocked | Verdict::WrongPlatform | Verdict::WrongKind | Verdict::Invalid => {
                action(|h| h.on_missing, self.general.on_missing)
            }
            Verdict::Denied | Verdict::NotAllowed => action(|h| h.on_denied, self.general.on_denied),
            Verdict::Unverified => action(|h| h.on_error, self.general.on_error),
        };
        let likely = action(|h| h.on_likely, self.general.on_likely);
        let is_held_back = certainty == Certainty::Likely && likely == Action::Warn;
        if wanted == Action::Reject && !is_held_back && enforcement == Enforcement::Enforce {
            Severity::Reject
        } else {
            Severity::Warn
        }
    }

    /// What notices do; `None` if they are not said.
    pub(super) fn notice_severity(&self, is_enforced: bool) -> Option<Severity> {
        match self.on_unresolved {
            Unresolved::Ignore => None,
            Unresolved::Reject if is_enforced => Some(Severity::Reject),
            Unresolved::Reject | Unresolved::Warn => Some(Severity::Warn),
        }
    }
}

impl Default for Policy {
    fn default() -> Self {
        let general = HostPolicy {
            on_missing: Action::Reject,
            on_denied: Action::Reject,
            on_error: Action::Reject,
            on_likely: Action::Warn,
        };
        Self { general, on_unresolved: Unresolved::Warn, hosts: BTreeMap::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::{Action, HostPolicy, Policy};
    use crate::{
        gate::Enforcement,
        image::Certainty,
        verdict::{Severity, Verdict},
    };

    const BAD: [Verdict; 8] = [
        Verdict::Missing,
        Verdict::Denied,
        Verdict::Blocked,
        Verdict::WrongPlatform,
        Verdict::WrongKind,
        Verdict::Invalid,
        Verdict::NotAllowed,
        Verdict::Unverified,
    ];

    #[test]
    fn by_default_everything_but_a_present_image_rejects() {
        let policy = Policy::default();
        let judge = |verdict| policy.severity(Some("r.io"), verdict, Certainty::Certain, Enforcement::Enforce);
        assert!(BAD.iter().all(|verdict| judge(verdict) == Severity::Reject));
        assert_eq!(judge(&Verdict::Present), Severity::Ok);
    }

    #[test]
    fn a_likely_place_and_a_ref_in_warn_mode_only_warn() {
        let policy = Policy::default();
        for verdict in &BAD {
            let judge = |certainty, enforcement| policy.severity(None, verdict, certainty, enforcement);
            assert_eq!(judge(Certainty::Likely, Enforcement::Enforce), Severity::Warn);
            assert_eq!(judge(Certainty::Certain, Enforcement::Warn), Severity::Warn);
        }
    }

    #[test]
    fn a_registry_has_its_own_word() {
        let mut policy = Policy::default();
        let own = HostPolicy { on_missing: None, on_denied: None, on_error: Some(Action::Warn), on_likely: None };
        policy.hosts.insert("r.io".into(), own);
        let judge =
            |registry, verdict| policy.severity(Some(registry), &verdict, Certainty::Certain, Enforcement::Enforce);
        assert_eq!(judge("r.io", Verdict::Unverified), Severity::Warn);
        assert_eq!(judge("R.io", Verdict::Unverified), Severity::Warn);
        assert_eq!(judge("r.io", Verdict::Missing), Severity::Reject);
        assert_eq!(judge("other.io", Verdict::Unverified), Severity::Reject);
    }
}
