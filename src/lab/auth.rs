//! Who may come in: Basic credentials, or tokens that the registry's own endpoint issues.
use super::{
    answer::Answer,
    log::Authorization,
    names::Target,
    store::Store,
    token::{Tokens, scope},
};
use axum::http::StatusCode;
use base64::{Engine, prelude::BASE64_STANDARD};
use std::collections::BTreeMap;

/// How the registry wants to be asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Auth {
    /// By anybody; nothing is restricted.
    #[default]
    None,
    /// With a user's credentials at every request.
    Basic {
        /// Who there is.
        users: Users,
    },
    /// With a token, which `/token` on the same server issues to users and, for what is not restricted, to anybody.
    Bearer {
        /// Who there is. The user `<token>` has an identity token for a password, as in docker's config.json.
        users: Users,
        /// The realm of the challenge, sent as it is; by default the URL of `/token` here, as the client sees it.
        realm: Option<String>,
        /// The service of the challenge, and what the token endpoint must then be told; `None` leaves it out.
        service: Option<String>,
    },
}

/// Passwords by user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Users(BTreeMap<String, String>);

impl<const N: usize> From<[(&str, &str); N]> for Users {
    fn from(users: [(&str, &str); N]) -> Self {
        Self(users.map(|(user, password)| (user.to_owned(), password.to_owned())).into())
    }
}

impl Users {
    /// The user of a `Basic` header, if the password is right.
    pub(super) fn authenticate(&self, header: &Authorization) -> Option<String> {
        let decoded = header.is("basic").then(|| BASE64_STANDARD.decode(&header.value).ok()).flatten()?;
        let (user, password) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
        self.knows(user, password).then(|| user.to_owned())
    }

    pub(super) fn knows(&self, user: &str, password: &str) -> bool {
        self.0.get(user).is_some_and(|right| right == password)
    }
}

/// A request at the door.
pub(super) struct Visitor<'a> {
    pub(super) target: &'a Target,
    pub(super) authorization: Option<&'a Authorization>,
    /// Scheme and host, as the client sees them.
    pub(super) origin: &'a str,
}

impl Auth {
    /// Lets the visitor in (`None`), or says what to answer instead.
    pub(super) fn refusal(&self, visitor: &Visitor<'_>, store: &Store, tokens: &Tokens) -> Option<Answer> {
        match self {
            _ if *visitor.target == Target::Token => None,
            Self::None => None,
            Self::Basic { users } => basic_refusal(users, visitor, store),
            Self::Bearer { realm, service, .. } => {
                let challenge = |error| challenge(realm.as_deref(), service.as_deref(), visitor, error);
                let Some(token) = visitor.authorization.filter(|header| header.is("bearer")) else {
                    return Some(challenge(None));
                };
                match (tokens.grant(&token.value), visitor.target.repository()) {
                    (None, _) => Some(challenge(Some("invalid_token"))),
                    (Some(grant), Some(name)) if !grant.covers(name, store) => {
                        Some(challenge(Some("insufficient_scope")))
                    }
                    _ => None,
                }
            }
        }
    }
}

fn basic_refusal(users: &Users, visitor: &Visitor<'_>, store: &Store) -> Option<Answer> {
    let Some(user) = visitor.authorization.and_then(|header| users.authenticate(header)) else {
        return Some(unauthorized().with("www-authenticate", "Basic realm=\"lab\""));
    };
    match visitor.target.repository() {
        Some(name) if !store.may_read(name, Some(&user)) => {
            Some(Answer::error(StatusCode::FORBIDDEN, "DENIED", "requested access to the resource is denied"))
        }
        _ => None,
    }
}

/// The challenge of <https://distribution.github.io/distribution/spec/auth/token/>.
fn challenge(realm: Option<&str>, service: Option<&str>, visitor: &Visitor<'_>, error: Option<&str>) -> Answer {
    let mut challenge = match realm {
        Some(realm) => format!("Bearer realm=\"{realm}\""),
        None => format!("Bearer realm=\"{}/token\"", visitor.origin),
    };
    let scope = visitor.target.repository().map(scope);
    for (name, value) in [("service", service), ("scope", scope.as_deref()), ("error", error)] {
        if let Some(value) = value {
            challenge.push_str(&format!(",{name}=\"{value}\""));
        }
    }
    unauthorized().with("www-authenticate", &challenge)
}

pub(super) fn unauthorized() -> Answer {
    Answer::error(StatusCode::UNAUTHORIZED, "UNAUTHORIZED", "authentication required")
}
