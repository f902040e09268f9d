//! Whether a manifest can be pulled: HEAD, then GET before anything but "yes" is believed.
use super::{
    answer::{Answer, Repository},
    attempt::Attempt,
    complaint::Complaint,
    digest,
    document::{Document, names_schema_1},
    error::Error,
    exchange::Reply,
    follow::LARGEST_MANIFEST,
    host::{Halt, Host, Outcome},
    platforms, tags,
};
use crate::{
    http::Failure,
    image::{Reference, reference::is_digest},
};
use reqwest::Url;

/// What a runtime would take. All of them, or registries say 404 for what they have in another type.
pub(super) const ACCEPTED: &str = concat!(
    "application/vnd.oci.image.index.v1+json, ",
    "application/vnd.oci.image.manifest.v1+json, ",
    "application/vnd.docker.distribution.manifest.list.v2+json, ",
    "application/vnd.docker.distribution.manifest.v2+json"
);

/// What a registry has.
#[derive(Debug)]
pub(super) struct Found {
    /// As the registry names it, unless the manifest itself was seen.
    pub(super) digest: Option<String>,
    /// Only if it was fetched.
    pub(super) document: Option<Document>,
}

/// What is asked about an image.
#[derive(Clone, Copy, Debug)]
pub(super) enum Question<'q> {
    /// Everything, of the registry itself.
    Origin,
    /// Whether it can be pulled, of a mirror of this registry: believed only if it says "present".
    Mirror(&'q str),
    /// Whether there is a manifest, and nothing about it.
    Existence,
}

/// Asks a registry about an image. Where several credentials may do, those that do not are followed by the next, as a
/// kubelet tries them; if none does, "absent" counts, and else what was said of the first. What everybody may pull is
/// there even if it cannot be found out who we are.
pub(super) async fn ask(host: &Host, reference: &Reference, question: Question<'_>) -> Result<Answer, Error> {
    let (attempts, unknown) = match host.attempts(reference.repository()).await {
        Ok(attempts) => (attempts, None),
        Err(error) => (vec![Attempt::new(reference.repository(), None)], Some(error)),
    };
    let is_absent = |answer: &Result<Answer, Error>| matches!(answer, Ok(Answer::Absent { .. }));
    let mut said = None;
    for mut attempt in attempts {
        let answer = ask_as(host, &mut attempt, reference, question).await;
        let may_be_ours = matches!(answer, Ok(Answer::Denied { .. }) | Err(Error::RefusedCredentials { .. }));
        let is_final = match unknown {
            None => !may_be_ours && !is_absent(&answer),
            Some(_) => matches!(answer, Ok(Answer::Present { .. })),
        };
        if is_final {
            return answer;
        }
        if said.as_ref().is_none_or(|said| is_absent(&answer) && !is_absent(said)) {
            said = Some(answer);
        }
    }
    unknown.map(Err).or(said).expect("there is always an attempt, if only as anybody")
}

async fn ask_as(
    host: &Host,
    attempt: &mut Attempt,
    reference: &Reference,
    question: Question<'_>,
) -> Result<Answer, Error> {
    if let Question::Mirror(origin) = question {
        attempt.mirrored = Some(origin.to_owned());
    }
    let found = find(host, attempt, reference).await;
    let answer = match (found, question) {
        (Ok(found), Question::Existence) => Ok(Answer::Present { digest: found.digest }),
        // Boxed, as what follows: few images need it, and thousands wait.
        (Ok(found), _) => Box::pin(platforms::examine(host, attempt, reference, found)).await,
        (Err(halt), _) => Err(halt),
    };
    let mut answer = answer.or_else(Halt::into_answer)?;
    if let Answer::Absent { repository: repository @ Repository::Unknown, suggestions, .. } = &mut answer
        && host.site.options.suggestions
        && matches!(question, Question::Origin)
    {
        (*repository, *suggestions) = Box::pin(tags::look(host, attempt, reference)).await;
    }
    Ok(answer)
}

/// Finds a manifest, or halts with the reason why there is none.
async fn find(host: &Host, attempt: &mut Attempt, reference: &Reference) -> Result<Found, Halt> {
    let url = host.url(attempt, "manifests", reference.manifest_reference());
    match host.head(attempt, &url).await {
        Ok(Outcome::Denied(reply)) => return Err(denied(host, attempt, &reply)),
        Ok(Outcome::Reply(reply)) if is_yes(&reply, reference.digest()) => {
            if let Some(size) = reply.length().filter(|&size| size > LARGEST_MANIFEST) {
                return Err(too_large(size));
            }
            return Ok(Found { digest: named_digest(&reply), document: None });
        }
        // Some servers do not know HEAD.
        Ok(Outcome::Reply(reply)) if reply.status == 501 => {}
        Ok(Outcome::Reply(reply)) => {
            if let Some(outage) = reply.as_outage(&host.endpoint.registry) {
                return Err(outage.into());
            }
        }
        // Some servers break the connection on HEAD alone.
        Err(Halt::Error(Error::Unreachable { failure: Failure::Broken(_), .. })) => {}
        Err(halt) => return Err(halt),
    }
    match host.get(attempt, &url).await? {
        Outcome::Denied(reply) => Err(denied(host, attempt, &reply)),
        Outcome::Reply(reply) if reply.status == 200 => received(host, &reply, reference.digest()),
        // The origin is asked next, so a mirror need not say more.
        Outcome::Reply(reply) if attempt.mirrored.is_some() => Err(absent(reply.status, None)),
        Outcome::Reply(reply) => Err(refused(host, attempt, &reply).await),
    }
}

/// Whether the answer to a HEAD is a registry's "yes" to this digest or, without one, to a tag. Sign-in pages say 200 to
/// everything, and some registries serve schema 1 to whoever did not ask for it: then the manifest itself must show.
fn is_yes(reply: &Reply, asked: Option<&str>) -> bool {
    let digest = named_digest(reply);
    let is_manifest = reply.media_type().is_some_and(|given| ACCEPTED.split(", ").any(|known| known == given));
    let contradicts = digest.as_deref().zip(asked).is_some_and(|(named, asked)| digest::differ(named, asked));
    let is_retired = reply.media_type().is_some_and(names_schema_1);
    reply.status == 200 && (digest.is_some() || is_manifest) && !contradicts && !is_retired
}

/// The digest that a registry names. For a tag it is believed: whoever pulls asks for it next.
fn named_digest(reply: &Reply) -> Option<String> {
    reply.header("docker-content-digest").filter(|digest| is_digest(digest)).map(str::to_owned)
}

/// A 200 to a GET, which must be a manifest, and the one that was asked for if it was asked for by digest.
pub(super) fn received(host: &Host, reply: &Reply, asked: Option<&str>) -> Result<Found, Halt> {
    let strange = |reason| Err(not_a_registry(&host.endpoint.registry, reason));
    if reply.cut {
        return match reply.length() {
            Some(size) if !reply.media_type().is_some_and(|given| given.starts_with("text/")) => Err(too_large(size)),
            Some(_) => strange("it answered 200 with something that is not a manifest"),
            None => strange("its manifest is longer than any that a runtime would take"),
        };
    }
    if asked.is_some_and(|digest| !digest::is_of(digest, &reply.body)) {
        return strange("it served a manifest of another digest than the one asked for");
    }
    match Document::read(&reply.body, reply.media_type()) {
        Document::Nothing => strange("it answered 200 with something that is not a manifest"),
        Document::Refused(reason) => Err(blocked(reason)),
        document => {
            let digest = asked.map_or_else(|| digest::of(&reply.body), str::to_owned);
            Ok(Found { digest: Some(digest), document: Some(document) })
        }
    }
}

/// What an answer to a GET means that is not 200.
pub(super) async fn refused(host: &Host, attempt: &Attempt, reply: &Reply) -> Halt {
    let registry = &host.endpoint.registry;
    if let Some(outage) = reply.as_outage(registry) {
        return outage.into();
    }
    let complaint = Complaint::of(&reply.body);
    let refuses = matches!(complaint.code.as_deref(), Some("UNAUTHORIZED" | "DENIED"));
    match reply.status {
        404 if complaint.message.as_deref().is_some_and(names_schema_1) => {
            blocked("the registry has it as a manifest of the retired schema 1 alone, which runtimes no longer take")
        }
        // Some say so to everybody but who may read it.
        404 if attempt.refused.is_some() => denied(host, attempt, reply),
        404 if host.says_404(reply).await => absent(404, complaint.code),
        404 => not_a_registry(registry, "it answered 404 without saying what is missing"),
        401 | 403 => denied(host, attempt, reply),
        400 if refuses => denied(host, attempt, reply),
        412 | 451 => {
            let message = complaint.message.or(complaint.code).unwrap_or_else(|| reply.status.to_string());
            Halt::Answer(Answer::Blocked { message })
        }
        status => {
            Error::Server { host: registry.clone(), status, message: complaint.message.or(complaint.code) }.into()
        }
    }
}

impl Host {
    /// Where something of the attempt's repository is: of `manifests` or `blobs`, by tag or digest.
    pub(super) fn url(&self, attempt: &Attempt, kind: &str, reference: &str) -> Url {
        let mut url = self.endpoint.base.clone();
        url.set_path(&format!("v2/{}/{kind}/{reference}", attempt.repository));
        if let Some(origin) = &attempt.mirrored {
            // How containerd tells a mirror of several registries which one is meant.
            url.query_pairs_mut().append_pair("ns", origin);
        }
        url
    }

    /// Whether a 404 is a registry's, and not that of a server which knows nothing of images.
    pub(super) async fn says_404(&self, reply: &Reply) -> bool {
        reply.headers.contains_key("docker-distribution-api-version")
            || Complaint::of(&reply.body).is_registry
            || self.is_vouched_for(reply) && Box::pin(self.has_api()).await
    }
}

pub(super) fn not_a_registry(registry: &str, reason: &str) -> Halt {
    Error::NotARegistry { host: registry.to_owned(), reason: reason.to_owned() }.into()
}

pub(super) fn blocked(message: &str) -> Halt {
    Halt::Answer(Answer::Blocked { message: message.to_owned() })
}

fn too_large(size: usize) -> Halt {
    blocked(&format!("its manifest has {size} bytes, and containerd takes no more than {LARGEST_MANIFEST}"))
}

fn absent(status: u16, code: Option<String>) -> Halt {
    let is_missing = code.as_deref() == Some("NAME_UNKNOWN");
    let repository = if is_missing { Repository::Missing } else { Repository::Unknown };
    Halt::Answer(Answer::Absent { status, code, repository, suggestions: Vec::new() })
}

/// A "no" that may as well mean "not you". If credentials were refused on the way, the administrator has to act, and
/// it is not known what the right ones would have shown.
pub(super) fn denied(host: &Host, attempt: &Attempt, reply: &Reply) -> Halt {
    let complaint = Complaint::of(&reply.body);
    let expired = complaint.message.as_deref().is_some_and(|text| text.contains("authorization token has expired"));
    let refused = attempt.refused.clone().or_else(|| attempt.source().filter(|_| expired));
    if let Some(origin) = refused {
        return Error::RefusedCredentials { host: host.endpoint.registry.clone(), origin }.into();
    }
    Halt::Answer(Answer::Denied {
        status: reply.status,
        code: complaint.code,
        asked_as: attempt.asked_as(),
        withheld: attempt.withheld.clone(),
    })
}
