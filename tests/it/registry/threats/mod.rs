//! What a push, a registry or a name server may try, each as a test that fails without what stands against it.
mod addresses;
mod amount;
mod answers;
mod confusion;
mod graph;
mod http_2;
mod names;
mod realms;
mod redirects;
mod words;

use super::{Checked, check};
use pullgate::registry::{Answer, Error, Options, Refusal};

/// The answer about one image.
fn one(options: Options, image: &str) -> Checked {
    check(options, &[image.to_owned()]).remove(0)
}

/// The registry was not asked.
#[track_caller]
fn refused(checked: &Checked, because: Refusal) {
    assert!(matches!(checked, Ok(Answer::NotAllowed { refusal, .. }) if *refusal == because), "{checked:?}");
}

/// The registry sent us where we do not go.
#[track_caller]
fn diverted(checked: &Checked) {
    assert!(matches!(checked, Err(Error::Diverted { .. })), "{checked:?}");
}

/// It is neither believed that the image is there nor that it is not.
#[track_caller]
fn unverified(checked: &Checked) {
    assert!(checked.is_err(), "{checked:?}");
}
