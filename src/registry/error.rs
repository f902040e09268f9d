//! Why a registry could not tell.
use crate::http::Failure;
use std::{fmt, time::Duration};

/// A registry could not tell whether an image exists. Never read as "absent".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The time for the whole push was over before the answer came.
    #[error("no answer before the deadline of the push")]
    Deadline,
    /// One request took too long.
    #[error("{host} did not answer in time")]
    Timeout {
        /// Who was asked.
        host: String,
    },
    /// There was no connection, or it broke.
    #[error("cannot reach {host}: {failure}")]
    Unreachable {
        /// Who was asked.
        host: String,
        /// At which step.
        failure: Failure,
    },
    /// The registry limits how often it is asked.
    #[error("{host} limits the rate of requests (429){}{}", said(limit.as_deref()), after(*retry_after))]
    Busy {
        /// Who was asked.
        host: String,
        /// When it may be asked again, if it says so.
        retry_after: Option<Duration>,
        /// How much it allows, in words, if it says so.
        limit: Option<String>,
    },
    /// The registry is broken, or answers what no registry should.
    #[error("{host} answered {status}{}", said(message.as_deref()))]
    Server {
        /// Who was asked.
        host: String,
        /// The HTTP status.
        status: u16,
        /// What it said, as it said it.
        message: Option<String>,
    },
    /// What the server sent is not a registry's answer.
    #[error("{host} does not answer as a registry: {reason}")]
    NotARegistry {
        /// Who was asked.
        host: String,
        /// What is wrong with the answer.
        reason: String,
    },
    /// The credentials that the administrator configured are not accepted.
    #[error("{host} refused the credentials of {origin}")]
    RefusedCredentials {
        /// The registry.
        host: String,
        /// Where they come from; never what they are.
        origin: String,
    },
    /// The registry sends us, for a token or by a redirect, to a place that may not be asked.
    #[error("{host} sends us to {to}, {reason}")]
    Diverted {
        /// The registry.
        host: String,
        /// The other place: scheme, host and port.
        to: String,
        /// Why it may not be asked.
        reason: &'static str,
    },
    /// Something on this machine: a file of credentials or certificates.
    #[error("{0}")]
    Local(String),
}

impl Error {
    pub(super) fn of(host: &str, failure: Failure) -> Self {
        match failure {
            Failure::Timeout => Self::Timeout { host: host.to_owned() },
            Failure::Local(reason) => Self::Local(reason),
            failure => Self::Unreachable { host: host.to_owned(), failure },
        }
    }
}

/// Some say when by the clock in place of for how long: more than a day is passed over.
fn after(delay: Option<Duration>) -> String {
    let believable = delay.filter(|delay| *delay <= Duration::from_secs(24 * 60 * 60));
    believable.map_or_else(String::new, |delay| format!("; it may be asked again in {}", spoken(delay)))
}

/// In the unit in which one waits, rounded up.
fn spoken(delay: Duration) -> String {
    let seconds = delay.as_secs();
    match seconds {
        0..=120 => format!("{seconds} s"),
        121..=7200 => format!("{} min", seconds.div_ceil(60)),
        _ => format!("{} h", seconds.div_ceil(3600)),
    }
}

fn said(message: Option<&str>) -> impl fmt::Display {
    message.map_or_else(String::new, |message| format!(": {message}"))
}
