//! The expiry sweeper: ends holds and orders that ran out of time.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::engine::order::{OrderAction, OrderState};
use crate::engine::stock::{Decision, StockAction, StockOutcome};
use crate::error::Result;
use crate::port::Clock;
use crate::service::{Inventory, Orders};
use crate::system::SystemClock;

/// How expiry is swept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SweepOptions {
    /// How often; 1 s unless set.
    pub every: Duration,
    /// How long after its end a hold is left alone, so that a payment that began in time can still extend it; 5 s
    /// unless set.
    pub grace: Duration,
    /// How many are ended together; 500 unless set.
    pub batch: NonZeroUsize,
}

impl Default for SweepOptions {
    fn default() -> Self {
        Self {
            every: Duration::from_secs(1),
            grace: Duration::from_secs(5),
            batch: NonZeroUsize::new(500).unwrap_or(NonZeroUsize::MIN),
        }
    }
}

/// Ends holds whose time is over, and orders that were not paid in time. Several may run; each ends once.
#[derive(Clone, Debug)]
pub struct ExpirySweeper {
    inventory: Option<Inventory>,
    orders: Option<Orders>,
    clock: Arc<dyn Clock>,
    options: SweepOptions,
}

impl ExpirySweeper {
    /// A sweeper of nothing yet.
    #[must_use]
    pub fn new(options: SweepOptions) -> Self {
        Self { inventory: None, orders: None, clock: Arc::new(SystemClock), options }
    }

    /// Ends holds of this service.
    #[must_use]
    pub fn with_inventory(mut self, inventory: Inventory) -> Self {
        self.inventory = Some(inventory);
        self
    }

    /// Ends orders of this service.
    #[must_use]
    pub fn with_orders(mut self, orders: Orders) -> Self {
        self.orders = Some(orders);
        self
    }

    /// Sets the clock.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Sweeps until told to stop.
    ///
    /// # Errors
    /// None: failures are logged, and the next sweep tries again.
    pub async fn run(&self, stop: CancellationToken) -> Result<()> {
        while !stop.is_cancelled() {
            if let Err(error) = self.run_once().await {
                tracing::warn!(%error, "expiry was not swept");
            }
            tokio::select! {
                biased;
                () = stop.cancelled() => {}
                () = self.clock.sleep(self.options.every) => {}
            }
        }
        Ok(())
    }

    /// Ends everything whose time is over now, and answers how many that were.
    ///
    /// # Errors
    /// What the services report; what was ended until then stays ended. One that fails does not keep the other from
    /// being swept.
    pub async fn run_once(&self) -> Result<usize> {
        let holds = match &self.inventory {
            Some(inventory) => self.sweep_holds(inventory).await,
            None => Ok(0),
        };
        let orders = match &self.orders {
            Some(orders) => self.sweep_orders(orders).await,
            None => Ok(0),
        };
        Ok(holds? + orders?)
    }

    async fn sweep_holds(&self, inventory: &Inventory) -> Result<usize> {
        let mut ended = 0;
        loop {
            let before = self.clock.now().minus(self.options.grace);
            let due = inventory.expiring(before, self.options.batch).await?;
            let expire = |reservation| inventory.command(StockAction::Expire { reservation });
            let outcomes = inventory.execute_all(due.into_iter().map(expire).collect()).await?;
            // Another sweeper may have been faster; that is an answer too, and what it ended gives nothing back.
            let answered = outcomes.iter().filter_map(|outcome| match outcome {
                StockOutcome::Expired(released) => Some(!released.lines.is_empty()),
                _ => None,
            });
            let answered: Vec<bool> = answered.collect();
            ended += answered.iter().filter(|here| **here).count();
            if answered.is_empty() || outcomes.len() < self.options.batch.get() {
                return Ok(ended);
            }
        }
    }

    async fn sweep_orders(&self, orders: &Orders) -> Result<usize> {
        let mut ended = 0;
        loop {
            let before = self.clock.now().minus(self.options.grace);
            let due = orders.overdue(before, self.options.batch).await?;
            let expire = |order| orders.command(OrderAction::Expire { order });
            let decisions = orders.execute_all(due.into_iter().map(expire).collect()).await?;
            let full = decisions.len() >= self.options.batch.get();
            let states: Vec<OrderState> = decisions.into_iter().filter_map(Decision::accepted).collect();
            ended += states.iter().filter(|state| state.changed).count();
            if states.is_empty() || !full {
                return Ok(ended);
            }
        }
    }
}
