//! Mirrors: asked first, believed when they say "yes", and never waited for.
use super::{Checked, alice, check, is_present, open, plain, requests};
use pullgate::{
    lab::{self, Behaviour, Registry, Scope},
    registry::{Answer, Error, HostOptions, Options, Unlisted},
};
use std::{
    net::TcpListener,
    time::{Duration, Instant},
};
use tempfile::TempDir;

fn mirror_of(origin: &Registry) -> HostOptions {
    HostOptions { mirror_of: Some(origin.host()), ..plain() }
}

/// Asks for `image` of the origin, which the mirror is one of.
fn ask(origin: &Registry, mirror: &Registry, image: &str) -> Checked {
    let hosts = [(origin.host(), plain()), (mirror.host(), mirror_of(origin))].into();
    check(Options { hosts, ..Options::default() }, &[format!("{}/{image}", origin.host())]).remove(0)
}

#[test]
fn what_a_mirror_has_is_there_and_the_origin_is_not_asked() {
    let (origin, mirror) = (open(), open());
    mirror.push("team/app", "1");
    assert!(is_present(&ask(&origin, &mirror, "team/app:1")));
    assert_eq!(requests(&mirror), [format!("HEAD /v2/team/app/manifests/1?ns={}", origin.host().replace(':', "%3A"))]);
    assert_eq!(origin.connections(), 0);
}

#[test]
fn what_a_mirror_lacks_the_origin_may_have() {
    let (origin, mirror) = (open(), open());
    origin.push("team/app", "1");
    assert!(is_present(&ask(&origin, &mirror, "team/app:1")));
    assert_eq!(requests(&origin), ["HEAD /v2/team/app/manifests/1"], "without the question of a mirror");
}

#[test]
fn what_a_proxy_cache_says_is_missing_while_its_upstream_is_down_the_origin_may_have() {
    let (origin, mirror) = (open(), open());
    origin.push("team/app", "1");
    let behaviour =
        Behaviour::ErrorCode { status: 404, code: "MANIFEST_UNKNOWN".into(), message: "manifest unknown".into() };
    mirror.misbehave(Scope::everything(), behaviour);
    assert!(is_present(&ask(&origin, &mirror, "team/app:1")));
}

#[test]
fn what_both_lack_is_missing_in_the_words_of_the_origin() {
    let (origin, mirror) = (open(), open());
    origin.push("team/app", "1.4.2");
    mirror.push("team/app", "1.4.4");
    let checked = ask(&origin, &mirror, "team/app:1.4.3");
    let Ok(Answer::Absent { suggestions, .. }) = checked else { panic!("{checked:?}") };
    assert_eq!(suggestions, ["1.4.2"]);
    assert!(requests(&mirror).iter().all(|line| !line.contains("tags/list")));
}

#[test]
fn a_mirror_that_answers_a_head_with_404_and_a_get_rightly_is_believed() {
    let (origin, mirror) = (open(), open());
    mirror.push("team/app", "1");
    mirror.misbehave("team/app", Behaviour::HeadNotFoundButGetWorks);
    assert!(is_present(&ask(&origin, &mirror, "team/app:1")));
}

#[test]
fn a_mirror_that_says_200_to_everything_is_not_believed() {
    let (origin, mirror) = (open(), open());
    origin.push("team/app", "1");
    mirror.misbehave(Scope::everything(), Behaviour::HtmlPage);
    assert!(is_present(&ask(&origin, &mirror, "team/app:1")));
    assert!(matches!(ask(&origin, &mirror, "team/app:2"), Ok(Answer::Absent { .. })));
}

#[test]
fn a_mirror_that_is_down_is_passed_over() {
    let (origin, mirror) = (open(), TcpListener::bind("127.0.0.1:0").unwrap());
    origin.push("team/app", "1");
    let address = mirror.local_addr().unwrap();
    drop(mirror);
    let hosts = [(origin.host(), plain()), (address.to_string(), mirror_of(&origin))].into();
    let options = Options { hosts, ..Options::default() };
    assert!(is_present(&check(options, &[format!("{}/team/app:1", origin.host())])[0]));
}

/// Asks for two hundred images that the origin has.
fn ask_for_many(origin: &Registry, mirror: &Registry) -> Vec<Checked> {
    let images: Vec<String> = (0..200).map(|n| format!("{}/team/app:{n}", origin.host())).collect();
    (0..200).for_each(|n| drop(origin.push("team/app", &n.to_string())));
    let hosts = [(origin.host(), plain()), (mirror.host(), mirror_of(origin))].into();
    check(Options { hosts, ..Options::default() }, &images)
}

#[test]
fn a_mirror_that_is_broken_is_passed_over_for_all_images_at_once() {
    let (origin, mirror) = (open(), open());
    mirror.misbehave(Scope::everything(), Behaviour::status(503));
    assert!(ask_for_many(&origin, &mirror).iter().all(is_present));
    assert_eq!(mirror.requests().len(), 2, "one, and one more after a pause");
}

#[test]
fn an_image_that_a_mirror_does_not_answer_for_the_origin_is_asked_for() {
    let (origin, mirror) = (open(), open());
    (0..200).for_each(|n| drop(mirror.push("team/app", &n.to_string())));
    mirror.misbehave("team/app:7", Behaviour::Hang);
    assert!(ask_for_many(&origin, &mirror).iter().all(is_present));
    assert_eq!(requests(&origin), ["HEAD /v2/team/app/manifests/7"]);
}

#[test]
fn a_mirror_that_hangs_costs_its_patience_once_and_not_once_an_image() {
    let (origin, mirror) = (open(), open());
    mirror.misbehave(Scope::everything(), Behaviour::Hang);
    let started = Instant::now();
    assert!(ask_for_many(&origin, &mirror).iter().all(is_present));
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    assert_eq!(mirror.requests().len(), 1);
}

#[test]
fn an_origin_that_is_down_is_an_outage_whatever_the_mirror_lacks() {
    let (origin, mirror) = (open(), open());
    origin.misbehave(Scope::everything(), Behaviour::status(503));
    let checked = ask(&origin, &mirror, "team/app:1");
    assert!(matches!(checked, Err(Error::Server { status: 503, .. })), "{checked:?}");
}

#[test]
fn neither_is_sent_the_credentials_of_the_other() {
    let (folder, mirrors) = (TempDir::new().unwrap(), TempDir::new().unwrap());
    let (origin, mirror) = (super::with(super::basic()), super::with(super::basic()));
    origin.push("team/app", "1");
    let of = |origin_has: HostOptions, mirror_has: HostOptions| {
        let mirror_has = HostOptions { mirror_of: Some(origin.host()), ..mirror_has };
        let hosts = [(origin.host(), origin_has), (mirror.host(), mirror_has)].into();
        check(Options { hosts, ..Options::default() }, &[format!("{}/team/app:1", origin.host())]).remove(0)
    };
    assert!(is_present(&of(alice(&folder, "s3cret"), plain())));
    assert!(requests(&mirror).iter().all(|line| !line.ends_with(" Basic")), "{:?}", requests(&mirror));
    origin.clear();
    assert!(matches!(of(plain(), alice(&mirrors, "s3cret")), Ok(Answer::Denied { .. })));
    assert!(requests(&origin).iter().all(|line| !line.ends_with(" Basic")), "{:?}", requests(&origin));
}

#[test]
fn several_mirrors_are_asked_in_the_order_of_their_names() {
    let (origin, one, other) = (open(), open(), open());
    origin.push("team/app", "1");
    let hosts = [(origin.host(), plain()), (one.host(), mirror_of(&origin)), (other.host(), mirror_of(&origin))].into();
    let options = Options { hosts, ..Options::default() };
    let image = [format!("{}/team/app:1", origin.host())];
    assert!(is_present(&check(options.clone(), &image)[0]));
    assert_eq!((one.requests().len(), other.requests().len()), (2, 2));
    let (first, second) = if one.host() < other.host() { (&one, &other) } else { (&other, &one) };
    first.push("team/app", "1");
    [first, second].iter().for_each(|mirror| mirror.clear());
    assert!(is_present(&check(options, &image)[0]));
    assert_eq!((first.requests().len(), second.requests().len()), (1, 0));
}

#[test]
fn where_the_origin_may_not_be_asked_a_mirror_still_vouches_for_what_it_has() {
    let (origin, mirror) = (open(), open());
    mirror.push("team/app", "1");
    let hosts = [(mirror.host(), mirror_of(&origin))].into();
    let options = Options { hosts, unlisted: Unlisted::None, ..Options::default() };
    let images = ["1", "2"].map(|tag| format!("{}/team/app:{tag}", origin.host()));
    let checked = check(options, &images);
    assert!(is_present(&checked[0]), "{checked:?}");
    assert!(matches!(checked[1], Ok(Answer::NotAllowed { .. })), "{checked:?}");
    assert_eq!(origin.connections(), 0);
}

#[test]
fn a_mirror_that_an_image_names_itself_is_a_registry_like_any_other() {
    let (origin, mirror) = (open(), open());
    origin.push("team/app", "1");
    let hosts = [(origin.host(), plain()), (mirror.host(), mirror_of(&origin))].into();
    let options = Options { hosts, ..Options::default() };
    let checked = check(options, &[format!("{}/team/app:1", mirror.host())]).remove(0);
    assert!(matches!(checked, Ok(Answer::Absent { .. })), "{checked:?}");
    assert!(requests(&mirror).iter().all(|line| !line.contains("ns=")), "{:?}", requests(&mirror));
}

#[test]
fn a_mirror_that_images_name_too_is_asked_for_all_of_them_at_once() {
    let origin = open();
    let latency = Duration::from_millis(50);
    let mirror = Registry::start(lab::Options { latency, ..lab::Options::default() }).unwrap();
    let own = (0..60).map(|n| format!("team/app-{n}")).inspect(|name| drop(mirror.push(name, "1")));
    let mut images: Vec<String> = own.map(|name| format!("{}/{name}:1", mirror.host())).collect();
    mirror.push("team/web", "1");
    images.push(format!("{}/team/web:1", origin.host()));
    let hosts = [(origin.host(), plain()), (mirror.host(), mirror_of(&origin))].into();
    let started = Instant::now();
    let checked = check(Options { hosts, ..Options::default() }, &images);
    assert!(checked.iter().all(is_present), "{checked:?}");
    assert!(started.elapsed() < latency * 30, "{:?}", started.elapsed());
}

#[test]
fn a_mirror_that_answers_one_after_the_other_is_waited_for_as_long_as_it_answers() {
    let origin = open();
    let latency = Duration::from_millis(100);
    let mirror = Registry::start(lab::Options { latency, ..lab::Options::default() }).unwrap();
    (0..30).for_each(|n| drop(mirror.push(&format!("team/app-{n}"), "1")));
    let images: Vec<String> = (0..30).map(|n| format!("{}/team/app-{n}:1", origin.host())).collect();
    let slow = HostOptions { concurrency: 1, ..mirror_of(&origin) };
    let hosts = [(origin.host(), plain()), (mirror.host(), slow)].into();
    let checked = check(Options { hosts, ..Options::default() }, &images);
    assert!(checked.iter().all(is_present), "{checked:?}");
    assert_eq!(origin.connections(), 0);
}
