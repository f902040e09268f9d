//! Whether a manifest can be pulled: HEAD, then GET before anything but "yes" is believed.
use super::{
    answer::{Answer, Repository},
    attempt::Attempt,
    complaint::Complaint,
    error::Error,
    exchange::Reply,
    host::{Halt, Host, Outcome},
    tags,
};
use crate::{
    http::Failure,
    image::{Reference, reference::is_digest},
};
use serde::Deserialize;
use sha2::{Digest as _, Sha256, Sha384, Sha512};

/// What a runtime would take. All of them, or registries say 404 for what they have in another type.
pub(super) const ACCEPTED: &str = concat!(
    "application/vnd.oci.image.index.v1+json, ",
    "application/vnd.oci.image.manifest.v1+json, ",
    "application/vnd.docker.distribution.manifest.list.v2+json, ",
    "application/vnd.docker.distribution.manifest.v2+json"
);

/// Asks a registry about an image; a mirror with the registry that it is asked in place of, and believed only if it says
/// "present".
pub(super) async fn ask(host: &Host, reference: &Reference, mirrored: Option<&str>) -> Result<Answer, Error> {
    match question(host, reference, mirrored).await {
        Ok(answer) | Err(Halt::Answer(answer)) => Ok(answer),
        Err(Halt::Error(error)) => Err(error),
    }
}

async fn question(host: &Host, reference: &Reference, mirrored: Option<&str>) -> Result<Answer, Halt> {
    let mut attempt = host.attempt(reference.repository())?;
    let mut url = host.endpoint.base.clone();
    url.set_path(&format!("v2/{}/manifests/{}", reference.repository(), reference.manifest_reference()));
    if let Some(origin) = mirrored {
        // How containerd tells a mirror of several registries which one is meant.
        url.query_pairs_mut().append_pair("ns", origin);
    }
    match host.head(&mut attempt, &url).await {
        Ok(Outcome::Denied(reply)) => return denied(host, &attempt, &reply),
        Ok(Outcome::Reply(reply)) => {
            if let Some(digest) = vouched_for(&reply, reference) {
                return Ok(Answer::Present { digest });
            }
            if let Some(outage) = reply.as_outage(&host.endpoint.registry) {
                return Err(outage.into());
            }
        }
        // Some servers break the connection on HEAD alone.
        Err(Halt::Error(Error::Unreachable { failure: Failure::Broken(_), .. })) => {}
        Err(halt) => return Err(halt),
    }
    match host.get(&mut attempt, &url).await? {
        Outcome::Denied(reply) => denied(host, &attempt, &reply),
        Outcome::Reply(reply) if mirrored.is_some() && reply.status != 200 => {
            // The origin is asked next, so this one need not say more.
            Ok(Answer::Absent {
                status: reply.status,
                code: None,
                repository: Repository::Unknown,
                suggestions: vec![],
            })
        }
        Outcome::Reply(reply) => judge(host, &attempt, reference, &reply).await,
    }
}

/// Whether the answer to a HEAD is a registry's "yes", and the digest it names. Sign-in pages say 200 to everything.
fn vouched_for(reply: &Reply, reference: &Reference) -> Option<Option<String>> {
    let digest = reply.header("docker-content-digest").filter(|digest| is_digest(digest));
    let media_type = reply.header("content-type").and_then(|value| value.split(';').next()).map(str::trim);
    let is_manifest = media_type.is_some_and(|media_type| ACCEPTED.split(", ").any(|known| known == media_type));
    let algorithm = |digest: &str| digest.split(':').next().map(str::to_owned);
    let contradicts = digest
        .zip(reference.digest())
        .is_some_and(|(named, asked)| named != asked && algorithm(named) == algorithm(asked));
    (reply.status == 200 && (digest.is_some() || is_manifest) && !contradicts).then(|| digest.map(str::to_owned))
}

/// What the answer to a GET means.
async fn judge(host: &Host, attempt: &Attempt, reference: &Reference, reply: &Reply) -> Result<Answer, Halt> {
    let registry = &host.endpoint.registry;
    if let Some(outage) = reply.as_outage(registry) {
        return Err(outage.into());
    }
    let complaint = Complaint::of(&reply.body);
    let refuses = matches!(complaint.code.as_deref(), Some("UNAUTHORIZED" | "DENIED"));
    match reply.status {
        200 => pulled(registry, reference, reply),
        404 if host.is_vouched_for(reply) || complaint.is_registry || speaks_registry(reply) => {
            Ok(absent(host, attempt, reference, complaint.code).await)
        }
        404 => Err(not_a_registry(registry, "it answered 404 without saying what is missing")),
        401 | 403 => denied(host, attempt, reply),
        400 if refuses => denied(host, attempt, reply),
        412 | 451 => {
            let message = complaint.message.or(complaint.code).unwrap_or_else(|| reply.status.to_string());
            Ok(Answer::Blocked { message })
        }
        status => {
            Err(Error::Server { host: registry.clone(), status, message: complaint.message.or(complaint.code) }.into())
        }
    }
}

fn speaks_registry(reply: &Reply) -> bool {
    reply.headers.contains_key("docker-distribution-api-version")
}

fn not_a_registry(registry: &str, reason: &str) -> Halt {
    Error::NotARegistry { host: registry.to_owned(), reason: reason.to_owned() }.into()
}

/// A 200 to a GET, which must be a manifest, and the one that was asked for.
fn pulled(registry: &str, reference: &Reference, reply: &Reply) -> Result<Answer, Halt> {
    #[derive(Deserialize)]
    struct Manifest {
        #[serde(rename = "schemaVersion")]
        schema_version: u64,
    }
    if reply.cut {
        return Err(not_a_registry(registry, "its manifest is longer than the 4 MiB that a runtime would take"));
    }
    let Ok(manifest) = serde_json::from_slice::<Manifest>(&reply.body) else {
        return Err(not_a_registry(registry, "it answered 200 with something that is not a manifest"));
    };
    if manifest.schema_version == 1 {
        let message = "it has only a manifest of the retired schema 1, which runtimes no longer take".to_owned();
        return Ok(Answer::Blocked { message });
    }
    if manifest.schema_version != 2 {
        return Err(not_a_registry(registry, "it answered 200 with something that is not a manifest"));
    }
    if reference.digest().is_some_and(|digest| digest_like(digest, &reply.body) != digest) {
        return Err(not_a_registry(registry, "it served a manifest of another digest than the one asked for"));
    }
    let named = reply.header("docker-content-digest").filter(|digest| is_digest(digest));
    Ok(Answer::Present { digest: reference.digest().or(named).map(str::to_owned) })
}

/// The digest of a body, by the algorithm of another digest.
fn digest_like(digest: &str, body: &[u8]) -> String {
    let (algorithm, _) = digest.split_once(':').unwrap_or((digest, ""));
    let hash = match algorithm {
        "sha384" => Sha384::digest(body).to_vec(),
        "sha512" => Sha512::digest(body).to_vec(),
        _ => Sha256::digest(body).to_vec(),
    };
    let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{algorithm}:{hex}")
}

async fn absent(host: &Host, attempt: &Attempt, reference: &Reference, code: Option<String>) -> Answer {
    let (repository, suggestions) = match (code.as_deref(), reference.digest(), reference.tag()) {
        (Some("NAME_UNKNOWN"), ..) => (Repository::Missing, Vec::new()),
        (_, None, Some(tag)) if host.site.options.suggestions => tags::alike(host, attempt, tag).await,
        _ => (Repository::Unknown, Vec::new()),
    };
    Answer::Absent { status: 404, code, repository, suggestions }
}

/// A "no" that may as well mean "not you". If credentials were refused on the way, the administrator has to act, and
/// it is not known what the right ones would have shown.
fn denied(host: &Host, attempt: &Attempt, reply: &Reply) -> Result<Answer, Halt> {
    let complaint = Complaint::of(&reply.body);
    let expired = complaint.message.as_deref().is_some_and(|text| text.contains("authorization token has expired"));
    let refused = attempt.refused.clone().or_else(|| attempt.source().filter(|_| expired));
    if let Some(origin) = refused {
        return Err(Error::RefusedCredentials { host: host.endpoint.registry.clone(), origin }.into());
    }
    Ok(Answer::Denied {
        status: reply.status,
        code: complaint.code,
        asked_as: attempt.asked_as(),
        withheld: attempt.withheld.clone(),
    })
}
