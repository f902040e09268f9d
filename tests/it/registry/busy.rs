//! Registries that limit how often they are asked.
use super::{
    ask, bearer, check, check_within, describe, error_code, is_present, listing, open, plain, requests, status, with,
};
use pullgate::{
    lab::{Behaviour, Registry, Scope},
    registry::{Error, HostOptions},
};
use std::{
    thread,
    time::{Duration, Instant, SystemTime},
};
use time::{OffsetDateTime, format_description::well_known::Rfc2822};

fn busy(after: &str) -> Behaviour {
    Behaviour::RateLimited { retry_after: Some(after.to_owned()) }
}

fn with_app() -> Registry {
    let registry = open();
    registry.push("team/app", "1");
    registry
}

fn many(registry: &Registry, count: usize) -> Vec<String> {
    (0..count).for_each(|n| drop(registry.push(&format!("team/app-{n}"), "1")));
    (0..count).map(|n| format!("{}/team/app-{n}:1", registry.host())).collect()
}

#[test]
fn who_asks_for_a_second_is_asked_again_after_it() {
    let registry = with_app();
    registry.misbehave(Scope::from("team/app:1").times(1), busy("1"));
    let start = Instant::now();
    assert!(is_present(&ask(&registry, plain(), "team/app:1")));
    assert!(start.elapsed() >= Duration::from_secs(1));
    assert_eq!(registry.requests().len(), 2);
}

#[test]
fn who_names_a_date_is_asked_again_after_it() {
    let registry = with_app();
    let date = OffsetDateTime::from(SystemTime::now() + Duration::from_secs(3)).format(&Rfc2822).unwrap();
    registry.misbehave(Scope::from("team/app:1").times(1), busy(&date.replace("+0000", "GMT")));
    let start = Instant::now();
    assert!(is_present(&ask(&registry, plain(), "team/app:1")));
    // Dates know no fractions of a second.
    assert!(start.elapsed() >= Duration::from_millis(1500), "{:?}", start.elapsed());
    assert_eq!(registry.requests().len(), 2);
}

#[test]
fn who_asks_for_ages_is_not_waited_for_and_not_asked_again_for_any_image() {
    let registry = open();
    let images = many(&registry, 20);
    registry.misbehave(Scope::everything(), busy("99999999999"));
    let start = Instant::now();
    for checked in check(listing(&registry, plain()), &images) {
        let Err(Error::Busy { retry_after, .. }) = &checked else { panic!("{checked:?}") };
        assert_eq!(*retry_after, Some(Duration::from_secs(99_999_999_999)));
        assert_eq!(describe(&checked, &registry, "team/app-0:1"), "HOST limits the rate of requests (429)");
    }
    assert_eq!(registry.requests().len(), 1);
    assert!(start.elapsed() < Duration::from_secs(3));
}

#[test]
fn a_number_that_no_clock_holds_is_not_waited_for() {
    let registry = with_app();
    registry.misbehave("team/app", busy(&u64::MAX.to_string()));
    let checked = ask(&registry, plain(), "team/app:1");
    assert!(matches!(checked, Err(Error::Busy { .. })), "{checked:?}");
    assert_eq!(registry.requests().len(), 1);
}

#[test]
fn who_does_not_say_for_how_long_is_asked_again_after_a_second() {
    let registry = with_app();
    registry.misbehave(Scope::from("team/app:1").times(1), Behaviour::RateLimited { retry_after: None });
    let start = Instant::now();
    assert!(is_present(&ask(&registry, plain(), "team/app:1")));
    assert!(start.elapsed() >= Duration::from_secs(1));
    assert_eq!(registry.requests().len(), 2);
}

#[test]
fn who_never_has_time_is_asked_three_times() {
    let registry = with_app();
    registry.misbehave("team/app", Behaviour::RateLimited { retry_after: None });
    let checked = ask(&registry, plain(), "team/app:1");
    assert_eq!(checked, Err(Error::Busy { host: registry.host(), retry_after: None, limit: None }));
    assert_eq!(registry.requests().len(), 3);
}

#[test]
fn the_limit_of_docker_hub_is_said_as_it_says_it() {
    let registry = with_app();
    let headers = [("ratelimit-limit", "100;w=21600"), ("ratelimit-remaining", "0;w=21600"), ("retry-after", "7200")];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    registry.misbehave("team/app", Behaviour::Status { code: 429, headers, body: String::new() });
    let said = describe(&ask(&registry, plain(), "team/app:1"), &registry, "team/app:1");
    let expected =
        "HOST limits the rate of requests (429): 0 of 100 pulls in 6 hours are left; it may be asked again in 120 min";
    assert_eq!(said, expected);
}

#[test]
fn who_says_that_no_time_is_enough_is_not_hammered() {
    let registry = with_app();
    registry.misbehave("team/app", busy("0"));
    let start = Instant::now();
    assert!(matches!(ask(&registry, plain(), "team/app:1"), Err(Error::Busy { .. })));
    assert!(start.elapsed() >= Duration::from_millis(500));
    assert_eq!(registry.requests().len(), 3);
}

#[test]
fn a_wait_takes_no_more_than_half_of_the_time_that_is_left() {
    let registry = with_app();
    registry.misbehave("team/app", busy("3"));
    let image = format!("{}/team/app:1", registry.host());
    let start = Instant::now();
    let checked = check_within(listing(&registry, plain()), &[image], Duration::from_secs(4)).remove(0);
    assert!(matches!(checked, Err(Error::Busy { .. })), "{checked:?}");
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
}

#[test]
fn after_a_429_nothing_is_asked_with_get_for_that_counts_as_a_pull() {
    for after in [busy("99999999999"), Behaviour::RateLimited { retry_after: None }] {
        let registry = with_app();
        registry.misbehave(Scope::from("team/app").head(), after);
        assert!(matches!(ask(&registry, plain(), "team/app:1"), Err(Error::Busy { .. })));
        assert!(requests(&registry).iter().all(|line| line.starts_with("HEAD ")), "{:?}", requests(&registry));
    }
}

#[test]
fn when_one_request_is_told_to_wait_all_of_the_host_wait() {
    let registry = open();
    let images = many(&registry, 40);
    registry.misbehave(Scope::from("team/app-1").times(1), busy("2"));
    let options = listing(&registry, HostOptions { concurrency: 4, ..plain() });
    thread::scope(|scope| {
        let checked = scope.spawn(|| check(options, &images));
        while registry.requests().len() < 2 {
            thread::sleep(Duration::from_millis(5));
        }
        thread::sleep(Duration::from_millis(700));
        // The first, and those that were under way with the one that was told.
        let asked = registry.requests().len();
        assert!(asked <= 1 + 2 * 4, "{asked}");
        assert!(checked.join().unwrap().iter().all(is_present));
    });
    assert_eq!(registry.requests().len(), 41);
}

#[test]
fn a_limit_to_pulls_does_not_hold_up_who_only_looks_as_on_docker_hub() {
    let registry = open();
    let images = many(&registry, 10);
    let absent = format!("{}/team/absent:1", registry.host());
    registry.misbehave(Scope::from("team/absent:1").get(), busy("99999999999"));
    registry.misbehave(Scope::from("team/absent:1").head(), error_code(404, "MANIFEST_UNKNOWN", "unknown"));
    let options = listing(&registry, HostOptions { concurrency: 1, ..plain() });
    let mut checked = check(options, &[vec![absent], images].concat());
    assert!(matches!(checked.remove(0), Err(Error::Busy { .. })));
    assert!(checked.iter().all(is_present), "{checked:?}");
}

#[test]
fn a_busy_registry_does_not_hold_up_another() {
    let (registry, other) = (with_app(), with_app());
    registry.misbehave(Scope::everything(), busy("2"));
    let mut options = listing(&registry, plain());
    options.hosts.insert(other.host(), plain());
    let images = [&registry, &other].map(|registry| format!("{}/team/app:1", registry.host()));
    let checked = check_within(options, &images, Duration::from_millis(1500));
    assert!(matches!(checked[0], Err(Error::Busy { .. })), "{checked:?}");
    assert!(is_present(&checked[1]), "{checked:?}");
}

#[test]
fn a_503_that_says_for_how_long_is_a_wait_too() {
    let registry = with_app();
    registry.misbehave(Scope::from("team/app:1").times(2), status(503, "retry-after", "1"));
    let start = Instant::now();
    assert!(is_present(&ask(&registry, plain(), "team/app:1")));
    assert!(start.elapsed() >= Duration::from_secs(2));
    assert_eq!(registry.requests().len(), 3);
}

#[test]
fn a_busy_token_service_is_waited_for_as_well() {
    let registry = with(bearer());
    registry.push("team/app", "1");
    registry.misbehave(Scope::token().times(1), busy("1"));
    assert!(is_present(&ask(&registry, plain(), "team/app:1")));
    assert_eq!(registry.requests().len(), 4);
}
