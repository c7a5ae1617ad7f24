//! The engine: every decision about stock and orders, as pure functions.

mod decided;
mod fingerprint;
mod limits;
pub mod order;
pub mod record;
pub mod saga;
pub mod stock;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use decided::Decided;
pub(crate) use fingerprint::fingerprint;
pub use limits::Limits;

use order::{OrderCommand, OrderOutcome, OrderWorkingSet};
use record::{Put, PutOutcome, Record, RecordWorkingSet};
use stock::{SourcingStrategy, StockCommand, StockOutcome, StockWorkingSet};

/// Decides commands. It does no I/O and knows no clock, no randomness and no backend: the same working set and
/// the same commands give the same outcomes, everywhere.
///
/// Cloning is cheap; clones share what was registered.
#[derive(Clone, Debug, Default)]
pub struct Engine {
    limits: Limits,
    strategies: Arc<BTreeMap<String, Arc<dyn SourcingStrategy>>>,
}

impl Engine {
    /// An engine with default [`Limits`] and no strategies of the application's own.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the bounds on what one command may carry.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Registers a sourcing strategy under a name, for [`Strategy::Custom`](crate::model::Strategy::Custom).
    #[must_use]
    pub fn with_sourcing(mut self, name: impl Into<String>, strategy: impl SourcingStrategy + 'static) -> Self {
        Arc::make_mut(&mut self.strategies).insert(name.into(), Arc::new(strategy));
        self
    }

    /// The bounds on what one command may carry.
    #[must_use]
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Decides a batch of stock commands, in order, on a working set that holds the rows of its
    /// [`LoadPlan`](stock::LoadPlan). Answers one outcome per command; what changed is in the working set.
    pub fn execute_stock(&self, set: &mut StockWorkingSet, batch: &[StockCommand]) -> Vec<StockOutcome> {
        set.reserve(batch.len());
        let outcomes = batch.iter().map(|command| stock::decide(self, set, command)).collect();
        set.seal();
        outcomes
    }

    /// Decides a batch of order commands, in order, on a working set that holds the rows of its
    /// [`OrderLoadPlan`](order::OrderLoadPlan). Answers one outcome per command; what changed is in the working
    /// set.
    pub fn execute_orders(&self, set: &mut OrderWorkingSet, batch: &[OrderCommand]) -> Vec<OrderOutcome> {
        batch.iter().map(|command| order::decide(self, set, command)).collect()
    }

    /// Decides a batch of puts, in order, on a working set that holds the records they name and the stored
    /// outcomes of their ids.
    pub fn execute_puts<T: Record>(
        &self,
        set: &mut RecordWorkingSet<T>,
        batch: &[crate::model::Command<Put<T>>],
    ) -> Vec<PutOutcome> {
        batch.iter().map(|command| set.decide(command)).collect()
    }

    pub(crate) fn sourcing(&self, name: &str) -> Option<Arc<dyn SourcingStrategy>> {
        self.strategies.get(name).cloned()
    }
}
