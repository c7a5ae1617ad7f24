//! The outbox relay: publishes what was committed.

mod waves;

use std::collections::HashSet;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use compact_str::CompactString;
use tokio_util::sync::CancellationToken;

use self::waves::{supersede, waves};
use super::backoff::Backoff;
use crate::error::{Error, Result};
use crate::model::{Envelope, EventKey};
use crate::port::{Claim, Clock, Failed, Lease, Outbox, OutboxId, OutboxRow, Published, Publisher, Quarantined};
use crate::system::SystemClock;

/// A wave that is smaller than the first one by this factor is not worth a round trip of its own.
const SMALL: usize = 4;

/// How an outbox is relayed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelayOptions {
    /// The CloudEvents source, such as `/stockpulse/inventory`.
    pub source: CompactString,
    /// The name under which leases are taken; each running relay needs its own.
    pub worker: CompactString,
    /// How long a lease lasts; it must be much longer than publishing an event takes. It is renewed when half of it
    /// has passed. 30 s unless set.
    pub lease: Duration,
    /// How many events are read at once; 1,024 unless set.
    pub batch: NonZeroUsize,
    /// How often the outbox is looked at when nothing wakes the relay; 500 ms unless set.
    pub poll: Duration,
    /// How long an event that could not be published waits.
    pub backoff: Backoff,
}

impl RelayOptions {
    /// Defaults for a source and a worker's name.
    #[must_use]
    pub fn new(source: impl Into<CompactString>, worker: impl Into<CompactString>) -> Self {
        Self {
            source: source.into(),
            worker: worker.into(),
            lease: Duration::from_secs(30),
            batch: NonZeroUsize::new(1_024).unwrap_or(NonZeroUsize::MIN),
            poll: Duration::from_millis(500),
            backoff: Backoff::default(),
        }
    }
}

/// Publishes an outbox's events: each at least once, those of one key in order and one at a time. An event that
/// cannot be published holds up its own key and no other.
///
/// Of the `stock.updated` about one level that wait together, the first and the last are published. Those between say
/// what the level no longer is, and are settled unpublished.
#[derive(Clone, Debug)]
pub struct OutboxRelay {
    outbox: Arc<dyn Outbox>,
    publisher: Arc<dyn Publisher>,
    clock: Arc<dyn Clock>,
    options: RelayOptions,
}

/// How far one batch came.
struct Relayed {
    /// Events dealt with.
    events: usize,
    /// Whether more may be waiting.
    more: bool,
}

/// What became of one wave of events.
#[derive(Default)]
struct Results {
    settled: Vec<OutboxId>,
    failed: Vec<Failed>,
    quarantined: Vec<Quarantined>,
    blocked: HashSet<EventKey>,
}

impl OutboxRelay {
    /// A relay from an outbox to a publisher.
    #[must_use]
    pub fn new(outbox: Arc<dyn Outbox>, publisher: Arc<dyn Publisher>, options: RelayOptions) -> Self {
        Self { outbox, publisher, clock: Arc::new(SystemClock), options }
    }

    /// Sets the clock.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Publishes until told to stop; then publishes what is left and gives its lease back, so that another relay can
    /// go on at once.
    ///
    /// # Errors
    /// None while it runs: failures are logged, and tried again after a pause. On stopping, what hindered it from
    /// publishing the rest or from giving the lease back.
    pub async fn run(&self, stop: CancellationToken) -> Result<()> {
        let mut failures = 0;
        while !stop.is_cancelled() {
            let pause = match self.relay().await {
                Ok(Relayed { more: true, .. }) => {
                    failures = 0;
                    continue;
                }
                Ok(_) => {
                    failures = 0;
                    self.options.poll
                }
                Err(error) => {
                    failures += 1;
                    tracing::warn!(%error, source = %self.options.source, "outbox was not relayed");
                    self.options.backoff.pause(failures)
                }
            };
            let wake = async {
                match failures {
                    0 => self.outbox.appended().await,
                    _ => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                () = stop.cancelled() => {}
                () = wake => {}
                () = self.clock.sleep(pause) => {}
            }
        }
        let drained = self.drain().await;
        let surrendered = self.surrender().await;
        drained.and(surrendered)
    }

    async fn drain(&self) -> Result<()> {
        while self.relay().await?.events > 0 {}
        Ok(())
    }

    async fn surrender(&self) -> Result<()> {
        let claim = self.claim().await?;
        self.outbox.surrender(&claim.lease).await.map_err(|error| error.during("relay.surrender"))
    }

    /// Publishes one batch and answers how many events were dealt with: published, superseded, put back or set aside.
    ///
    /// # Errors
    /// What outbox or publisher report; every event is still there, or was published.
    ///
    /// # Cancel safety
    /// Dropped, it may leave events that were published and not settled: they are published again.
    pub async fn run_once(&self) -> Result<usize> {
        Ok(self.relay().await?.events)
    }

    async fn relay(&self) -> Result<Relayed> {
        // Reckoned from before the claim, so that the lease lasts longer than it seems to here.
        let renew_at = self.clock.now().plus(self.options.lease / 2);
        let Claim { lease, rows } = self.claim().await?;
        let mut relayed = Relayed { events: 0, more: rows.len() >= self.options.batch.get() };
        let mut blocked = HashSet::new();
        let mut first = 0;
        let (rows, mut superseded) = supersede(rows);
        relayed.events += superseded.len();
        for wave in waves(rows) {
            // The rows of a few busy keys go with the next batch, and not one by one while everything else waits for them.
            let is_small = wave.len() < first / SMALL;
            if first > 0 && (is_small || self.clock.now() >= renew_at) {
                relayed.more = true;
                break;
            }
            first = first.max(wave.len());
            relayed.events += wave.len();
            let wave: Vec<(EventKey, OutboxRow)> = wave.into_iter().filter(|(key, _)| !blocked.contains(key)).collect();
            let mut results = self.publish(wave).await?;
            results.settled.append(&mut superseded);
            blocked.extend(results.blocked.iter().cloned());
            self.write_down(&lease, results).await?;
        }
        Ok(relayed)
    }

    async fn claim(&self) -> Result<Claim> {
        let RelayOptions { worker, lease, batch, .. } = &self.options;
        self.outbox.claim(worker, *lease, *batch).await.map_err(|error| error.during("relay.claim"))
    }

    async fn publish(&self, wave: Vec<(EventKey, OutboxRow)>) -> Result<Results> {
        let mut results = Results::default();
        let mut rows = Vec::with_capacity(wave.len());
        let mut envelopes = Vec::with_capacity(wave.len());
        for (key, row) in wave {
            match Envelope::seal(&row.event, &self.options.source) {
                Ok(envelope) => {
                    envelopes.push(envelope);
                    rows.push((key, row));
                }
                Err(error) => {
                    results.blocked.insert(key);
                    results.quarantined.push(Quarantined { id: row.id, reason: error.to_string() });
                }
            }
        }
        if rows.is_empty() {
            return Ok(results);
        }
        let answers = self.publisher.publish(&envelopes).await.map_err(|error| error.during("relay.publish"))?;
        if answers.len() != rows.len() {
            let message = format!("the publisher answered {} of {} events", answers.len(), rows.len());
            return Err(Error::corrupt(message).during("relay.publish"));
        }
        let now = self.clock.now();
        for ((key, row), answer) in rows.into_iter().zip(answers) {
            match answer {
                Published::Acknowledged => results.settled.push(row.id),
                Published::Failed(reason) => {
                    let retry_at = now.plus(self.options.backoff.pause(row.attempts.saturating_add(1)));
                    results.failed.push(Failed { id: row.id, retry_at, reason });
                    results.blocked.insert(key);
                }
                Published::Refused(reason) => {
                    results.quarantined.push(Quarantined { id: row.id, reason });
                    results.blocked.insert(key);
                }
            }
        }
        Ok(results)
    }

    async fn write_down(&self, lease: &Lease, results: Results) -> Result<()> {
        if !results.settled.is_empty() {
            self.outbox.settle(lease, &results.settled).await.map_err(|error| error.during("relay.settle"))?;
        }
        if !results.failed.is_empty() {
            for failed in &results.failed {
                tracing::warn!(row = failed.id, reason = failed.reason, "event was not published; it waits");
            }
            self.outbox.release(lease, &results.failed).await.map_err(|error| error.during("relay.release"))?;
        }
        if !results.quarantined.is_empty() {
            for quarantined in &results.quarantined {
                tracing::error!(row = quarantined.id, reason = quarantined.reason, "event was set aside");
            }
            let aside = self.outbox.quarantine(lease, &results.quarantined).await;
            aside.map_err(|error| error.during("relay.quarantine"))?;
        }
        Ok(())
    }
}
