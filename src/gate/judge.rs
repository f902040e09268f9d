//! From an answer to a verdict, and what to tell whoever pushed. Pure.
use crate::{
    image::{ImageUse, Reference, reference::Invalid},
    registry::{Answer, AskedAs, Error, Moved, Refusal},
    verdict::{Hint, Notice, Verdict},
};

/// A verdict with its reasons.
#[derive(Debug)]
pub(super) struct Judged {
    pub(super) verdict: Verdict,
    pub(super) detail: String,
    pub(super) hints: Vec<Hint>,
    pub(super) suggestions: Vec<String>,
}

const FIX_OR_PUSH: &str = "push the image first or fix the reference, then push again";
const NOT_THE_COMMIT: &str = "this is not the commit's fault: try again, or tell the administrator of this git server";
const MISTYPED: &str = "check the registry's name first: a mistyped one has no address either";
/// Registries that are known to deny for seconds what was just pushed to them.
const SLOW_TO_SHOW: [&str; 1] = ["ghcr.io"];
const JUST_PUSHED: &str = "ghcr.io may take more than ten seconds to show an image: if it was just pushed, push again";

/// What is said of an image; `None` if it is there. `answer` is `None` for an image that was not asked for, because the
/// push has more than `max_images` of them.
pub(super) fn judge(
    reference: &Result<Reference, Invalid>,
    answer: Option<&Result<Answer, Error>>,
    max_images: usize,
) -> Option<Judged> {
    let reference = match reference {
        Ok(reference) => reference,
        Err(invalid) => {
            let detail = format!("not a valid reference: {invalid}; a cluster would say InvalidImageName");
            return Some(Judged::new(Verdict::Invalid, detail, "fix the reference, then push again"));
        }
    };
    match answer {
        None => {
            let detail = format!("not checked: the push changes more than {max_images} images (max-images)");
            let hint = "push in smaller parts, or have the administrator raise max-images";
            Some(Judged::new(Verdict::Unverified, detail, hint))
        }
        Some(Ok(answer)) => of_answer(reference, answer),
        Some(Err(error)) => {
            Some(Judged::new(Verdict::Unverified, format!("could not be checked: {error}"), NOT_THE_COMMIT))
        }
    }
}

fn of_answer(reference: &Reference, answer: &Answer) -> Option<Judged> {
    let detail = answer.describe(reference);
    Some(match answer {
        Answer::Present { .. } => return None,
        Answer::Absent { suggestions, .. } => {
            let mut judged = Judged::new(Verdict::Missing, detail, FIX_OR_PUSH);
            judged.suggestions.clone_from(suggestions);
            if SLOW_TO_SHOW.contains(&reference.registry()) {
                judged.hints.push(JUST_PUSHED.into());
            }
            judged
        }
        Answer::Denied { asked_as, .. } => {
            let registry = reference.registry();
            let access = match asked_as {
                AskedAs::Anonymous => {
                    format!(
                        "if it is private, have the administrator add credentials for {registry} to pullgate's configuration"
                    )
                }
                AskedAs::Credentials { .. } => {
                    "if it is there, have the administrator give the account access".to_owned()
                }
            };
            let mut judged = Judged::new(Verdict::Denied, detail, FIX_OR_PUSH);
            judged.hints.push(access.as_str().into());
            judged
        }
        Answer::Blocked { .. } => {
            Judged::new(Verdict::Blocked, detail, "deploy another version, or have the registry's policy changed")
        }
        Answer::WrongPlatform { .. } => Judged::new(
            Verdict::WrongPlatform,
            detail,
            "push the image for every platform that the cluster has, or deploy another version",
        ),
        Answer::WrongKind(_) => {
            Judged::new(Verdict::WrongKind, detail, "name a container image in this place, then push again")
        }
        Answer::NotAllowed { configuration, .. } if configuration.is_empty() => {
            Judged::new(Verdict::NotAllowed, detail, "fix the reference, then push again")
        }
        Answer::NotAllowed { refusal, host, configuration } => {
            let text = "the administrator of this git server can allow that in pullgate's configuration:".to_owned();
            let mut judged =
                Judged::new(Verdict::NotAllowed, detail, Hint { text, configuration: configuration.clone() });
            if *refusal == Refusal::NoPublicAddress && host == reference.registry() {
                judged.hints.insert(0, MISTYPED.into());
            }
            judged
        }
    })
}

/// What is worth knowing of an image whose tag does not mean its digest: normal where a robot pins digests.
pub(super) fn note(reference: &Reference, image: &ImageUse, moved: &Moved) -> Notice {
    let (registry, tag) = (reference.registry(), reference.tag().unwrap_or_default());
    let (code, now) = match moved {
        Moved::Gone => ("tag-gone", format!("{registry} no longer has the tag \"{tag}\"")),
        Moved::Elsewhere { digest } => ("tag-moved", format!("the tag \"{tag}\" now means {digest}")),
    };
    let message = format!("{now}; the digest beside it decides what is deployed");
    Notice { code, place: image.place.clone(), message }
}

impl Judged {
    fn new(verdict: Verdict, detail: String, hint: impl Into<Hint>) -> Self {
        Self { verdict, detail, hints: vec![hint.into()], suggestions: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::{Answer, MISTYPED, Refusal, judge};
    use crate::image::Reference;

    #[test]
    fn a_registry_without_an_address_may_be_mistyped_and_a_token_service_is_not_the_commits() {
        let hints = |host: &str, refusal| {
            let answer = Answer::NotAllowed { refusal, host: host.into(), configuration: vec!["x".into()] };
            let reference = Reference::parse("gchr.io/team/app:1");
            judge(&reference, Some(&Ok(answer)), 1).expect("it is not there").hints
        };
        assert_eq!(hints("gchr.io", Refusal::NoPublicAddress)[0].text, MISTYPED);
        assert_eq!(hints("auth.example", Refusal::NoPublicAddress).len(), 1);
        assert_eq!(hints("gchr.io", Refusal::Unlisted).len(), 1);
    }
}
