//! The registry that others wrote: what `distribution` answers is read as it is meant.
use super::{Checked, alice, check, is_present, plain};
use crate::{
    distribution::{Distribution, TOOLS, User},
    tools::are_installed,
};
use pullgate::registry::{Answer, Error, HostOptions, Options, Repository};

/// A registry with one image, `team/app:1`; `None` if what it takes is not installed.
fn with_an_image(user: User<'_>) -> Option<Distribution> {
    are_installed(TOOLS).then(|| {
        let registry = Distribution::start(user, "");
        registry.put("team/app:1", user);
        registry
    })
}

fn ask(registry: &Distribution, options: HostOptions, image: &str) -> Checked {
    let options = Options { hosts: [(registry.host.clone(), options)].into(), ..Options::default() };
    check(options, &[format!("{}/{image}", registry.host)]).remove(0)
}

#[test]
fn without_authentication_present_and_absent_are_told_apart() {
    let Some(registry) = with_an_image(None) else { return };
    let Ok(Answer::Present { digest: Some(digest) }) = ask(&registry, plain(), "team/app:1") else { panic!() };
    assert!(is_present(&ask(&registry, plain(), &format!("team/app@{digest}"))));
    let absent = |image: &str| match ask(&registry, plain(), image) {
        Ok(Answer::Absent { status: 404, code, repository, suggestions }) => (code.unwrap(), repository, suggestions),
        other => panic!("{other:?}"),
    };
    let code = || "MANIFEST_UNKNOWN".to_owned();
    assert_eq!(absent("team/app:2"), (code(), Repository::Exists, vec!["1".to_owned()]));
    // To a request for a manifest it gives the same answer whether or not there is the repository.
    assert_eq!(absent("team/none:1"), (code(), Repository::Missing, Vec::new()));
}

#[test]
fn with_a_password_only_who_has_it_is_told() {
    let Some(registry) = with_an_image(Some(("alice", "s3cret"))) else { return };
    let folder = registry.folder();
    assert!(is_present(&ask(&registry, alice(folder, "s3cret"), "team/app:1")));
    assert!(matches!(ask(&registry, alice(folder, "s3cret"), "team/app:2"), Ok(Answer::Absent { .. })));
    assert!(matches!(ask(&registry, alice(folder, "wrong"), "team/app:1"), Err(Error::RefusedCredentials { .. })));
    assert!(matches!(ask(&registry, plain(), "team/app:1"), Ok(Answer::Denied { status: 401, .. })));
}
