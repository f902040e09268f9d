//! "Did you mean": the tags that a repository has, and which of them look like one that it has not.
use super::{
    answer::Repository,
    attempt::Attempt,
    host::{Host, Outcome},
};
use crate::image::reference::is_tag;
use serde::Deserialize;
use std::{cmp::Reverse, time::Duration};
use tokio::time::{Instant, timeout_at};

/// How long the list may take; the answer is known without it.
const PATIENCE: Duration = Duration::from_secs(1);
/// What is kept of the time of the whole check.
const RESERVE: Duration = Duration::from_millis(100);
/// How many tags are asked for: the most that all registries grant.
const PAGE: &str = "n=1000";
/// How many are looked at: comparing takes time, and some registries send more than they are asked for.
const LOOKED_AT: usize = 1000;
/// How many are suggested.
const SUGGESTIONS: usize = 3;

/// What one page of a tag list says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Listing {
    Tags(Vec<String>),
    NoRepository,
    Unknown,
}

/// What is known of the repository, and its tags that look like `tag`.
pub(super) async fn alike(host: &Host, attempt: &Attempt, tag: &str) -> (Repository, Vec<String>) {
    let repository = &attempt.repository;
    match host.tags.get(repository, || list(host, attempt.clone())).await {
        // Comparing waits for nobody, so nobody can interrupt it: late is too late.
        Listing::Tags(_) if Instant::now() >= host.site.network.deadline => (Repository::Exists, Vec::new()),
        Listing::Tags(tags) => (Repository::Exists, closest(tag, &tags)),
        Listing::NoRepository => (Repository::Missing, Vec::new()),
        Listing::Unknown => (Repository::Unknown, Vec::new()),
    }
}

async fn list(host: &Host, mut attempt: Attempt) -> Listing {
    let deadline = host.site.network.deadline;
    let until = (Instant::now() + PATIENCE).min(deadline.checked_sub(RESERVE).unwrap_or(deadline));
    let mut url = host.endpoint.base.clone();
    url.set_path(&format!("v2/{}/tags/list", attempt.repository));
    url.set_query(Some(PAGE));
    match timeout_at(until, host.get(&mut attempt, &url)).await {
        Ok(Ok(Outcome::Reply(reply))) if reply.status == 200 && !reply.cut => read(&reply.body),
        Ok(Ok(Outcome::Reply(reply))) if reply.status == 404 => {
            let complaint = super::complaint::Complaint::of(&reply.body);
            if complaint.code.as_deref() == Some("NAME_UNKNOWN") { Listing::NoRepository } else { Listing::Unknown }
        }
        _ => Listing::Unknown,
    }
}

fn read(body: &[u8]) -> Listing {
    /// Nexus writes nulls among the tags, others in place of the list.
    #[derive(Deserialize)]
    struct Body {
        tags: Option<Vec<Option<String>>>,
    }
    match serde_json::from_slice::<Body>(body) {
        Ok(Body { tags: Some(tags) }) => {
            Listing::Tags(tags.into_iter().flatten().filter(|tag| is_tag(tag)).take(LOOKED_AT).collect())
        }
        _ => Listing::Unknown,
    }
}

/// The tags nearest to `wanted`: by edits, then by how long they begin alike, then the later in order.
fn closest(wanted: &str, tags: &[String]) -> Vec<String> {
    let limit = (wanted.chars().count() / 3).max(1);
    let prefix = |tag: &str| tag.chars().zip(wanted.chars()).take_while(|(a, b)| a == b).count();
    let mut near: Vec<_> = tags
        .iter()
        .map(|tag| (strsim::osa_distance(wanted, tag), Reverse(prefix(tag)), Reverse(tag)))
        .filter(|(distance, ..)| *distance <= limit)
        .collect();
    near.sort();
    near.dedup();
    near.into_iter().take(SUGGESTIONS).map(|(.., Reverse(tag))| tag.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::{Listing, closest, read};

    fn suggested(wanted: &str, tags: &[&str]) -> Vec<String> {
        closest(wanted, &tags.iter().map(|&tag| tag.to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn the_nearest_tags_come_first_and_at_most_three() {
        assert_eq!(
            suggested("1.4.3", &["1.4.2", "2.0.0", "1.4.1", "latest", "1.3.3", "1.4.4"]),
            ["1.4.4", "1.4.2", "1.4.1"]
        );
        assert_eq!(suggested("v1.4.3", &["1.4.3", "v2.9.9"]), ["1.4.3"]);
        assert_eq!(suggested("lastest", &["latest", "edge"]), ["latest"]);
        assert!(suggested("9.9.9", &["latest", "sha-abcdef"]).is_empty());
    }

    #[test]
    fn what_is_no_tag_is_dropped_and_so_is_what_nobody_asked_for() {
        let page = |tags: &[String]| read(serde_json::json!({ "tags": tags }).to_string().as_bytes());
        assert_eq!(
            page(&["a".repeat(4 << 20), "-x".into(), "\u{1b}[2J".into(), "1".into()]),
            Listing::Tags(vec!["1".into()])
        );
        let many: Vec<String> = (0..20_000).map(|n| n.to_string()).collect();
        let Listing::Tags(kept) = page(&many) else { panic!() };
        assert_eq!(kept, many[..1000]);
    }

    #[test]
    fn lists_with_nulls_are_read() {
        assert_eq!(read(b"{\"name\":\"a\",\"tags\":[\"1\",null,\"2\"]}"), Listing::Tags(vec!["1".into(), "2".into()]));
        assert_eq!(read(b"{\"tags\":null}"), Listing::Unknown);
        assert_eq!(read(b"<html>"), Listing::Unknown);
    }
}
