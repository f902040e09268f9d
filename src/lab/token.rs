//! The token endpoint: opaque tokens, each for some repositories, to users and to anybody.
use super::{
    answer::Answer,
    auth::{Auth, Users, unauthorized},
    form,
    image::digest,
    log::Authorization,
    store::Store,
};
use axum::http::{Method, StatusCode};
use serde_json::json;
use std::collections::BTreeMap;

/// The tokens that are valid.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    issued: u64,
    valid: BTreeMap<String, Grant>,
}

/// What a token was asked for, and by whom.
#[derive(Clone, Debug)]
pub(super) struct Grant {
    user: Option<String>,
    scopes: Vec<String>,
}

impl Grant {
    /// Whether it lets pull from the repository. A scope without a name, such as the `*` of Gitea or the `aws` of
    /// ECR Public, is for all repositories.
    pub(super) fn covers(&self, repository: &str, store: &Store) -> bool {
        let is_asked = |scope: &String| !scope.contains(':') || pulled(scope) == Some(repository);
        self.scopes.iter().any(is_asked) && store.may_read(repository, self.user.as_deref())
    }
}

impl Tokens {
    /// What the token is good for; `None` if it is not one of ours.
    pub(super) fn grant(&self, token: &str) -> Option<&Grant> {
        self.valid.get(token)
    }

    /// From now on no token that was issued before is valid.
    pub(super) fn revoke(&mut self) {
        self.valid.clear();
    }

    fn issue(&mut self, grant: Grant) -> String {
        self.issued += 1;
        let token = digest(format!("{}: {grant:?}", self.issued).as_bytes()).replace("sha256:", "lab-");
        self.valid.insert(token.clone(), grant);
        token
    }
}

/// The scope that pulling from a repository takes.
pub(super) fn scope(repository: &str) -> String {
    format!("repository:{repository}:pull")
}

/// A request to the endpoint: GET with Basic credentials or none, or POST with the form of OAuth2.
pub(super) struct Asked<'a> {
    pub(super) method: &'a Method,
    /// The query of a GET, the body of a POST.
    pub(super) form: &'a str,
    pub(super) authorization: Option<&'a Authorization>,
}

/// Issues a token, also one for scopes that the user may not have: it then lets in nowhere, as with `distribution`.
pub(super) fn answer(auth: &Auth, asked: &Asked<'_>, tokens: &mut Tokens) -> Answer {
    let Auth::Bearer { users, service, .. } = auth else {
        return Answer::error(StatusCode::NOT_FOUND, "UNSUPPORTED", "no such path");
    };
    let pairs: Vec<(String, String)> = form::pairs(asked.form).collect();
    let value = |wanted: &str| pairs.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
    if service.is_some() && value("service") != service.as_deref() {
        return Answer::error(StatusCode::BAD_REQUEST, "UNSUPPORTED", "unknown service");
    }
    let user = match *asked.method {
        Method::GET => user_of_header(users, asked.authorization),
        Method::POST => user_of_form(users, &value),
        _ => {
            return Answer::error(StatusCode::METHOD_NOT_ALLOWED, "UNSUPPORTED", "GET or POST")
                .with("allow", "GET, POST");
        }
    };
    let Ok(user) = user else {
        return unauthorized();
    };
    let scopes = pairs.iter().filter(|(name, _)| name == "scope").flat_map(|(_, scopes)| scopes.split(' '));
    let grant = Grant { user, scopes: scopes.map(str::to_owned).collect() };
    let field = if *asked.method == Method::POST { "access_token" } else { "token" };
    Answer::json(StatusCode::OK, &json!({ field: tokens.issue(grant), "expires_in": 300 }))
}

/// Credentials that are not known.
struct WrongCredentials;

fn user_of_header(users: &Users, header: Option<&Authorization>) -> Result<Option<String>, WrongCredentials> {
    header.map(|header| users.authenticate(header).ok_or(WrongCredentials)).transpose()
}

fn user_of_form<'a>(
    users: &Users,
    value: &impl Fn(&str) -> Option<&'a str>,
) -> Result<Option<String>, WrongCredentials> {
    let (user, password) = match value("grant_type") {
        Some("password") => (value("username"), value("password")),
        Some("refresh_token") => (Some("<token>"), value("refresh_token")),
        _ => (None, None),
    };
    match (user, password) {
        (Some(user), Some(password)) if users.knows(user, password) => Ok(Some(user.to_owned())),
        _ => Err(WrongCredentials),
    }
}

/// The repository of a scope `repository:<name>:<actions>` with `pull` among the actions.
fn pulled(scope: &str) -> Option<&str> {
    let (name, actions) = scope.strip_prefix("repository:")?.rsplit_once(':')?;
    actions.split(',').any(|action| action == "pull").then_some(name)
}
