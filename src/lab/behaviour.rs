//! How the registry misbehaves, and towards which requests.
use super::{
    answer::{Answer, Pace},
    names::Target,
};
use axum::http::{HeaderValue, Method, StatusCode, header};
use std::time::Duration;

/// What the registry does instead of, or to, the right answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// Waits, then goes on.
    Delay(Duration),
    /// Reads the request and never answers.
    Hang,
    /// Reads the request and closes the connection.
    CloseConnection,
    /// Answers with this.
    Status {
        /// The HTTP status.
        code: u16,
        /// Names and values.
        headers: Vec<(String, String)>,
        /// Sent as it is.
        body: String,
    },
    /// Answers with an error in the form of the specification.
    ErrorCode {
        /// The HTTP status.
        status: u16,
        /// `MANIFEST_UNKNOWN`, `TAG_EXPIRED`, or what a registry made up.
        code: String,
        /// May hold any character.
        message: String,
    },
    /// Answers a HEAD with 404 and a GET rightly, as Nexus does.
    HeadNotFoundButGetWorks,
    /// Answers 200 with a page for a browser.
    HtmlPage,
    /// Redirects with 307.
    Redirect(String),
    /// Answers 429.
    RateLimited {
        /// The `Retry-After` header, if one is sent.
        retry_after: Option<String>,
    },
    /// Answers rightly, without `Docker-Content-Digest`.
    NoDigestHeader,
    /// Answers rightly, without `Content-Length`.
    NoContentLength,
    /// Answers with a body that is not the one of the digest.
    WrongDigestBody,
    /// Answers with a body that never ends.
    EndlessBody,
    /// Answers rightly, with this long a pause between the bytes of the body.
    SlowBody(Duration),
    /// Answers a GET to the token endpoint with `access_token` in place of `token`.
    AccessTokenOnly,
    /// Replaces the `WWW-Authenticate` headers of every 401 that asks for credentials; each is sent as one header.
    Challenge(Vec<String>),
}

/// Which requests a behaviour meets.
///
/// What is for everything acts before credentials are looked at, as a broken proxy would; what is narrower acts on
/// requests that were admitted, as the registry behind would.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    place: Place,
    method: Option<Method>,
    times: Option<u32>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Everything,
    Repository(String),
    Manifest { name: String, reference: String },
    Blobs(String),
    Tags(String),
    Token,
}

/// When in the life of a request a rule acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Before credentials are looked at.
    Arrived,
    /// After they were found wanting.
    Refused,
    /// After they were accepted.
    Admitted,
}

/// The rules in the order in which they were made.
#[derive(Debug, Default)]
pub(super) struct Rules(Vec<(Scope, Behaviour)>);

impl Scope {
    /// Every request, those to the token endpoint too.
    pub fn everything() -> Self {
        Self::at(Place::Everything)
    }

    /// The token endpoint.
    pub fn token() -> Self {
        Self::at(Place::Token)
    }

    /// All blobs of a repository.
    pub fn blobs(name: &str) -> Self {
        Self::at(Place::Blobs(name.to_owned()))
    }

    /// The list of a repository's tags.
    pub fn tags(name: &str) -> Self {
        Self::at(Place::Tags(name.to_owned()))
    }

    /// Only HEAD.
    #[must_use]
    pub fn head(self) -> Self {
        Self { method: Some(Method::HEAD), ..self }
    }

    /// Only GET.
    #[must_use]
    pub fn get(self) -> Self {
        Self { method: Some(Method::GET), ..self }
    }

    /// Only POST, which the token endpoint takes.
    #[must_use]
    pub fn post(self) -> Self {
        Self { method: Some(Method::POST), ..self }
    }

    /// Only the first `times` requests.
    #[must_use]
    pub fn times(self, times: u32) -> Self {
        Self { times: Some(times), ..self }
    }

    fn at(place: Place) -> Self {
        Self { place, method: None, times: None }
    }

    fn covers(&self, target: &Target, method: &Method) -> bool {
        let place = match &self.place {
            Place::Everything => true,
            Place::Repository(name) => target.repository() == Some(name),
            Place::Manifest { name, reference } => {
                *target == Target::Manifest { name: name.clone(), reference: reference.clone() }
            }
            Place::Blobs(wanted) => matches!(target, Target::Blob { name, .. } if name == wanted),
            Place::Tags(wanted) => matches!(target, Target::Tags { name } if name == wanted),
            Place::Token => *target == Target::Token,
        };
        place && self.times != Some(0) && self.method.as_ref().is_none_or(|wanted| wanted == method)
    }
}

/// `team/app` is a repository with all that is in it; `team/app:1.4.2` and `team/app@sha256:...` are manifests as a
/// client would ask for them.
impl From<&str> for Scope {
    fn from(text: &str) -> Self {
        let tagged = || text.rsplit_once(':').filter(|(_, tag)| !tag.contains('/'));
        Self::at(match text.split_once('@').or_else(tagged) {
            Some((name, reference)) => Place::Manifest { name: name.to_owned(), reference: reference.to_owned() },
            None => Place::Repository(text.to_owned()),
        })
    }
}

impl Behaviour {
    /// A bare status, without a body.
    pub fn status(code: u16) -> Self {
        Self::Status { code, headers: Vec::new(), body: String::new() }
    }

    /// The answer that replaces the right one; `None` if the right one is only changed or late.
    pub(super) fn replacement(&self) -> Option<Answer> {
        Some(match self {
            Self::Status { code, headers, body } => {
                let mut answer = Answer::new(status(*code), "text/plain", body.clone());
                answer.headers.clear();
                headers.iter().fold(answer, |answer, (name, value)| answer.with(name, value))
            }
            Self::ErrorCode { status: number, code, message } => Answer::error(status(*number), code, message),
            Self::HeadNotFoundButGetWorks => Answer::new(StatusCode::NOT_FOUND, "text/plain", ""),
            Self::HtmlPage => {
                Answer::new(StatusCode::OK, "text/html; charset=utf-8", "<!doctype html><title>Sign in</title>")
            }
            Self::Redirect(url) => Answer::new(StatusCode::TEMPORARY_REDIRECT, "text/plain", "").with("location", url),
            Self::RateLimited { retry_after } => {
                let answer = Answer::error(StatusCode::TOO_MANY_REQUESTS, "TOOMANYREQUESTS", "too many requests");
                retry_after.iter().fold(answer, |answer, value| answer.with("retry-after", value))
            }
            _ => return None,
        })
    }

    /// Changes the right answer.
    pub(super) fn spoil(&self, answer: &mut Answer) {
        match self {
            Self::NoDigestHeader => drop(answer.headers.remove("docker-content-digest")),
            Self::NoContentLength => answer.pace = Pace::Unmeasured,
            Self::EndlessBody => answer.pace = Pace::Endless,
            Self::SlowBody(pause) => answer.pace = Pace::Slow(*pause),
            Self::WrongDigestBody => answer.body = [&answer.body, &b"\n"[..]].concat().into(),
            Self::AccessTokenOnly => {
                let body = String::from_utf8_lossy(&answer.body).replace("\"token\":", "\"access_token\":");
                answer.body = body.into();
            }
            Self::Challenge(challenges) => {
                answer.headers.remove(header::WWW_AUTHENTICATE);
                for challenge in challenges.iter().filter_map(|text| HeaderValue::try_from(text).ok()) {
                    answer.headers.append(header::WWW_AUTHENTICATE, challenge);
                }
            }
            _ => {}
        }
    }
}

/// What HTTP does not know as a status becomes a 500.
fn status(code: u16) -> StatusCode {
    StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

impl Rules {
    pub(super) fn add(&mut self, scope: Scope, behaviour: Behaviour) {
        self.0.push((scope, behaviour));
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// The first rule from `from` on that meets the request, with the place to go on from; it counts as used.
    pub(super) fn next(
        &mut self,
        from: usize,
        stage: Stage,
        target: &Target,
        method: &Method,
    ) -> Option<(usize, Behaviour)> {
        let meets = |(scope, behaviour): &(Scope, Behaviour)| {
            let head_only = *behaviour == Behaviour::HeadNotFoundButGetWorks;
            acts_at(scope, behaviour) == stage && scope.covers(target, method) && (!head_only || method == Method::HEAD)
        };
        let (at, (scope, behaviour)) = self.0.iter_mut().enumerate().skip(from).find(|(_, rule)| meets(rule))?;
        scope.times = scope.times.map(|left| left - 1);
        Some((at + 1, behaviour.clone()))
    }
}

fn acts_at(scope: &Scope, behaviour: &Behaviour) -> Stage {
    match (behaviour, &scope.place) {
        (Behaviour::Challenge(_), _) => Stage::Refused,
        (_, Place::Everything) => Stage::Arrived,
        _ => Stage::Admitted,
    }
}
