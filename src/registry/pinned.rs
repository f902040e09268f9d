//! Tags that stand beside digests. The digest is what is pulled; where the tag points decides nothing, but is worth a
//! word.
use super::{
    answer::Answer,
    digest,
    host::Host,
    manifest::{self, Question},
};
use crate::image::Reference;
use std::time::Duration;

/// How long looking may take: the answers are known without it.
pub(super) const PATIENCE: Duration = Duration::from_secs(1);

/// What has become of a tag that stands beside a digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Moved {
    /// There is no such tag any more.
    Gone,
    /// It means another manifest now.
    Elsewhere {
        /// The digest of that.
        digest: String,
    },
}

/// The same reference without its digest; `None` if it has not both.
pub(super) fn tag_alone(reference: &Reference) -> Option<Reference> {
    reference.digest()?;
    Reference::parse(&format!("{}/{}:{}", reference.registry(), reference.repository(), reference.tag()?)).ok()
}

/// What has become of the tag, if anything. That it cannot be told is nothing to tell.
pub(super) async fn moved(host: &Host, reference: &Reference) -> Option<Moved> {
    let answer = manifest::ask(host, &tag_alone(reference)?, Question::Existence).await;
    match answer.ok()? {
        Answer::Absent { .. } => Some(Moved::Gone),
        Answer::Present { digest: Some(digest) } => {
            digest::differ(&digest, reference.digest()?).then_some(Moved::Elsewhere { digest })
        }
        _ => None,
    }
}
