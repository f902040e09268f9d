//! The read side of the OCI distribution specification, answered from the store.
use super::{
    answer::Answer,
    form,
    names::{Target, is_digest, is_repository, is_tag},
    store::{Manifest, Repository, Store},
};
use axum::http::{Method, StatusCode, Uri, header};
use serde_json::json;
use std::ops::Bound;

/// What is wrong with a request, whoever sends it: a path that no registry has, a name outside the grammar, a method
/// that writes.
pub(super) fn fault(target: &Target, method: &Method) -> Option<Answer> {
    let bad = |code, message| Some(Answer::error(StatusCode::BAD_REQUEST, code, message));
    match target {
        Target::Unknown => Some(Answer::error(StatusCode::NOT_FOUND, "UNSUPPORTED", "no such path")),
        Target::Token => None,
        _ if method != Method::GET && method != Method::HEAD => {
            let answer = Answer::error(StatusCode::METHOD_NOT_ALLOWED, "UNSUPPORTED", "this registry is read only");
            Some(answer.with("allow", "GET, HEAD"))
        }
        target if !target.repository().is_none_or(is_repository) => bad("NAME_INVALID", "invalid repository name"),
        Target::Manifest { reference, .. } if reference.contains(':') && !is_digest(reference) => {
            bad("DIGEST_INVALID", "provided digest did not match the grammar")
        }
        Target::Manifest { reference, .. } if !reference.contains(':') && !is_tag(reference) => {
            bad("TAG_INVALID", "manifest tag did not match the grammar")
        }
        Target::Blob { digest, .. } if !is_digest(digest) => {
            bad("DIGEST_INVALID", "provided digest did not match the grammar")
        }
        _ => None,
    }
}

/// The answer to a faultless GET; `accept` is the client's `Accept`, all of it.
pub(super) fn answer(store: &Store, target: &Target, uri: &Uri, accept: &str) -> Answer {
    match target {
        Target::Base => Answer::json(StatusCode::OK, &json!({})),
        Target::Manifest { name, reference } => match store.manifest(name, reference) {
            Some((digest, found)) => manifest(digest, found, accept),
            None => Answer::error(StatusCode::NOT_FOUND, "MANIFEST_UNKNOWN", "manifest unknown"),
        },
        Target::Blob { name, digest } => match store.repository(name).and_then(|found| found.blobs.get(digest)) {
            Some(blob) => Answer::new(StatusCode::OK, "application/octet-stream", blob.clone())
                .with("docker-content-digest", digest),
            None => Answer::error(StatusCode::NOT_FOUND, "BLOB_UNKNOWN", "blob unknown to registry"),
        },
        Target::Tags { name } => match store.repository(name) {
            Some(repository) => tags(name, repository, uri.query().unwrap_or_default()),
            None => Answer::error(StatusCode::NOT_FOUND, "NAME_UNKNOWN", "repository name not known to registry"),
        },
        Target::Token | Target::Unknown => Answer::error(StatusCode::NOT_FOUND, "UNSUPPORTED", "no such path"),
    }
}

/// A manifest is served only to who accepts its media type by name: `distribution` does not take `*/*` for an index.
fn manifest(digest: &str, manifest: &Manifest, accept: &str) -> Answer {
    let accepted = accept.split(',').map(|range| range.split(';').next().unwrap_or_default().trim());
    if !accepted.into_iter().any(|range| range.eq_ignore_ascii_case(&manifest.media_type)) {
        let message =
            format!("manifest has media type {}, which the accept header does not cover", manifest.media_type);
        return Answer::error(StatusCode::NOT_FOUND, "MANIFEST_UNKNOWN", &message);
    }
    let mut answer = Answer::new(StatusCode::OK, "", manifest.body.clone());
    answer.headers.remove(header::CONTENT_TYPE);
    answer.with("content-type", &manifest.media_type).with("docker-content-digest", digest)
}

/// Tags in lexical order, after `last`, at most `n`; a `Link` to the rest.
fn tags(name: &str, repository: &Repository, query: &str) -> Answer {
    let parameter = |wanted: &str| form::pairs(query).find_map(|(name, value)| (name == wanted).then_some(value));
    let Ok(n) = parameter("n").map(|n| n.parse::<usize>()).transpose() else {
        return Answer::error(StatusCode::BAD_REQUEST, "PAGINATION_NUMBER_INVALID", "invalid number of results");
    };
    let after = parameter("last").map_or(Bound::Unbounded, Bound::Excluded);
    let mut tags = repository.tags.range((after, Bound::Unbounded)).map(|(tag, _)| tag.as_str());
    let page: Vec<&str> = tags.by_ref().take(n.unwrap_or(usize::MAX)).collect();
    let answer = Answer::json(StatusCode::OK, &json!({ "name": name, "tags": page }));
    match (n, page.last(), tags.next()) {
        (Some(n), Some(last), Some(_)) => {
            answer.with("link", &format!("</v2/{name}/tags/list?last={last}&n={n}>; rel=\"next\""))
        }
        _ => answer,
    }
}
