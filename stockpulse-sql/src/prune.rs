//! Deleting what nobody asks for any more.

use std::sync::Arc;
use std::time::Duration;

use stockpulse_core::model::{ReservationState, Timestamp};
use stockpulse_core::port::Clock;
use stockpulse_core::{Result, SystemClock};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::context::Context;
use crate::database::{Access, Database, Session};
use crate::failure::Failure;
use crate::inventory::RESERVATION;
use crate::rows::bound;
use crate::store::SqlStore;
use crate::table::{Rows, Table};
use crate::value::{Cells, Value};

/// How long things are kept that nobody needs to decide anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retention {
    /// The contexts that are pruned; all unless set. Those whose tables are elsewhere have to be left out.
    pub contexts: Vec<Context>,
    /// How long outcomes of commands are kept: a command that is asked again later is decided anew. Longer than any retry,
    /// and than the bus keeps events; 14 days unless set.
    pub outcomes: Duration,
    /// How long after they were made closed reservations are kept; 90 days unless set. Live ones always are, and so is the
    /// ledger.
    pub reservations: Duration,
    /// How often the worker looks; an hour unless set.
    pub every: Duration,
    /// How many rows are read and deleted in one transaction; 5,000 unless set.
    pub batch: usize,
}

impl Default for Retention {
    fn default() -> Self {
        const DAY: Duration = Duration::from_secs(24 * 60 * 60);
        Self {
            contexts: Context::ALL.to_vec(),
            outcomes: 14 * DAY,
            reservations: 90 * DAY,
            every: Duration::from_secs(60 * 60),
            batch: 5_000,
        }
    }
}

/// How many rows were deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Outcomes of commands.
    pub outcomes: usize,
    /// Closed reservations.
    pub reservations: usize,
}

/// Deletes what a store no longer has to keep, again and again. One is enough; several do no harm.
#[derive(Clone, Debug)]
pub struct Pruner<D: Database> {
    store: SqlStore<D>,
    clock: Arc<dyn Clock>,
    retention: Retention,
}

impl<D: Database> SqlStore<D> {
    /// A worker that deletes what is older than `retention` says.
    #[must_use]
    pub fn pruner(&self, retention: Retention) -> Pruner<D> {
        Pruner { store: self.clone(), clock: Arc::new(SystemClock), retention }
    }
}

impl<D: Database> Pruner<D> {
    /// Sets the clock.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Prunes until told to stop.
    ///
    /// # Errors
    /// None: failures are logged, and the next time it is tried again.
    pub async fn run(&self, stop: CancellationToken) -> Result<()> {
        while !stop.is_cancelled() {
            match self.run_once().await {
                Ok(pruned) => tracing::debug!(?pruned, "old rows were deleted"),
                Err(error) => tracing::warn!(%error, "old rows were not deleted"),
            }
            tokio::select! {
                biased;
                () = stop.cancelled() => {}
                () = self.clock.sleep(self.retention.every) => {}
            }
        }
        Ok(())
    }

    /// Walks through the tables once, in small transactions, and deletes what is old.
    ///
    /// # Errors
    /// What the database reports; what was deleted until then stays deleted.
    ///
    /// # Cancel safety
    /// May be dropped at any time: each part is deleted or not.
    pub async fn run_once(&self) -> Result<Pruned> {
        let now = self.clock.now();
        let mut pruned = Pruned::default();
        for context in &self.retention.contexts {
            let Some(table) = context.commands() else { continue };
            pruned.outcomes += self.walk(table, "decided_at", "", now.minus(self.retention.outcomes)).await?;
        }
        if self.retention.contexts.contains(&Context::Inventory) {
            let closed = format!("AND state > {}", ReservationState::Allocated.code());
            let before = now.minus(self.retention.reservations);
            pruned.reservations = self.walk(&RESERVATION, "created_at", &closed, before).await?;
        }
        Ok(pruned)
    }

    /// Walks through a table by id, and deletes the rows that are old by this column.
    async fn walk(&self, table: &'static Table, column: &str, only: &str, before: Timestamp) -> Result<usize> {
        let (name, batch, mut deleted) = (table.name, self.retention.batch.max(1), 0);
        let sql = format!("SELECT id, {column} FROM {name} WHERE id >= ? {only} ORDER BY id LIMIT ?");
        let mut from = 0_u128;
        loop {
            let sql = sql.clone();
            let part = self.store.shared.transact("prune", Access::Write, move |session| {
                let sql = sql.clone();
                Box::pin(async move { prune(session, table, &sql, from, batch, before).await })
            });
            let Part { last, count } = part.await?;
            deleted += count;
            match last {
                Some(last) => from = last.as_u128().saturating_add(1),
                None => return Ok(deleted),
            }
        }
    }
}

/// What came of one transaction: the last id, if there may be more, and how many rows were deleted.
struct Part {
    last: Option<Uuid>,
    count: usize,
}

async fn prune<S: Session>(
    session: &mut S,
    table: &'static Table,
    sql: &str,
    from: u128,
    batch: usize,
    before: Timestamp,
) -> Result<Part, Failure> {
    let rows = session.query(sql, &[Value::Id(Uuid::from_u128(from)), bound(batch)]).await?;
    let mut old = Vec::new();
    let mut last = None;
    for row in &rows {
        let id = row.id(0)?;
        last = Some(id);
        if row.int(1)? < before.as_micros() {
            old.push(id);
        }
    }
    let count = old.len();
    session.delete(table, &Rows::single(old)).await?;
    Ok(Part { last: last.filter(|_| rows.len() >= batch), count })
}
