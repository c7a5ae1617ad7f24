//! Short words for commands.

use std::time::Duration;

use crate::conformance::support::{fresh, sku};
use crate::conformance::{Harness, InventoryBackend, Violation};
use crate::engine::Engine;
use crate::engine::stock::{LevelSettings, Parts, Refusal, Reserve, StockAction, StockCommand, StockOutcome};
use crate::error::Result;
use crate::model::{Command, CommandId, LocationId, OrderId, Quantity, ReservationId, StockKey, StockQuantity};
use crate::port::InventoryStore;

/// Makes commands with fresh ids, each a millisecond after the one before.
#[derive(Debug)]
pub(super) struct Desk {
    at: crate::model::Timestamp,
}

impl Desk {
    pub(super) fn new(harness: &dyn Harness<InventoryBackend>) -> Self {
        Self { at: harness.now() }
    }

    /// When the last command was made.
    pub(super) const fn now(&self) -> crate::model::Timestamp {
        self.at
    }

    pub(super) fn command(&mut self, action: StockAction) -> StockCommand {
        self.at = self.at.plus(Duration::from_millis(1));
        Command::new(CommandId::new(fresh()), self.at, action)
    }

    pub(super) fn receive(&mut self, key: &StockKey, units: u32) -> StockCommand {
        self.command(receive(key, units))
    }

    pub(super) fn reserve(&mut self, key: &StockKey, units: u32) -> StockCommand {
        let request = Reserve::new(reservation()).with_line_at(key.clone(), units);
        self.command(StockAction::Reserve(request))
    }

    pub(super) fn request(&mut self, request: Reserve) -> StockCommand {
        self.command(StockAction::Reserve(request))
    }

    pub(super) fn configure(&mut self, key: &StockKey, settings: LevelSettings) -> StockCommand {
        self.command(StockAction::Configure { key: key.clone(), settings })
    }

    pub(super) fn allocate(&mut self, reservation: ReservationId) -> StockCommand {
        self.command(StockAction::Allocate { reservation })
    }

    pub(super) fn fulfil(&mut self, reservation: ReservationId) -> StockCommand {
        self.command(StockAction::Fulfil { reservation, parts: Parts::All })
    }

    pub(super) fn release(&mut self, reservation: ReservationId) -> StockCommand {
        self.command(StockAction::Release { reservation, parts: Parts::All, tombstone: false })
    }
}

pub(super) fn receive(key: &StockKey, units: u32) -> StockAction {
    StockAction::Receive { lines: std::iter::once(StockQuantity::new(key.clone(), units.into())).collect() }
}

pub(super) fn reservation() -> ReservationId {
    ReservationId::new(fresh())
}

pub(super) fn order() -> OrderId {
    OrderId::new(fresh())
}

pub(super) fn key(name: &str) -> Result<StockKey> {
    Ok(sku(name)?.into())
}

pub(super) fn at(name: &str, location: &str) -> Result<StockKey> {
    Ok(StockKey::new(sku(name)?, LocationId::new(location)?))
}

pub(super) fn backorders(limit: Quantity) -> LevelSettings {
    LevelSettings { backorder_limit: Some(limit), ..LevelSettings::default() }
}

/// Executes with an engine of no peculiarities.
pub(super) async fn execute(
    store: &dyn InventoryStore,
    batch: impl IntoIterator<Item = StockCommand>,
) -> Result<Vec<StockOutcome>> {
    store.execute(&Engine::new(), batch.into_iter().collect()).await
}

/// Executes one command.
pub(super) async fn execute_one(store: &dyn InventoryStore, command: StockCommand) -> Result<StockOutcome, Violation> {
    let mut outcomes = execute(store, [command]).await?;
    ensure_eq!(outcomes.len(), 1, "outcomes of one command");
    outcomes.pop().ok_or_else(|| Violation::new("no outcome"))
}

/// Whether it is no refusal.
pub(super) const fn accepted(outcome: &StockOutcome) -> bool {
    !matches!(outcome, StockOutcome::Refused(_))
}

/// Fails for the first refusal.
pub(super) fn all_accepted(outcomes: &[StockOutcome]) -> Result<(), Violation> {
    match outcomes.iter().find(|outcome| !accepted(outcome)) {
        None => Ok(()),
        Some(outcome) => Err(Violation::new(format!("refused: {outcome:?}"))),
    }
}

/// Whether it was refused for want of stock.
pub(super) const fn short(outcome: &StockOutcome) -> bool {
    matches!(outcome, StockOutcome::Refused(Refusal::Short(_)))
}

/// On hand and reserved of a level.
pub(super) async fn stock(store: &dyn InventoryStore, key: &StockKey) -> Result<Option<(i64, i64)>, Violation> {
    let levels = store.levels(std::slice::from_ref(key)).await?;
    ensure_eq!(levels.len(), 1, "levels answered for one key");
    Ok(levels.into_iter().next().flatten().map(|level| (level.on_hand.get(), level.reserved.get())))
}
