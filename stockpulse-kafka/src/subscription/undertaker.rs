//! Writes the dead letters of records that cannot be read.

use std::sync::Arc;
use std::time::Duration;

use stockpulse_core::SystemClock;
use stockpulse_core::port::Clock;
use stockpulse_core::worker::Backoff;

use super::intake::Foreign;
use super::shared::Shared;
use crate::aside::{Aside, Where};
use crate::connection::Connection;

/// Buries what cannot be read, as much at once as there is, each record until it is done: its partition goes on meanwhile,
/// and the group's place waits. Ends when it is aborted.
pub(crate) async fn bury(connection: Arc<Connection>, shared: Arc<Shared>) {
    let backoff = Backoff { first: Duration::from_millis(100), longest: Duration::from_secs(10) };
    let mut failures = 0;
    loop {
        let waiting = next(&shared);
        if waiting.is_empty() {
            shared.foreign.notified().await;
            continue;
        }
        let asides: Vec<Aside<'_>> = waiting.iter().map(|foreign| letter(&shared.group, foreign)).collect();
        let mut failure = None;
        for (foreign, answer) in waiting.iter().zip(connection.put_aside(&asides).await) {
            match answer {
                Ok(()) => shared.intake().buried(foreign.tag),
                Err(error) => failure = Some(error),
            }
        }
        shared.wake_poller();
        let Some(error) = failure else {
            failures = 0;
            continue;
        };
        failures += 1;
        tracing::error!(%error, group = shared.group, "dead letters were not written; trying again");
        SystemClock.sleep(backoff.pause(failures)).await;
    }
}

fn letter<'a>(group: &'a str, foreign: &'a Foreign) -> Aside<'a> {
    Aside {
        to: Where::DeadLetters,
        group,
        origin: &foreign.origin,
        key: foreign.key.as_deref(),
        value: foreign.value.as_deref(),
        headers: foreign.headers.clone().unwrap_or_default(),
        reason: &foreign.reason,
    }
}

/// A function of its own, so that the lock is not held while anything is awaited.
fn next(shared: &Shared) -> Vec<Foreign> {
    shared.intake().foreign()
}
