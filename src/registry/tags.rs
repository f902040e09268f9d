//! The list of a repository's tags, as far as it helps whoever asked for one that is not there.
use super::{
    answer::Repository,
    attempt::Attempt,
    complaint::Complaint,
    exchange::Reply,
    host::{Host, Outcome},
    nearest::{nearest, stem},
};
use crate::image::{Reference, reference::is_tag};
use serde::Deserialize;
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, timeout_at};

/// How long the list may take; the answer is known without it.
const PATIENCE: Duration = Duration::from_secs(1);
/// What is kept of the time of the whole check.
const RESERVE: Duration = Duration::from_millis(100);
/// How many tags are asked for: the most that all registries grant (ECR refuses to be asked for more).
const PAGE: usize = 1000;
/// How many are kept, since some registries send all that they have whatever they are asked for.
const KEPT: usize = 20_000;
/// Absent images for which tags are looked at in one check: a report has room for the suggestions of a few.
pub(super) const LOOKS: usize = 64;

/// What a tag list says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Listing {
    Tags {
        tags: Arc<Vec<String>>,
        /// Whether there are more than these.
        more: bool,
    },
    NoRepository,
    Unknown,
}

/// What is known of the repository of an absent image, and its tags that whoever wrote it may have meant.
pub(super) async fn look(host: &Host, attempt: &Attempt, reference: &Reference) -> (Repository, Vec<String>) {
    let Ok(permit) = host.site.looks.try_acquire() else { return (Repository::Unknown, Vec::new()) };
    // Not given back: it is a count.
    permit.forget();
    let deadline = host.site.network.deadline;
    let until = (Instant::now() + PATIENCE).min(deadline.checked_sub(RESERVE).unwrap_or(deadline));
    let (first, more) = match page(host, attempt, "", until).await {
        Listing::Tags { tags, more } => (tags, more),
        Listing::NoRepository => return (Repository::Missing, Vec::new()),
        Listing::Unknown => return (Repository::Unknown, Vec::new()),
    };
    let Some(wanted) = reference.tag().filter(|_| reference.digest().is_none()) else {
        return (Repository::Exists, Vec::new());
    };
    // Lists are in order, so what is near lies on a later page, and a registry can be asked to begin there.
    let further = match more && first.iter().all(|tag| tag.as_str() < wanted) {
        true => page(host, attempt, stem(wanted), until).await,
        false => Listing::Unknown,
    };
    let mut tags: Vec<&str> = first.iter().map(String::as_str).collect();
    if let Listing::Tags { tags: further, .. } = &further {
        tags.extend(further.iter().map(String::as_str));
    }
    if tags.contains(&wanted) {
        return (Repository::Lists, Vec::new());
    }
    // Comparing waits for nobody, so nobody can interrupt it: late is too late.
    let is_late = Instant::now() >= deadline;
    (Repository::Exists, if is_late { Vec::new() } else { nearest(wanted, &tags) })
}

/// One page that begins after `last`, fetched once for all who want it.
async fn page(host: &Host, attempt: &Attempt, last: &str, until: Instant) -> Listing {
    let key = (attempt.repository.clone(), last.to_owned());
    let fetch = || async {
        let mut attempt = attempt.clone();
        attempt.accept = "application/json";
        let mut url = host.url(&attempt, "tags", "list");
        url.query_pairs_mut().append_pair("n", &PAGE.to_string());
        if !last.is_empty() {
            url.query_pairs_mut().append_pair("last", last);
        }
        match timeout_at(until, host.get(&mut attempt, &url)).await {
            Ok(Ok(Outcome::Reply(reply))) => read(&reply),
            _ => Listing::Unknown,
        }
    };
    host.tags.get(&key, fetch).await
}

fn read(reply: &Reply) -> Listing {
    match reply.status {
        200 if !reply.cut => {
            let tags = tags(&reply.body);
            // An empty list is what some registries answer for a repository that they do not have.
            if tags.is_empty() {
                return Listing::Unknown;
            }
            let more = reply.headers.contains_key("link") || tags.len() >= PAGE;
            Listing::Tags { tags: Arc::new(tags), more }
        }
        404 if Complaint::of(&reply.body).code.as_deref() == Some("NAME_UNKNOWN") => Listing::NoRepository,
        _ => Listing::Unknown,
    }
}

/// Nexus writes nulls among the tags, others in place of the list; Artifactory writes digests.
fn tags(body: &[u8]) -> Vec<String> {
    #[derive(Deserialize)]
    struct Body {
        #[serde(default, deserialize_with = "super::document::first::<_, _, KEPT>")]
        tags: Option<Vec<Option<String>>>,
    }
    let tags = serde_json::from_slice::<Body>(body).ok().and_then(|body| body.tags);
    tags.into_iter().flatten().flatten().filter(|tag| is_tag(tag)).collect()
}

#[cfg(test)]
mod tests {
    use super::tags;

    #[test]
    fn what_is_no_tag_is_dropped_and_so_is_what_nobody_can_want() {
        let list = |tags: &[String]| super::tags(serde_json::json!({ "tags": tags }).to_string().as_bytes());
        assert_eq!(list(&["a".repeat(4 << 20), "-x".into(), "\u{1b}[2J".into(), "1".into()]), ["1"]);
        let many: Vec<String> = (0..50_000).map(|n| n.to_string()).collect();
        assert_eq!(list(&many), many[..20_000]);
    }

    #[test]
    fn lists_with_nulls_are_read() {
        assert_eq!(tags(b"{\"name\":\"a\",\"tags\":[\"1\",null,\"2\"]}"), ["1", "2"]);
        assert!(tags(b"{\"tags\":null}").is_empty() && tags(b"{}").is_empty() && tags(b"<html>").is_empty());
    }

    #[test]
    fn digests_among_the_tags_are_none() {
        let digest = format!("sha256:{}", "0".repeat(64));
        assert_eq!(tags(format!("{{\"tags\":[\"{digest}\",\"1\"]}}").as_bytes()), ["1"]);
    }
}
