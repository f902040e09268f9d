//! A request and where the registry sends it: redirects, each judged before it is followed.
use super::{
    address::{Forbidden, Others, Passage, authority, not_allowed, origin},
    answer::Refusal,
    attempt::Attempt,
    error::Error,
    exchange::{Limits, Reply, Request},
    host::{Halt, Host},
};
use crate::http::Failure;
use reqwest::{
    Method, Url,
    header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderValue, LOCATION},
};

/// Redirects that are followed for one question.
const REDIRECTS: usize = 5;
/// In bytes: containerd takes no larger manifests (it means 4 MiB, and has always multiplied otherwise).
pub(super) const LARGEST_MANIFEST: usize = 4 * 1048 * 1048;
const LIMITS: Limits = Limits { success: LARGEST_MANIFEST, other: 8 * 1024 };

impl Host {
    /// Sends a request and follows redirects, each only to where the registry may send us. Every origin gets the
    /// authorization that is held for it and no other.
    pub(super) async fn follow(&self, attempt: &Attempt, method: Method, url: &Url) -> Result<Reply, Halt> {
        let mut url = url.clone();
        for _ in 0..=REDIRECTS {
            let passage = self.passage(&url)?;
            let mut headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(attempt.accept))]);
            headers.extend(attempt.held(&url).map(|held| (AUTHORIZATION, held.header().clone())));
            let request = Request { method: method.clone(), url: url.clone(), headers, body: None };
            let network = &self.site.network;
            let reply = network.send(&self.permits, &request, &passage.reach, LIMITS).await;
            let reply = reply.map_err(|failure| self.halt(&url, failure))?;
            let Some(target) = redirect(&reply) else { return Ok(reply) };
            if url.scheme() == "https" && target.scheme() != "https" {
                return Err(self.diverted(&target, Forbidden("which is not https")));
            }
            url = target;
        }
        let reason = "it redirects without end".to_owned();
        Err(Error::NotARegistry { host: self.endpoint.registry.clone(), reason }.into())
    }

    pub(super) fn passage(&self, url: &Url) -> Result<Passage, Halt> {
        let proxied = self.site.network.clients.is_proxied(url);
        let others = Others { hosts: &self.site.options.hosts, proxied };
        let passage = self.endpoint.passage(url, &others).map_err(|forbidden| self.diverted(url, forbidden))?;
        let is_stranger = !passage.trusted && !self.site.options.hosts.contains_key(&authority(url));
        if is_stranger && !self.site.strangers.admit(url) {
            return Err(self.diverted(url, Forbidden("which is not listed, and too many other hosts are neither")));
        }
        Ok(passage)
    }

    pub(super) fn diverted(&self, to: &Url, forbidden: Forbidden) -> Halt {
        let host = self.endpoint.registry.clone();
        Error::Diverted { host, to: origin(to), reason: forbidden.0 }.into()
    }

    pub(super) fn halt(&self, url: &Url, failure: Failure) -> Halt {
        let failure = self.site.network.clients.blame(url, failure);
        let own = self.endpoint.is_own(url);
        let host = if own { self.endpoint.registry.clone() } else { authority(url) };
        let listed = if own { self.endpoint.listed } else { self.site.options.hosts.contains_key(&host) };
        match refusal(&failure, listed, own && self.endpoint.is_docker_hub()) {
            Some(refusal) => Halt::Answer(not_allowed(refusal, &host)),
            None => Error::of(&authority(url), failure).into(),
        }
    }
}

/// A private address is no outage: the configuration decides. Of an unlisted host it is not said whether its name exists,
/// for names of private networks are not everybody's business. That Docker Hub exists everybody knows: if its name does
/// not, that is this server's DNS.
fn refusal(failure: &Failure, listed: bool, is_docker_hub: bool) -> Option<Refusal> {
    match failure {
        Failure::NotPublic if listed => Some(Refusal::Private),
        Failure::NoSuchHost if listed || is_docker_hub => None,
        Failure::NotPublic | Failure::NoSuchHost => Some(Refusal::NoPublicAddress),
        _ => None,
    }
}

fn redirect(reply: &Reply) -> Option<Url> {
    matches!(reply.status, 301 | 302 | 303 | 307 | 308).then_some(())?;
    let location = reply.headers.get(LOCATION)?.to_str().ok()?;
    reply.url.join(location).ok()
}

#[cfg(test)]
mod tests {
    use super::{Failure, Refusal, refusal};

    #[test]
    fn a_name_that_is_not_there_is_a_refusal_only_where_it_could_give_away_a_private_network() {
        assert_eq!(refusal(&Failure::NoSuchHost, false, false), Some(Refusal::NoPublicAddress));
        assert_eq!(refusal(&Failure::NotPublic, false, false), Some(Refusal::NoPublicAddress));
        assert_eq!(refusal(&Failure::NotPublic, true, false), Some(Refusal::Private));
        assert_eq!(refusal(&Failure::NoSuchHost, true, false), None);
        assert_eq!(refusal(&Failure::NoSuchHost, false, true), None, "Docker Hub is there: the DNS is broken");
        assert_eq!(refusal(&Failure::Silent, false, false), None);
    }
}
