//! One question and its answer over HTTP: time limits, retries, sizes. Nothing here knows what is asked.
use super::{
    address::{authority, origin},
    budget::{Budget, SMALL, UNMEASURED},
    error::Error,
    quiet::{Quiet, Wish},
};
use crate::http::{Clients, Failure, MAX_HEADERS, Reach};
use reqwest::{
    Client, Method, Response, Url,
    header::{HeaderMap, HeaderValue, RETRY_AFTER},
};
use std::{
    future::pending,
    sync::Arc,
    time::{Duration, SystemTime},
};
use time::{OffsetDateTime, format_description::well_known::Rfc2822};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, sleep, sleep_until, timeout_at},
};

/// How long a server that is briefly out of order is left alone.
const PAUSE: Duration = Duration::from_millis(250);

/// How often one request is sent again after it was told to wait.
const TOLD: u32 = 2;

/// A request, ready to be sent again. Its body may hold a secret, so it cannot be shown.
#[derive(Clone)]
pub(super) struct Request {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Option<String>,
}

/// An answer with as much of its body as was asked for.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    /// Whether the body is longer than that.
    pub(super) cut: bool,
    /// The room that a long body takes.
    pub(super) _room: Option<Arc<OwnedSemaphorePermit>>,
}

/// The most that is read of a body, in bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Of a 200.
    pub(super) success: usize,
    /// Of anything else.
    pub(super) other: usize,
}

/// What requests of one check have in common.
#[derive(Debug)]
pub(super) struct Network {
    pub(super) clients: Arc<Clients>,
    /// For one request.
    pub(super) timeout: Duration,
    /// For all of them.
    pub(super) deadline: Instant,
    /// The hosts that want to be left alone.
    pub(super) quiet: Quiet,
    pub(super) budget: Budget,
}

impl Network {
    /// Sends a request, and again where that may help: once after a connection failed, once after a 408, 500, 502, 503
    /// or 504, twice after being told to wait. While its host wants to be left alone, a request waits; if that is for longer than
    /// the time allows, the host's last word is its answer. After the deadline there is no answer.
    pub(super) async fn send(
        &self,
        permits: &Semaphore,
        request: &Request,
        reach: &Reach,
        limits: Limits,
    ) -> Result<Reply, Failure> {
        let client = self.clients.client(&request.url, reach)?;
        let host = origin(&request.url);
        let (mut connected, mut served, mut told) = (false, false, 0);
        loop {
            // The semaphore is never closed.
            let permit = permits.acquire().await;
            if self.budget.excludes(&host) {
                return Err(too_much());
            }
            match self.quiet.of(request) {
                Some(Wish::Until(until)) => {
                    drop(permit);
                    sleep_until(until).await;
                    continue;
                }
                Some(Wish::TooLong(reply)) => return Ok(*reply),
                None => {}
            }
            let outcome = self.once(&client, request, limits).await;
            drop(permit);
            match outcome {
                // All that is left is to be dropped; reading a late answer would only hold up the report.
                _ if Instant::now() >= self.deadline => return pending().await,
                Err(Failure::Connect(_)) if !connected => {
                    connected = true;
                    sleep(PAUSE).await;
                }
                Ok(reply) if reply.wants_quiet() => {
                    self.quiet.keep(request, &reply, told, self.deadline);
                    if told == TOLD {
                        return Ok(reply);
                    }
                    told += 1;
                }
                Ok(reply) if matches!(reply.status, 408 | 500 | 502 | 503 | 504) && !served => {
                    served = true;
                    sleep(PAUSE).await;
                }
                outcome => return outcome,
            }
        }
    }

    async fn once(&self, client: &Client, request: &Request, limits: Limits) -> Result<Reply, Failure> {
        let mut builder = client.request(request.method.clone(), request.url.clone());
        builder = builder.headers(request.headers.clone()).timeout(self.timeout);
        if let Some(body) = &request.body {
            builder = builder.body(body.clone());
        }
        let start = Instant::now();
        let response = builder.send().await.map_err(|error| Failure::of(&error));
        // Without the query, which may be signed.
        let (method, host, path) = (&request.method, authority(&request.url), request.url.path());
        let status = response.as_ref().map(|response| response.status().as_u16());
        tracing::debug!(%method, host, path, ?status, elapsed = ?start.elapsed(), "asked");
        let response = response?;
        let limit = if response.status().as_u16() == 200 { limits.success } else { limits.other };
        let until = start + self.timeout;
        timeout_at(until, Reply::read(response, limit, &self.budget)).await.unwrap_or(Err(Failure::Timeout))
    }
}

impl Reply {
    /// Reads the answer; for a body that is not small it first waits for room.
    async fn read(mut response: Response, limit: usize, budget: &Budget) -> Result<Self, Failure> {
        let (status, url) = (response.status().as_u16(), response.url().clone());
        let headers = std::mem::take(response.headers_mut());
        let length: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
        if length > MAX_HEADERS as usize {
            budget.exclude(&origin(&url));
            return Err(too_much());
        }
        // HTTP keeps a body to the length that it has announced. Of most only the beginning is kept, and that for long.
        let (small, is_long) = match response.content_length() {
            Some(length) => (SMALL, limit > SMALL && length > SMALL as u64),
            None => (UNMEASURED, false),
        };
        // Waited for here, nothing is read ahead meanwhile.
        let mut room = if is_long { budget.large().await } else { None };
        let (mut body, mut cut) = (Vec::new(), false);
        while let Some(chunk) = response.chunk().await.map_err(|error| Failure::of(&error))? {
            let taken = chunk.len().min(limit - body.len());
            if body.len() + taken > small && room.is_none() {
                room = budget.large().await;
            }
            if room.is_some() {
                // At once: a body that grew by and by would be there twice.
                body.reserve_exact(limit - body.len());
            }
            body.extend_from_slice(&chunk[..taken]);
            if taken < chunk.len() {
                cut = true;
                break;
            }
        }
        body.shrink_to_fit();
        Ok(Self { status, url, headers, body, cut, _room: room })
    }

    /// A header, if it is ASCII.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The `Content-Type` without its parameters.
    pub(super) fn media_type(&self) -> Option<&str> {
        self.header("content-type").and_then(|value| value.split(';').next()).map(str::trim)
    }

    /// The `Content-Length`; of an answer to a HEAD, what a GET would have.
    pub(super) fn length(&self) -> Option<usize> {
        self.header("content-length")?.parse().ok()
    }

    /// When to ask again, in either form of RFC 9110, section 10.2.3.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        retry_after(self.headers.get(RETRY_AFTER)?, SystemTime::now())
    }

    /// Whether we are told to wait.
    fn wants_quiet(&self) -> bool {
        self.status == 429 || (self.status == 503 && self.retry_after().is_some())
    }

    /// How many pulls are left of how many in how long, as Docker Hub says it.
    fn pull_limit(&self) -> Option<String> {
        let [limit, left] = ["ratelimit-limit", "ratelimit-remaining"].map(|name| self.header(name));
        let (pulls, seconds) = limit?.split_once(";w=")?;
        let hours = Duration::from_secs(seconds.parse().ok()?).as_secs() / 3600;
        let (pulls, left) = (pulls.parse::<u64>().ok()?, left?.split(';').next()?.parse::<u64>().ok()?);
        Some(format!("{left} of {pulls} pulls in {hours} hours are left"))
    }

    /// The answers that say nothing about the image: too many requests, a broken server.
    pub(super) fn as_outage(&self, host: &str) -> Option<Error> {
        match self.status {
            429 => {
                let (host, retry_after) = (host.to_owned(), self.retry_after());
                Some(Error::Busy { host, retry_after, limit: self.pull_limit() })
            }
            // A server that knows nothing of HEAD says 501.
            408 | 500 | 502.. => {
                let message = super::complaint::Complaint::of(&self.body).message;
                Some(Error::Server { host: host.to_owned(), status: self.status, message })
            }
            _ => None,
        }
    }
}

fn too_much() -> Failure {
    Failure::Broken(format!("the headers of the answer are longer than {} KiB", MAX_HEADERS / 1024))
}

fn retry_after(value: &HeaderValue, now: SystemTime) -> Option<Duration> {
    let text = value.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = OffsetDateTime::parse(text, &Rfc2822).ok()?;
    Some((date - OffsetDateTime::from(now)).try_into().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::{HeaderValue, retry_after};
    use std::time::{Duration, SystemTime};

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
        let read = |text: &str| retry_after(&HeaderValue::from_str(text).unwrap(), now).map(|delay| delay.as_secs());
        assert_eq!(read("7"), Some(7));
        assert_eq!(read("Sun, 06 Nov 1994 08:49:47 GMT"), Some(10));
        assert_eq!(read("Sun, 06 Nov 1994 08:49:27 GMT"), Some(0));
        assert_eq!(read("99999999999"), Some(99_999_999_999));
        assert_eq!(read("soon"), None);
    }
}
