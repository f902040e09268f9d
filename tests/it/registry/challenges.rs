//! In which words registries ask who we are.
use super::{
    alice, ask, basic, bearer, check, describe, error_code, is_present, listing, open, plain, requests, status, with,
};
use pullgate::{
    lab::{Auth, Behaviour, Registry, Scope},
    registry::{Answer, AskedAs, Error, HostOptions},
};
use tempfile::TempDir;

/// A registry with tokens and two images for anybody, which asks for credentials in these headers.
fn asking(auth: Auth, headers: &[&str]) -> Registry {
    let registry = with(auth);
    registry.push("a", "1");
    registry.push("b", "1");
    let headers = headers.iter().map(ToString::to_string).collect();
    registry.misbehave(Scope::everything(), Behaviour::Challenge(headers));
    registry
}

/// Asserts that both images can be pulled, and returns the token requests that this took.
fn token_requests(registry: &Registry, options: HostOptions) -> Vec<String> {
    let images = [format!("{}/a:1", registry.host()), format!("{}/b:1", registry.host())];
    let checked = check(listing(registry, options), &images);
    assert!(checked.iter().all(is_present), "{checked:?}");
    requests(registry).into_iter().filter(|line| line.contains("/token")).collect()
}

fn without_service() -> Auth {
    Auth::Bearer { users: [("alice", "s3cret")].into(), realm: None, service: None }
}

#[test]
fn a_realm_at_the_same_host_is_asked_for_a_token() {
    let registry = asking(bearer(), &[]);
    let realm = format!("Bearer realm=\"http://{}/token\",service=\"lab\"", registry.host());
    registry.behave();
    registry.misbehave(Scope::everything(), Behaviour::Challenge(vec![realm]));
    assert_eq!(token_requests(&registry, plain()).len(), 2);
}

#[test]
fn a_realm_at_another_host_is_asked_with_credentials_where_the_configuration_says_so() {
    let folder = TempDir::new().unwrap();
    let registry = asking(bearer(), &[]);
    registry.behave();
    // The same server by another name.
    let other = format!("localhost:{}", registry.address().port());
    let realm = format!("Bearer realm=\"http://{other}/token\",service=\"lab\"");
    registry.misbehave(Scope::everything(), Behaviour::Challenge(vec![realm]));
    let options = HostOptions { token_realms: vec![other], ..alice(&folder, "s3cret") };
    assert!(token_requests(&registry, options).iter().all(|line| line.ends_with(" Basic")));
}

#[test]
fn a_realm_may_be_relative_to_the_host() {
    let registry = asking(bearer(), &["Bearer realm=\"/token\",service=\"lab\""]);
    assert_eq!(token_requests(&registry, plain()).len(), 2);
}

#[test]
fn a_realm_may_be_relative_to_what_was_asked_for() {
    let registry = asking(bearer(), &["Bearer realm=\"../../../token\",service=\"lab\""]);
    assert_eq!(token_requests(&registry, plain()).len(), 2);
}

#[test]
fn a_realm_may_have_a_query_which_is_kept() {
    let registry = asking(bearer(), &["Bearer realm=\"/token?service=lab&x=1\""]);
    let expected = ["a", "b"].map(|name| format!("GET /token?service=lab&x=1&scope=repository%3A{name}%3Apull"));
    assert_eq!(token_requests(&registry, plain()), expected);
}

#[test]
fn a_challenge_may_have_no_service() {
    let registry = asking(without_service(), &["Bearer realm=\"/token\""]);
    assert_eq!(token_requests(&registry, plain())[0], "GET /token?scope=repository%3Aa%3Apull");
}

#[test]
fn the_scope_of_gitea_is_for_everything() {
    let registry = asking(bearer(), &["Bearer realm=\"/token\",service=\"lab\",scope=\"*\""]);
    assert_eq!(token_requests(&registry, plain()), ["GET /token?service=lab&scope=*"]);
}

#[test]
fn the_scope_of_ecr_public_is_for_everything() {
    let registry = asking(bearer(), &["Bearer realm=\"/token\",service=\"lab\",scope=\"aws\""]);
    assert_eq!(token_requests(&registry, plain()), ["GET /token?service=lab&scope=aws"]);
}

#[test]
fn a_scope_for_another_repository_is_used_by_who_was_told_it() {
    let header = "Bearer realm=\"/token\",service=\"lab\",scope=\"repository:official/mariadb:pull\"";
    let registry = asking(bearer(), &[header]);
    let images = [format!("{}/a:1", registry.host()), format!("{}/b:1", registry.host())];
    check(listing(&registry, plain()), &images);
    let heads = requests(&registry).into_iter().filter(|line| line.starts_with("HEAD") && !line.contains(" Bearer"));
    assert_eq!(heads.count(), 2, "each hears for itself");
    let token = "GET /token?service=lab&scope=repository%3Aofficial%2Fmariadb%3Apull";
    assert!(requests(&registry).iter().any(|line| line == token));
}

#[test]
fn of_two_headers_the_one_with_a_realm_is_answered_as_an_old_gitea_needs() {
    let registry = asking(without_service(), &["Bearer realm=\"/token\"", "Basic"]);
    assert_eq!(token_requests(&registry, plain()).len(), 2);
}

#[test]
fn of_two_challenges_in_one_header_the_one_with_a_realm_is_answered() {
    let registry = asking(bearer(), &["Basic realm=\"lab\", Bearer realm=\"/token\",service=\"lab\""]);
    assert_eq!(token_requests(&registry, plain()).len(), 2);
}

#[test]
fn beside_negotiate_basic_is_answered() {
    let folder = TempDir::new().unwrap();
    let registry = asking(basic(), &["Negotiate", "Basic realm=\"a, b\""]);
    assert!(token_requests(&registry, alice(&folder, "s3cret")).is_empty());
    assert_eq!(registry.requests().len(), 3);
}

#[test]
fn bearer_may_be_written_in_lower_case() {
    let registry = asking(bearer(), &["bearer Realm=\"/token\", SERVICE=lab"]);
    assert_eq!(token_requests(&registry, plain()).len(), 2);
}

#[test]
fn commas_in_quotes_part_nothing() {
    let header = "Bearer realm=\"/token?x=a,b\",service=\"lab\",scope=\"repository:a:pull,push\"";
    let registry = asking(bearer(), &[header]);
    assert!(is_present(&ask(&registry, plain(), "a:1")));
    assert_eq!(requests(&registry)[1], "GET /token?x=a,b&service=lab&scope=repository%3Aa%3Apull");
}

#[test]
fn only_basic_is_answered_with_the_credentials_themselves() {
    let folder = TempDir::new().unwrap();
    let registry = asking(basic(), &["Basic realm=\"lab\""]);
    assert!(token_requests(&registry, alice(&folder, "s3cret")).is_empty());
    let shown = requests(&registry).into_iter().filter(|line| line.ends_with(" Basic"));
    assert_eq!((registry.requests().len(), shown.count()), (3, 2));
}

#[test]
fn a_401_without_a_challenge_is_answered_with_the_credentials_themselves() {
    let folder = TempDir::new().unwrap();
    let registry = asking(basic(), &[]);
    assert!(token_requests(&registry, alice(&folder, "s3cret")).is_empty());
    let checked = ask(&registry, plain(), "a:1");
    assert!(matches!(checked, Ok(Answer::Denied { asked_as: AskedAs::Anonymous, .. })), "{checked:?}");
}

#[test]
fn the_400_of_nexus_is_as_good_as_a_401() {
    let folder = TempDir::new().unwrap();
    let unauthorized = error_code(400, "UNAUTHORIZED", "access to the requested resource is not authorized");
    let registry = with(basic());
    registry.push("a", "1");
    registry.misbehave(Scope::everything().times(2), unauthorized.clone());
    assert!(is_present(&ask(&registry, alice(&folder, "s3cret"), "a:1")));
    let expected = ["HEAD /v2/a/manifests/1", "GET /v2/a/manifests/1", "GET /v2/a/manifests/1 Basic"];
    assert_eq!(requests(&registry), expected);

    registry.misbehave(Scope::everything(), unauthorized);
    assert!(matches!(ask(&registry, plain(), "a:1"), Ok(Answer::Denied { status: 400, .. })));
}

#[test]
fn an_empty_challenge_to_a_token_is_a_no_as_harbor_says_it() {
    let registry = with(bearer());
    registry.misbehave("unknown/app", status(401, "www-authenticate", ""));
    let checked = ask(&registry, plain(), "unknown/app:1");
    assert!(matches!(checked, Ok(Answer::Denied { status: 401, .. })), "{checked:?}");
    assert_eq!(registry.requests().len(), 4, "{:?}", requests(&registry));
}

#[test]
fn who_has_a_token_and_is_asked_for_a_password_shows_none_as_harbor_needs() {
    let folder = TempDir::new().unwrap();
    for options in [plain(), alice(&folder, "s3cret")] {
        let registry = with(bearer());
        registry.misbehave("team/app", status(401, "www-authenticate", "Basic realm=\"harbor\""));
        assert!(matches!(ask(&registry, options, "team/app:1"), Ok(Answer::Denied { .. })));
        assert!(requests(&registry).iter().all(|line| line.contains("/token") || !line.ends_with(" Basic")));
        assert_eq!(registry.requests().len(), 4, "{:?}", requests(&registry));
    }
}

#[test]
fn a_registry_that_never_has_enough_is_answered_four_times() {
    let registry = with(bearer());
    let more = "Bearer realm=\"/token\",service=\"lab\",scope=\"*\",error=\"invalid_token\"";
    registry.misbehave("team/app", status(401, "www-authenticate", more));
    assert!(matches!(ask(&registry, plain(), "team/app:1"), Ok(Answer::Denied { .. })));
    let tokens = requests(&registry).into_iter().filter(|line| line.contains("/token"));
    assert!(tokens.count() <= 4, "{:?}", requests(&registry));
}

#[test]
fn a_realm_on_localhost_is_explained_as_gitea_with_a_wrong_root_url() {
    let registry = asking(bearer(), &["Bearer realm=\"http://localhost:3000/v2/token\",scope=\"*\""]);
    let checked = ask(&registry, plain(), "a:1");
    assert_eq!(
        describe(&checked, &registry, "a:1"),
        "HOST sends us to http://localhost:3000, which seems to be its own address seen from inside: its public URL is \
         set wrong (in Gitea: ROOT_URL), or token-realms must name it"
    );
}

#[test]
fn a_realm_at_another_port_of_the_registry_is_explained_too() {
    let registry = asking(bearer(), &["Bearer realm=\"https://127.0.0.1/v2/token\",scope=\"*\""]);
    let checked = ask(&registry, plain(), "a:1");
    assert!(matches!(checked, Err(Error::Diverted { .. })), "{checked:?}");
    assert!(describe(&checked, &registry, "a:1").contains("ROOT_URL"));
}

#[test]
fn a_realm_that_may_not_be_asked_is_answered_with_the_line_that_would_allow_it() {
    let registry = asking(bearer(), &["Bearer realm=\"https://gitlab.invalid/jwt/auth\""]);
    let checked = ask(&registry, plain(), "a:1");
    let Ok(Answer::NotAllowed { host, configuration, .. }) = checked else { panic!("{checked:?}") };
    let lines = [format!("[registries.\"{}\"]", registry.host()), "token-realms = [\"gitlab.invalid\"]".to_owned()];
    assert_eq!((host.as_str(), configuration), ("gitlab.invalid", lines.to_vec()));
}

#[test]
fn a_realm_at_a_port_that_may_not_be_asked_is_answered_with_the_option_that_would_allow_it() {
    let registry = asking(bearer(), &["Bearer realm=\"http://gitlab.invalid:8080/jwt/auth\""]);
    let checked = ask(&registry, plain(), "a:1");
    assert_eq!(
        describe(&checked, &registry, "a:1"),
        "HOST sends us to http://gitlab.invalid:8080, which is not listed in token-realms"
    );
}

#[test]
fn where_the_realm_is_wrong_but_a_password_would_do_it_is_shown() {
    let folder = TempDir::new().unwrap();
    let registry = asking(basic(), &["Bearer realm=\"http://localhost:3000/v2/token\"", "Basic realm=\"lab\""]);
    assert!(token_requests(&registry, alice(&folder, "s3cret")).is_empty());
}

#[test]
fn what_needs_no_token_is_there_though_the_first_image_taught_us_to_get_one() {
    let registry = open();
    registry.push("team/b", "1");
    registry.misbehave("team/a", status(401, "WWW-Authenticate", "Bearer realm=\"/token\""));
    registry.misbehave(Scope::token(), Behaviour::status(403));
    let images = ["a", "b"].map(|name| format!("{}/team/{name}:1", registry.host()));
    let checked = check(listing(&registry, plain()), &images);
    assert!(matches!(checked[0], Ok(Answer::Denied { .. })), "{checked:?}");
    assert!(is_present(&checked[1]), "{checked:?}");
}
