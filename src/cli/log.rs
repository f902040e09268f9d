//! `PULLGATE_LOG`: what the program did and how long it took, on standard error.
use crate::config::environment;
use std::io;
use tracing_subscriber::{Layer, filter::Targets, fmt, layer::SubscriberExt, registry, util::SubscriberInitExt};

/// Starts logging if the environment asks for it; else nothing is built.
pub(super) fn start() {
    let Some(filter) = environment::text(environment::LOG) else { return };
    match filter.parse::<Targets>() {
        Ok(targets) => {
            let lines = fmt::layer().with_writer(io::stderr).with_ansi(false).with_target(false);
            registry().with(lines.with_filter(targets)).init();
        }
        Err(error) => super::say(&format!("warning: {} is not a filter: {error}\n", environment::LOG)),
    }
}
