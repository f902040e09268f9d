//! An answer before it is sent: its parts can still be changed, and its body be sent badly.
use axum::{
    body::{Body, Bytes, HttpBody},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::Response,
};
use http_body::Frame;
use std::{
    convert::Infallible,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::{Instant, Sleep, sleep};

/// What will be sent, and how.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) pace: Pace,
}

/// How the body is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    /// At once, with its length.
    Whole,
    /// At once, without its length.
    Unmeasured,
    /// With its length, one byte at a time, with a pause between.
    Slow(Duration),
    /// Again and again, for as long as the client reads.
    Endless,
}

impl Answer {
    pub(super) fn new(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Self {
        let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(content_type))]);
        Self { status, headers, body: body.into(), pace: Pace::Whole }
    }

    pub(super) fn json(status: StatusCode, value: &serde_json::Value) -> Self {
        Self::new(status, "application/json", value.to_string())
    }

    /// The form in which the specification wants errors.
    pub(super) fn error(status: StatusCode, code: &str, message: &str) -> Self {
        let error = serde_json::json!({ "code": code, "message": message });
        Self::json(status, &serde_json::json!({ "errors": [error] }))
    }

    /// With one more header. One that HTTP does not allow turns the answer into a 500 that says so.
    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        match (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            (Ok(name), Ok(value)) => {
                self.headers.append(name, value);
                self
            }
            _ => Self::new(StatusCode::INTERNAL_SERVER_ERROR, "text/plain", format!("cannot send header {name:?}")),
        }
    }

    /// As it goes out: a HEAD is answered with the headers of the GET.
    pub(super) fn into_response(mut self, is_head: bool) -> Response {
        if matches!(self.pace, Pace::Whole | Pace::Slow(_)) {
            self.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(self.body.len()));
        }
        let body = match self.pace {
            _ if is_head => Body::empty(),
            Pace::Whole => Body::from(self.body),
            pace => Body::new(Paced { rest: self.body, pace, pause: Box::pin(sleep(Duration::ZERO)) }),
        };
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}

/// A body whose length HTTP is not told, in frames.
struct Paced {
    rest: Bytes,
    pace: Pace,
    pause: Pin<Box<Sleep>>,
}

impl HttpBody for Paced {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let size = match self.pace {
            Pace::Endless => return Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[b' '; 16 * 1024]))))),
            _ if self.rest.is_empty() => return Poll::Ready(None),
            Pace::Slow(pause) => {
                if self.pause.as_mut().poll(context).is_pending() {
                    return Poll::Pending;
                }
                self.pause.as_mut().reset(Instant::now() + pause);
                1
            }
            Pace::Whole | Pace::Unmeasured => self.rest.len(),
        };
        Poll::Ready(Some(Ok(Frame::data(self.rest.split_to(size)))))
    }
}
