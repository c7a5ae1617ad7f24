//! Writes the dead letters of records that cannot be read.

use std::sync::Arc;
use std::time::Duration;

use rdkafka::message::OwnedHeaders;
use stockpulse_core::SystemClock;
use stockpulse_core::port::Clock;
use stockpulse_core::worker::Backoff;

use super::intake::Foreign;
use super::shared::Shared;
use crate::aside::Aside;
use crate::connection::Connection;

/// Buries what cannot be read, one record after the other, each until it is done: its partition goes on meanwhile, and the
/// group's place waits. Ends when it is aborted.
pub(crate) async fn bury(connection: Arc<Connection>, shared: Arc<Shared>) {
    let backoff = Backoff { first: Duration::from_millis(100), longest: Duration::from_secs(10) };
    let mut failures = 0;
    loop {
        let Some(foreign) = next(&shared) else {
            shared.foreign.notified().await;
            continue;
        };
        let aside = Aside {
            group: &shared.group,
            origin: &foreign.origin,
            key: foreign.key.as_deref(),
            value: foreign.value.as_deref(),
            headers: foreign.headers.clone().unwrap_or_else(OwnedHeaders::new),
            reason: &foreign.reason,
        };
        match connection.put_aside(aside).await {
            Ok(()) => {
                failures = 0;
                shared.intake().buried(foreign.tag);
                shared.wake_poller();
            }
            Err(error) => {
                failures += 1;
                tracing::error!(%error, group = shared.group, "a dead letter was not written; trying again");
                SystemClock.sleep(backoff.pause(failures)).await;
            }
        }
    }
}

/// A function of its own, so that the lock is not held while anything is awaited.
fn next(shared: &Shared) -> Option<Foreign> {
    shared.intake().foreign()
}
