//! One method per stock command, each with a new command id.

use compact_str::CompactString;

use super::inventory::{Inventory, mismatch};
use crate::engine::stock::{
    Allocated, Decision, Extended, Fulfilled, Hold, LevelSettings, Moved, Parts, Released, Reserve, Reserved, Retired,
    StockAction, StockOutcome,
};
use crate::error::Result;
use crate::model::{LocationId, OrderId, Quantity, ReservationId, Sku, StockKey, StockQuantity};

macro_rules! decision {
    ($outcome:expr, $variant:ident) => {
        match $outcome {
            StockOutcome::$variant(decided) => Ok(Decision::Accepted(decided)),
            StockOutcome::Refused(refusal) => Ok(Decision::Refused(refusal)),
            other => Err(mismatch(&other)),
        }
    };
}

/// Each of these makes a command with a new id. To be able to ask again after a failure, make the command with
/// [`Inventory::command`] and use [`Inventory::execute`]; their errors are that method's.
impl Inventory {
    /// Goods come in; waiting claims are covered first, first in, first out.
    ///
    /// # Errors
    /// As for [`Inventory::execute`].
    pub async fn receive(&self, key: impl Into<StockKey>, quantity: impl Into<Quantity>) -> Result<Decision<Moved>> {
        let lines = std::iter::once(StockQuantity::new(key.into(), quantity.into())).collect();
        decision!(self.decide_new(StockAction::Receive { lines }).await?, Moved)
    }

    /// Goods come back from a customer and can be sold again.
    ///
    /// # Errors
    /// As for [`Inventory::execute`].
    pub async fn take_back(
        &self,
        key: impl Into<StockKey>,
        quantity: impl Into<Quantity>,
        order: Option<OrderId>,
    ) -> Result<Decision<Moved>> {
        let lines = std::iter::once(StockQuantity::new(key.into(), quantity.into())).collect();
        decision!(self.decide_new(StockAction::Return { lines, order }).await?, Moved)
    }

    /// On-hand is corrected by a difference; refused if promised units would be missing.
    ///
    /// # Errors
    /// As for [`Inventory::execute`].
    pub async fn adjust(&self, key: impl Into<StockKey>, change: i64, reason: &str) -> Result<Decision<Moved>> {
        let action = StockAction::Adjust { key: key.into(), change, reason: Some(CompactString::from(reason)) };
        decision!(self.decide_new(action).await?, Moved)
    }

    /// On-hand is what a stock-take counted; refused if promised units would be missing.
    ///
    /// # Errors
    /// As for [`Inventory::execute`].
    pub async fn count(
        &self,
        key: impl Into<StockKey>,
        counted: impl Into<Quantity>,
        reason: &str,
    ) -> Result<Decision<Moved>> {
        let (key, counted) = (key.into(), counted.into());
        let action = StockAction::Count { key, counted, reason: Some(CompactString::from(reason)) };
        decision!(self.decide_new(action).await?, Moved)
    }

    /// Goods move between locations.
    ///
    /// # Errors
    /// As for [`Inventory::execute`].
    pub async fn transfer(
        &self,
        sku: Sku,
        from: LocationId,
        to: LocationId,
        quantity: impl Into<Quantity>,
    ) -> Result<Decision<Moved>> {
        let action = StockAction::Transfer { sku, from, to, quantity: quantity.into() };
        decision!(self.decide_new(action).await?, Moved)
    }

    /// Settings of a level change.
    ///
    /// # Errors
    /// As for [`Inventory::execute`].
    pub async fn configure(&self, key: impl Into<StockKey>, settings: LevelSettings) -> Result<Decision<Moved>> {
        let action = StockAction::Configure { key: key.into(), settings };
        decision!(self.decide_new(action).await?, Moved)
    }

    /// A SKU is sold no more; refused while claims on it are live.
    ///
    /// # Errors
    /// As for [`Inventory::execute`].
    pub async fn retire(&self, sku: Sku) -> Result<Decision<Retired>> {
        decision!(self.decide_new(StockAction::Retire { sku }).await?, Retired)
    }

    /// Claims stock, or says why not.
    ///
    /// # Errors
    /// As for [`Inventory::execute`].
    pub async fn reserve(&self, request: Reserve) -> Result<Decision<Reserved>> {
        decision!(self.decide_new(StockAction::Reserve(request)).await?, Reserved)
    }

    /// A hold ends later: a payment begins.
    ///
    /// # Errors
    /// As for [`Inventory::execute`].
    pub async fn extend(&self, reservation: ReservationId, hold: Hold) -> Result<Decision<Extended>> {
        decision!(self.decide_new(StockAction::Extend { reservation, hold }).await?, Extended)
    }

    /// A hold becomes a claim for good: the order is confirmed.
    ///
    /// # Errors
    /// As for [`Inventory::execute`].
    pub async fn allocate(&self, reservation: ReservationId) -> Result<Decision<Allocated>> {
        decision!(self.decide_new(StockAction::Allocate { reservation }).await?, Allocated)
    }

    /// Claimed units leave, all that are there or some of them.
    ///
    /// # Errors
    /// As for [`Inventory::execute`].
    pub async fn fulfil(&self, reservation: ReservationId, parts: Parts) -> Result<Decision<Fulfilled>> {
        decision!(self.decide_new(StockAction::Fulfil { reservation, parts }).await?, Fulfilled)
    }

    /// Claims are given back, all or some of them. What has ended already stays as it is.
    ///
    /// # Errors
    /// As for [`Inventory::execute`].
    pub async fn release(&self, reservation: ReservationId, parts: Parts) -> Result<Decision<Released>> {
        let action = StockAction::Release { reservation, parts, tombstone: false };
        decision!(self.decide_new(action).await?, Released)
    }

    /// A hold that has ended is given back. The expiry sweeper calls this; it is rarely needed otherwise.
    ///
    /// # Errors
    /// As for [`Inventory::execute`].
    pub async fn expire(&self, reservation: ReservationId) -> Result<Decision<Released>> {
        decision!(self.decide_new(StockAction::Expire { reservation }).await?, Expired)
    }
}
