//! Credentials, challenges and tokens.
use super::client::{ALICE, MALLORY, OCI, ask, with};
use crate::lab::{Auth, Behaviour, Scope};

#[test]
fn basic_credentials_are_wanted_at_every_request() {
    let registry = with(Auth::Basic { users: [("alice", "s3cret")].into() });
    registry.push("app", "1");
    let anonymous = ask(&registry, "GET", "/v2/app/manifests/1", &[OCI]);
    assert_eq!((anonymous.status, anonymous.header("www-authenticate")), (401, Some("Basic realm=\"lab\"")));
    assert_eq!(ask(&registry, "GET", "/v2/app/manifests/1", &[OCI, MALLORY]).status, 401);
    assert_eq!(ask(&registry, "GET", "/v2/app/manifests/1", &[OCI, ALICE]).status, 200);
    registry.restrict("app", &["bob"]);
    assert_eq!(ask(&registry, "GET", "/v2/app/manifests/1", &[OCI, ALICE]).code(), "DENIED");
}

#[test]
fn a_token_opens_the_repositories_of_its_scopes_that_its_user_may_read() {
    let service = Some("lab".to_owned());
    let registry = with(Auth::Bearer { users: [("alice", "s3cret")].into(), realm: None, service });
    registry.push("open", "1");
    registry.push("closed", "1");
    registry.restrict("closed", &["alice"]);

    let host = registry.host();
    let challenge = |name: &str, error: &str| {
        format!("Bearer realm=\"http://{host}/token\",service=\"lab\",scope=\"repository:{name}:pull\"{error}")
    };
    let refused = ask(&registry, "GET", "/v2/closed/manifests/1", &[OCI]);
    assert_eq!((refused.status, refused.code().as_str()), (401, "UNAUTHORIZED"));
    assert_eq!(refused.header("www-authenticate"), Some(challenge("closed", "").as_str()));

    let both = "/token?service=lab&scope=repository:open:pull&scope=repository%3Aclosed%3Apull";
    let token = |headers: &[&str]| {
        let answer: serde_json::Value = serde_json::from_str(&ask(&registry, "GET", both, headers).body).unwrap();
        format!("Authorization: Bearer {}", answer["token"].as_str().unwrap())
    };
    let (alices, anybodys) = (token(&[ALICE]), token(&[]));
    let get = |name: &str, token: &str| ask(&registry, "GET", &format!("/v2/{name}/manifests/1"), &[OCI, token]);
    assert_eq!([get("open", &alices).status, get("closed", &alices).status, get("open", &anybodys).status], [200; 3]);
    let insufficient = challenge("closed", ",error=\"insufficient_scope\"");
    assert_eq!(get("closed", &anybodys).header("www-authenticate"), Some(insufficient.as_str()));
    registry.revoke_tokens();
    let invalid = challenge("open", ",error=\"invalid_token\"");
    assert_eq!(get("open", &alices).header("www-authenticate"), Some(invalid.as_str()));

    assert_eq!(ask(&registry, "GET", both, &[MALLORY]).status, 401);
    assert_eq!(ask(&registry, "GET", "/token?service=other", &[ALICE]).status, 400);
}

#[test]
fn an_identity_token_buys_an_access_token() {
    let registry = with(Auth::Bearer { users: [("<token>", "refresh-me")].into(), realm: None, service: None });
    registry.push("app", "1");
    registry.restrict("app", &["<token>"]);
    let buy = |identity: &str| {
        let form = format!("grant_type=refresh_token&refresh_token={identity}&scope=repository:app:pull");
        let length = format!("Content-Length: {}\r\n\r\n{form}", form.len());
        ask(&registry, "POST", "/token", &[&length])
    };
    let bought: serde_json::Value = serde_json::from_str(&buy("refresh-me").body).unwrap();
    let token = format!("Authorization: Bearer {}", bought["access_token"].as_str().unwrap());
    assert_eq!(ask(&registry, "GET", "/v2/app/manifests/1", &[OCI, &token]).status, 200);
    assert_eq!(buy("wrong").status, 401);
}

#[test]
fn a_scope_without_a_name_is_for_all_repositories() {
    let registry = with(Auth::Bearer { users: [].into(), realm: Some("/token".into()), service: None });
    registry.push("open", "1");
    registry.push("closed", "1");
    registry.restrict("closed", &[]);
    registry.misbehave(Scope::everything(), Behaviour::Challenge(vec!["Bearer realm=\"/token\",scope=\"*\"".into()]));
    registry.misbehave(Scope::token(), Behaviour::AccessTokenOnly);
    let answer: serde_json::Value = serde_json::from_str(&ask(&registry, "GET", "/token?scope=*", &[]).body).unwrap();
    let token = format!("Authorization: Bearer {}", answer["access_token"].as_str().unwrap());
    let get = |name: &str| ask(&registry, "GET", &format!("/v2/{name}/manifests/1"), &[OCI, &token]);
    assert_eq!((get("open").status, get("closed").status), (200, 401));
    assert_eq!(get("closed").header("www-authenticate"), Some("Bearer realm=\"/token\",scope=\"*\""));
}
