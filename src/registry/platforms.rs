//! What an image is for: its kind, and the platforms that it offers, as far as the configuration asks for them.
//!
//! An index says it itself; a single manifest says it in its config, which is one more question.
use super::{
    answer::Answer,
    attempt::Attempt,
    digest,
    document::{Document, Entry, platform_of_config},
    exchange::Reply,
    host::{Halt, Host, Outcome},
    manifest::{ACCEPTED, Found, blocked, denied, not_a_registry, received, refused},
};
use crate::image::{Platform, Reference, reference::is_digest};

/// How deep indexes may lie in each other.
const DEPTH: usize = 3;

/// The answer about a manifest that is there. Unless the configuration asks for platforms, nothing is fetched for it.
pub(super) async fn examine(
    host: &Host,
    attempt: &mut Attempt,
    reference: &Reference,
    found: Found,
) -> Result<Answer, Halt> {
    let wanted = &host.site.options.platforms;
    let Found { digest, document } = match found {
        Found { document: None, digest } if !wanted.is_empty() => fetch(host, attempt, reference, digest).await?,
        found => found,
    };
    if let Some(Document::Artifact(kind)) = document {
        return Ok(Answer::WrongKind(kind));
    }
    let Some(document) = document.filter(|_| !wanted.is_empty()) else { return Ok(Answer::Present { digest }) };
    let offer = offer(host, attempt, document, wanted).await?;
    let missing = offer.lacks(wanted);
    if missing.is_empty() {
        return Ok(Answer::Present { digest });
    }
    let mut offered = offer.platforms;
    offered.sort();
    offered.dedup();
    Ok(Answer::WrongPlatform { offered, missing })
}

/// Fetches what a HEAD has found: by the digest that the HEAD gave, so that it is the same.
async fn fetch(
    host: &Host,
    attempt: &mut Attempt,
    reference: &Reference,
    digest: Option<String>,
) -> Result<Found, Halt> {
    let digest = reference.digest().map(str::to_owned).or(digest);
    let url = host.url(attempt, "manifests", digest.as_deref().unwrap_or(reference.manifest_reference()));
    match host.get(attempt, &url).await? {
        Outcome::Denied(reply) => Err(denied(host, attempt, &reply)),
        Outcome::Reply(reply) if reply.status == 200 => received(host, &reply, digest.as_deref()),
        Outcome::Reply(reply) if reply.status == 404 => {
            Err(not_a_registry(&host.endpoint.registry, "it has the manifest for a HEAD, and has it not for a GET"))
        }
        Outcome::Reply(reply) => Err(refused(host, attempt, &reply).await),
    }
}

/// The platforms of an image.
#[derive(Debug, Default)]
struct Offer {
    platforms: Vec<Platform>,
    /// Whether it does not say: then a runtime takes it anywhere.
    anything: bool,
}

impl Offer {
    fn lacks(&self, wanted: &[Platform]) -> Vec<Platform> {
        let lacks = |node: &&Platform| !self.anything && !self.platforms.iter().any(|offered| node.takes(offered));
        wanted.iter().filter(lacks).cloned().collect()
    }
}

/// What a document offers. Of the entries of an index that name no platform a runtime looks at the first alone, and only
/// if no other will do; that one may be an index again.
async fn offer(host: &Host, attempt: &mut Attempt, mut document: Document, wanted: &[Platform]) -> Result<Offer, Halt> {
    let mut offer = Offer::default();
    for depth in 0..=DEPTH {
        let entries = match document {
            Document::Index(entries) => entries,
            Document::Manifest { config } => {
                match config_platform(host, attempt, config.as_deref()).await? {
                    Some(platform) => offer.platforms.push(platform),
                    None => offer.anything = true,
                }
                return Ok(offer);
            }
            _ => return Ok(offer),
        };
        offer.platforms.extend(entries.iter().filter_map(|entry| entry.platform.clone()));
        let silent = entries.into_iter().find(|entry| entry.platform.is_none());
        let Some(Entry { digest, .. }) = silent.filter(|_| !offer.lacks(wanted).is_empty()) else { return Ok(offer) };
        if depth == DEPTH {
            break;
        }
        let reply = part(host, attempt, "manifests", &digest).await?;
        match received(host, &reply, Some(&digest))?.document {
            Some(inner) => document = inner,
            None => return Ok(offer),
        }
    }
    Err(not_a_registry(&host.endpoint.registry, "its indexes lie in each other without end"))
}

async fn config_platform(host: &Host, attempt: &mut Attempt, config: Option<&str>) -> Result<Option<Platform>, Halt> {
    let Some(digest) = config else { return Ok(None) };
    let reply = part(host, attempt, "blobs", digest).await?;
    if reply.cut || !digest::is_of(digest, &reply.body) {
        return Err(not_a_registry(
            &host.endpoint.registry,
            "it served a config of another digest than its manifest names",
        ));
    }
    Ok(platform_of_config(&reply.body))
}

/// Something that a manifest names by digest, which therefore has to be there.
async fn part(host: &Host, attempt: &mut Attempt, kind: &str, digest: &str) -> Result<Reply, Halt> {
    let registry = &host.endpoint.registry;
    if !is_digest(digest) {
        return Err(not_a_registry(registry, "its manifest names something by what is no digest"));
    }
    let url = host.url(attempt, kind, digest);
    attempt.accept = if kind == "blobs" { "*/*" } else { ACCEPTED };
    match host.get(attempt, &url).await? {
        Outcome::Reply(reply) if reply.status == 200 => Ok(reply),
        Outcome::Reply(reply) if reply.status == 404 && host.says_404(&reply).await => {
            Err(blocked(&format!("its manifest names {digest}, which the registry does not have (404)")))
        }
        Outcome::Denied(reply) => Err(denied(host, attempt, &reply)),
        Outcome::Reply(reply) => Err(match reply.as_outage(registry) {
            Some(outage) => outage.into(),
            None if matches!(reply.status, 401 | 403) => denied(host, attempt, &reply),
            None => not_a_registry(registry, &format!("it answered {} for a part of an image", reply.status)),
        }),
    }
}
