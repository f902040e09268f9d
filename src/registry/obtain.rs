//! Obtains what a challenge asks for: a token, or the credentials themselves.
use super::{
    address::authority,
    attempt::{Attempt, Held},
    authorize::Step,
    challenge::Bearer,
    credentials::{Credentials, Proof},
    error::Error,
    host::{Halt, Host},
    token::{Granted, Service, Wanted, basic, bearer},
};
use reqwest::Url;
use std::{
    collections::BTreeSet,
    sync::{MutexGuard, PoisonError},
};

impl Host {
    /// Holds the credentials themselves for the registry's own origin.
    pub(super) fn show_credentials(&self, attempt: &mut Attempt) -> Step {
        let header = self.usable(attempt).and_then(|credentials| match &credentials.proof {
            Proof::Registry(token) => bearer(token),
            Proof::Password { .. } | Proof::Identity(_) => basic(&credentials),
        });
        let Some(header) = header else { return Step::Enough };
        attempt.sent = true;
        attempt.hold(&self.endpoint.base, Held::Fixed(header));
        Step::Again
    }

    /// Gets a token and holds it for the origin of the challenge: with our credentials if the challenge is the
    /// registry's own and the realm may have them, else as anybody; as anybody also after the credentials did not do,
    /// because the image may be public.
    pub(super) async fn token(
        &self,
        attempt: &mut Attempt,
        from: &Url,
        challenge: &Bearer,
        scope: Option<String>,
    ) -> Result<Step, Halt> {
        let realm = self.realm(from, challenge)?;
        let passage = self.passage(&realm)?;
        let own = self.endpoint.is_own(from);
        let mut credentials = self.usable(attempt).filter(|_| own);
        if !passage.trusted && credentials.take().is_some() {
            attempt.withheld = Some(authority(&realm));
        }
        let service = Service { network: &self.site.network, permits: &self.permits, reach: passage.reach.clone() };
        loop {
            let wanted = Wanted {
                realm: realm.clone(),
                service: challenge.service.clone(),
                scope: scope.clone(),
                source: credentials.as_ref().map(|credentials| credentials.source.clone()),
            };
            let granted = match &credentials {
                Some(ours) => self.proven(&wanted, ours, &service).await,
                None => Some(self.tokens.get(&wanted, || service.fetch(&wanted, None)).await),
            };
            attempt.sent |= credentials.is_some();
            match granted.transpose().map_err(|error| self.of_realm(&realm, error))? {
                Some(Granted::Token(token)) => {
                    let Some(header) = bearer(&token) else {
                        let reason = "its token cannot be sent in a header".to_owned();
                        return Err(Error::NotARegistry { host: authority(&realm), reason }.into());
                    };
                    attempt.hold(from, Held::Token { wanted, token, header });
                    return Ok(Step::Again);
                }
                Some(Granted::Refused(reply)) if credentials.is_none() => return Ok(Step::Denied(Box::new(reply))),
                Some(Granted::Refused(reply)) if reply.status != 401 => credentials = None,
                Some(Granted::Refused(_)) | None => {
                    self.refuse(attempt);
                    credentials = None;
                }
            }
        }
    }

    /// The first use of credentials goes alone: many wrong ones at the same time may lock a user out. `None` if they
    /// were refused meanwhile.
    async fn proven(
        &self,
        wanted: &Wanted,
        ours: &Credentials,
        service: &Service<'_>,
    ) -> Option<Result<Granted, Error>> {
        let mut first = None;
        let slot = &mut first;
        let alone = || async move {
            let granted = self.tokens.get(wanted, || service.fetch(wanted, Some(ours))).await;
            if matches!(&granted, Ok(Granted::Refused(reply)) if reply.status == 401) {
                self.lock().insert(ours.source.clone());
            }
            *slot = Some(granted);
        };
        self.tried.get(&ours.source, alone).await;
        match first {
            None if self.lock().contains(&ours.source) => None,
            None => Some(self.tokens.get(wanted, || service.fetch(wanted, Some(ours))).await),
            first => first,
        }
    }

    fn realm(&self, from: &Url, challenge: &Bearer) -> Result<Url, Error> {
        let Ok(mut realm) = from.join(&challenge.realm) else {
            let reason = "its token realm is not a URL".to_owned();
            return Err(Error::NotARegistry { host: self.endpoint.registry.clone(), reason });
        };
        realm.set_fragment(None);
        Ok(realm)
    }

    /// A realm without a public address is no outage either.
    fn of_realm(&self, realm: &Url, error: Error) -> Halt {
        match error {
            Error::Unreachable { failure, .. } => self.halt(realm, failure),
            error => error.into(),
        }
    }

    /// The credentials, unless they were refused before.
    pub(super) fn usable(&self, attempt: &mut Attempt) -> Option<Credentials> {
        let credentials = attempt.credentials.as_ref()?;
        if self.lock().contains(&credentials.source) {
            attempt.refused = Some(credentials.source.clone());
        }
        attempt.credentials.clone().filter(|_| attempt.refused.is_none())
    }

    pub(super) fn refuse(&self, attempt: &mut Attempt) {
        if let Some(credentials) = &attempt.credentials {
            self.lock().insert(credentials.source.clone());
            attempt.refused = Some(credentials.source.clone());
        }
    }

    /// Whether the credentials are a token for the registry itself.
    pub(super) fn has_fixed(&self, attempt: &mut Attempt) -> bool {
        matches!(self.usable(attempt), Some(Credentials { proof: Proof::Registry(_), .. }))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<String>> {
        // A panic while the lock was held leaves the set whole.
        self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
