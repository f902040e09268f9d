//! Obtains what a challenge asks for: a token, or the credentials themselves.
use super::{
    address::{Forbidden, authority},
    answer::Answer,
    attempt::{Attempt, Held},
    authorize::Step,
    challenge::Bearer,
    credentials::Proof,
    error::Error,
    exchange::Reply,
    host::{Halt, Host},
    token::{Granted, Service, Wanted, basic, bearer},
    trial::Standing,
};
use reqwest::Url;
use std::net::IpAddr;

/// Why a realm may not be asked by which the registry means itself.
const MISNAMED: Forbidden = Forbidden(
    "which seems to be its own address seen from inside: its public URL is set wrong (in Gitea: ROOT_URL), or token-realms must name it",
);

/// Why a realm may not be asked that could be allowed.
const UNNAMED: Forbidden = Forbidden("which is not listed in token-realms");

impl Host {
    /// Holds the credentials themselves for the registry's own origin.
    pub(super) fn show_credentials(&self, attempt: &mut Attempt) -> Step {
        let header = attempt.usable().and_then(|credentials| match &credentials.proof {
            Proof::Registry(token) => bearer(token),
            Proof::Password { .. } | Proof::Identity(_) => basic(credentials),
        });
        let Some(header) = header else { return Step::Enough };
        attempt.sent = true;
        attempt.hold(&self.endpoint.base, Held::Fixed(header));
        Step::Again
    }

    /// What a challenge asks us to get. Without a scope it is a token for the repository.
    pub(super) fn wanted(&self, from: &Url, bearer: &Bearer, repository: &str) -> Result<Wanted, Error> {
        let Ok(mut realm) = from.join(&bearer.realm) else {
            return Err(self.not_a_registry("its token realm is not a URL"));
        };
        realm.set_fragment(None);
        let own = format!("repository:{repository}:");
        let scope = bearer.scope.clone().filter(|scope| !scope.starts_with(&own));
        Ok(Wanted { realm, service: bearer.service.clone(), scope, source: None })
    }

    /// Gets a token and holds it for the origin of the challenge: with our credentials if the challenge is the
    /// registry's own and the realm may have them, else as anybody; as anybody also after the credentials did not do,
    /// because the image may be public.
    pub(super) async fn token(&self, attempt: &mut Attempt, from: &Url, wanted: Wanted) -> Result<Step, Halt> {
        let scope = wanted.scope.unwrap_or_else(|| format!("repository:{}:pull", attempt.repository));
        let anybody = Wanted { scope: Some(scope), source: None, ..wanted };
        match self.granted(attempt, from, &anybody).await.map_err(|halt| self.explain(&anybody.realm, halt))? {
            (wanted, Granted::Token(token)) => {
                let Some(header) = bearer(&token) else {
                    return Err(self.not_a_registry("its token cannot be sent in a header").into());
                };
                attempt.hold(from, Held::Token { wanted, token, header });
                Ok(Step::Again)
            }
            (_, Granted::Refused(reply)) => Ok(Step::Denied(Box::new(reply))),
        }
    }

    async fn granted(&self, attempt: &mut Attempt, from: &Url, anybody: &Wanted) -> Result<(Wanted, Granted), Halt> {
        let passage = self.passage(&anybody.realm)?;
        let service = &Service { network: &self.site.network, permits: &self.permits, reach: passage.reach };
        let ours = attempt.usable().filter(|_| self.endpoint.is_own(from)).cloned();
        match ours {
            None => {}
            Some(_) if !passage.trusted => attempt.withheld = Some(authority(&anybody.realm)),
            Some(ours) => {
                let wanted = &Wanted { source: Some(ours.source.clone()), ..anybody.clone() };
                attempt.sent = true;
                let ask = || self.tokens.get(wanted, || service.fetch(wanted, Some(&ours)));
                match self.try_out(&ours.source, ask, standing).await.transpose()? {
                    Some(token @ Granted::Token(_)) => return Ok((wanted.clone(), token)),
                    // Right, but not for this.
                    Some(Granted::Refused(Reply { status, .. })) if status != 401 || self.is_accepted(&ours.source) => {
                    }
                    Some(Granted::Refused(_)) | None => attempt.refused = Some(ours.source),
                }
            }
        }
        let granted = self.tokens.get(anybody, || service.fetch(anybody, None)).await?;
        Ok((anybody.clone(), granted))
    }

    /// Why there is no token, if that is because of the realm.
    fn explain(&self, realm: &Url, halt: Halt) -> Halt {
        let halt = match halt {
            Halt::Error(Error::Unreachable { failure, .. }) => self.halt(realm, failure),
            halt => halt,
        };
        match halt {
            Halt::Error(Error::Diverted { .. } | Error::Unreachable { .. })
            | Halt::Answer(Answer::NotAllowed { .. })
                if self.is_misnamed(realm) =>
            {
                self.diverted(realm, MISNAMED)
            }
            Halt::Answer(Answer::NotAllowed { refusal, host, configuration })
                if self.endpoint.listed && !configuration.is_empty() =>
            {
                let registry = format!("[registries.\"{}\"]", self.endpoint.registry.to_ascii_lowercase());
                let configuration = vec![registry, format!("token-realms = [\"{host}\"]")];
                Halt::Answer(Answer::NotAllowed { refusal, host, configuration })
            }
            Halt::Error(Error::Diverted { .. })
                if self.endpoint.listed
                    && realm.scheme() == self.endpoint.base.scheme()
                    && realm.username().is_empty()
                    && realm.password().is_none() =>
            {
                self.diverted(realm, UNNAMED)
            }
            halt => halt,
        }
    }

    /// Whether a realm seems to be the registry itself by a name that only it would use: Gitea with a wrong `ROOT_URL`.
    fn is_misnamed(&self, realm: &Url) -> bool {
        let host = realm.host_str().unwrap_or_default();
        let address: Option<IpAddr> = host.trim_start_matches('[').trim_end_matches(']').parse().ok();
        let here = address.is_some_and(|address| address.is_loopback() || address.is_unspecified());
        let local = host == "localhost" || here;
        // What the configuration vouches for is another service, at whatever port.
        let vouched_for = self.passage(realm).is_ok_and(|passage| passage.trusted);
        !vouched_for && !self.endpoint.is_own(realm) && (local || Some(host) == self.endpoint.base.host_str())
    }

    fn not_a_registry(&self, reason: &str) -> Error {
        Error::NotARegistry { host: self.endpoint.registry.clone(), reason: reason.to_owned() }
    }
}

/// What a token service's answer to credentials says of them.
fn standing(granted: &Result<Granted, Error>) -> Standing {
    match granted {
        Ok(Granted::Refused(reply)) if reply.status == 401 => Standing::Refused,
        Ok(_) => Standing::Accepted,
        Err(_) => Standing::Unclear,
    }
}
