//! One request and its answer, from the log to the wire.
use super::{
    answer::Answer,
    auth::{Auth, Visitor},
    behaviour::{Behaviour, Rules, Stage},
    listener::Connection,
    log::Request,
    names::Target,
    routes,
    store::Store,
    token::{self, Asked, Tokens},
};
use axum::{
    body::{Body, to_bytes},
    http::{self, Method, header, request::Parts, uri::Authority},
    response::Response,
};
use std::{
    future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::sleep;

/// More than any form of a token request.
const BODY_LIMIT: usize = 64 * 1024;

/// What all requests and the owner of the registry share.
#[derive(Debug)]
pub(super) struct Lab {
    pub(super) auth: Auth,
    pub(super) latency: Duration,
    /// `http` or `https`.
    pub(super) scheme: &'static str,
    pub(super) state: Mutex<State>,
}

/// What changes while the registry runs.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) store: Store,
    pub(super) rules: Rules,
    pub(super) tokens: Tokens,
    pub(super) log: Vec<Request>,
}

impl Lab {
    /// A panic of another thread leaves nothing half done that matters here.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Answers a request, or does with it what the rules want.
pub(super) async fn serve(lab: Arc<Lab>, connection: Connection, request: http::Request<Body>) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, BODY_LIMIT).await.unwrap_or_default();
    let logged = Request::new(connection.number, &parts, &body);
    lab.state().log.push(logged.clone());
    // Even a sleep of no time takes up to a millisecond.
    if !lab.latency.is_zero() {
        sleep(lab.latency).await;
    }
    let target = Target::of(parts.uri.path());
    let mut exchange = Exchange { lab: &lab, connection, parts: &parts, logged, target, spoilers: Vec::new() };
    let mut answer = exchange.answer().await;
    for behaviour in exchange.spoilers {
        behaviour.spoil(&mut answer);
    }
    answer.into_response(parts.method == Method::HEAD)
}

struct Exchange<'a> {
    lab: &'a Lab,
    connection: Connection,
    parts: &'a Parts,
    logged: Request,
    target: Target,
    /// What will be done to the answer.
    spoilers: Vec<Behaviour>,
}

impl Exchange<'_> {
    async fn answer(&mut self) -> Answer {
        if let Some(answer) = self.misbehave(Stage::Arrived).await {
            return answer;
        }
        if let Some(answer) = routes::fault(&self.target, &self.parts.method) {
            return ours(answer);
        }
        if let Some(answer) = self.refusal() {
            return self.misbehave(Stage::Refused).await.unwrap_or(ours(answer));
        }
        if let Some(answer) = self.misbehave(Stage::Admitted).await {
            return answer;
        }
        ours(self.behave())
    }

    /// Follows the rules of this stage in their order, up to the first that answers.
    async fn misbehave(&mut self, stage: Stage) -> Option<Answer> {
        let mut from = 0;
        loop {
            let rule = self.lab.state().rules.next(from, stage, &self.target, &self.parts.method);
            let (next, behaviour) = rule?;
            from = next;
            match behaviour {
                Behaviour::Delay(delay) => sleep(delay).await,
                Behaviour::Hang => future::pending().await,
                Behaviour::CloseConnection => {
                    self.connection.cut();
                    return Behaviour::status(500).replacement();
                }
                behaviour => match behaviour.replacement() {
                    Some(answer) => return Some(answer),
                    None => self.spoilers.push(behaviour),
                },
            }
        }
    }

    fn refusal(&self) -> Option<Answer> {
        let state = self.lab.state();
        let visitor =
            Visitor { target: &self.target, authorization: self.logged.authorization.as_ref(), origin: &self.origin() };
        self.lab.auth.refusal(&visitor, &state.store, &state.tokens)
    }

    /// Scheme and host as the client sees them: from the Host header, in HTTP/2 from the target.
    fn origin(&self) -> String {
        let host = self.parts.headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let host = host.or_else(|| self.parts.uri.authority().map(Authority::as_str));
        format!("{}://{}", self.lab.scheme, host.unwrap_or_default())
    }

    fn behave(&self) -> Answer {
        let State { store, tokens, .. } = &mut *self.lab.state();
        if self.target != Target::Token {
            return routes::answer(store, &self.target, &self.parts.uri, &self.logged.accept);
        }
        let form = match self.parts.method {
            Method::POST => &self.logged.body,
            _ => self.parts.uri.query().unwrap_or_default(),
        };
        let authorization = self.logged.authorization.as_ref();
        token::answer(&self.lab.auth, &Asked { method: &self.parts.method, form, authorization }, tokens)
    }
}

/// By this header clients tell a registry from any other server.
fn ours(answer: Answer) -> Answer {
    answer.with("docker-distribution-api-version", "registry/2.0")
}
