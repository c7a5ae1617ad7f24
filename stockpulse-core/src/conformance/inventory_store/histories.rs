//! Random histories, compared with the engine.

use std::time::Duration;

use super::commands::{at, order, reservation};
use super::reference::Reference;
use crate::conformance::random::{Random, seeds};
use crate::conformance::support::{fresh, sku};
use crate::conformance::{Harness, InventoryBackend, Violation, events};
use crate::engine::Engine;
use crate::engine::stock::{Existing, Hold, LevelSettings, Parts, Reserve, ReserveLine, StockAction, StockCommand};
use crate::model::{
    Command, CommandId, Component, Kit, LocationId, OrderId, Policy, Quantity, ReservationId, SkuQuantity, Sourcing,
    StockKey, StockQuantity, Strategy, Timestamp,
};
use crate::port::InventoryStore;

pub(super) async fn random_histories_agree_with_the_engine(
    harness: &dyn Harness<InventoryBackend>,
) -> Result<(), Violation> {
    let InventoryBackend { store, outbox } = harness.open().await?;
    // One store for all: each history has SKUs and ids of its own, among what the others left.
    let mut reference = Reference::new(Engine::new());
    for seed in seeds()? {
        let told = |violation: Violation| violation.during(format!("STOCKPULSE_SEED={seed}"));
        let before = reference.events().len();
        history(&mut reference, &*store, harness, seed, 60).await.map_err(told)?;
        reference.agrees(&*store).await.map_err(told)?;
        let new = reference.events().get(before..).unwrap_or_default();
        events::holds(&*outbox, new).await.map_err(told)?;
    }
    Ok(())
}

/// Lets store and reference decide a history of random batches, compares the answers, and tells the batches.
pub(super) async fn history(
    reference: &mut Reference,
    store: &dyn InventoryStore,
    harness: &dyn Harness<InventoryBackend>,
    seed: u64,
    batches: u32,
) -> Result<Vec<Vec<StockCommand>>, Violation> {
    let mut maker = Maker::new(seed, harness.now())?;
    let opening = maker.opening();
    reference.both(store, &opening).await?;
    let mut all = vec![opening];
    for _ in 0..batches {
        let size = 1 + maker.random.below(8);
        let batch = (0..size).map(|_| maker.command(reference)).collect::<Vec<_>>();
        reference.both(store, &batch).await?;
        all.push(batch);
    }
    Ok(all)
}

/// Makes commands up.
struct Maker {
    random: Random,
    now: Timestamp,
    keys: Vec<StockKey>,
    kit: Kit,
    reservations: Vec<ReservationId>,
    orders: Vec<OrderId>,
    made: Vec<StockCommand>,
}

impl Maker {
    fn new(seed: u64, now: Timestamp) -> Result<Self, Violation> {
        let mut keys = Vec::new();
        for name in ["a", "A", "b"] {
            for location in ["main", "Main"] {
                keys.push(at(&format!("{name}-{seed}"), location)?);
            }
        }
        let components = ["a", "b"].map(|name| sku(format!("{name}-{seed}")));
        let [one, two] = components;
        let components =
            vec![Component { sku: one?, quantity: 2.into() }, Component { sku: two?, quantity: Quantity::ONE }];
        Ok(Self {
            random: Random::new(seed),
            now,
            keys,
            kit: Kit { sku: sku(format!("kit-{seed}"))?, components },
            reservations: (0..24).map(|_| reservation()).collect(),
            orders: (0..4).map(|_| order()).collect(),
            made: Vec::new(),
        })
    }

    /// Something to sell, and something that may be promised ahead.
    fn opening(&mut self) -> Vec<StockCommand> {
        let mut opening = Vec::new();
        for (key, limit) in self.keys.clone().into_iter().zip([0_u32, 6, 9, 0, 4, 12]) {
            let settings = LevelSettings { backorder_limit: Some(limit.into()), ..LevelSettings::default() };
            let lines = std::iter::once(StockQuantity::new(key.clone(), 4.into())).collect();
            for action in [StockAction::Configure { key, settings }, StockAction::Receive { lines }] {
                opening.push(Command::new(CommandId::new(fresh()), self.now, action));
            }
        }
        opening
    }

    fn command(&mut self, reference: &Reference) -> StockCommand {
        self.now = self.now.plus(Duration::from_millis(u64::from(self.random.below(5_000))));
        if let Some(earlier) = self.random.pick(&self.made).cloned() {
            if self.random.once_in(10) {
                return StockCommand { at: self.now, ..earlier };
            }
            if self.random.once_in(25) {
                return Command { action: self.action(reference), ..earlier };
            }
        }
        let command = Command::new(CommandId::new(fresh()), self.now, self.action(reference));
        self.made.push(command.clone());
        command
    }

    fn key(&mut self) -> StockKey {
        // There are keys, so the fallback is never taken.
        self.random.pick(&self.keys).cloned().unwrap_or_else(|| StockKey::main(self.kit.sku.clone()))
    }

    fn units(&mut self, most: u32) -> Quantity {
        (1 + self.random.below(most)).into()
    }

    fn reservation(&mut self) -> ReservationId {
        self.random.pick(&self.reservations).copied().unwrap_or_else(reservation)
    }

    fn hold(&mut self) -> Hold {
        match self.random.below(3) {
            0 => Hold::Forever,
            1 => Hold::For(Duration::from_secs(u64::from(1 + self.random.below(60)))),
            _ => Hold::Until(self.now.plus(Duration::from_secs(u64::from(self.random.below(60))))),
        }
    }

    fn parts(&mut self) -> Parts {
        let (key, quantity) = (self.key(), self.units(3));
        match self.random.below(4) {
            0 => Parts::Skus(vec![SkuQuantity::new(key.sku, quantity)]),
            1 => Parts::Levels(vec![StockQuantity::new(key, quantity)]),
            _ => Parts::All,
        }
    }

    fn lines(&mut self, most: u32) -> Vec<StockQuantity> {
        (0..=self.random.below(most)).map(|_| StockQuantity::new(self.key(), self.units(3))).collect()
    }

    fn action(&mut self, reference: &Reference) -> StockAction {
        match self.random.below(24) {
            0..=2 => StockAction::Receive { lines: self.lines(1).into() },
            3 => StockAction::Reserve(self.request()),
            4 => StockAction::Return { lines: self.lines(2).into(), order: self.random.pick(&self.orders).copied() },
            5 => {
                let change = i64::from(self.random.below(9)) - 4;
                StockAction::Adjust { key: self.key(), change, reason: None }
            }
            6 => {
                let counted = self.random.below(9).into();
                StockAction::Count { key: self.key(), counted, reason: Some("counted".into()) }
            }
            7 => {
                let sku = self.key().sku;
                let [from, to] = [self.key(), self.key()].map(|key| key.location);
                StockAction::Transfer { sku, from, to, quantity: self.units(3) }
            }
            8..=12 => StockAction::Reserve(self.request()),
            13 => StockAction::Extend { reservation: self.reservation(), hold: self.hold() },
            14 | 15 => StockAction::Allocate { reservation: self.reservation() },
            16 | 17 => StockAction::Fulfil { reservation: self.reservation(), parts: self.parts() },
            18 | 19 => {
                let tombstone = self.random.once_in(4);
                StockAction::Release { reservation: self.reservation(), parts: self.parts(), tombstone }
            }
            20 => StockAction::Expire { reservation: self.reservation() },
            21 => self.settings(),
            22 if self.random.once_in(4) => StockAction::Retire { sku: self.key().sku },
            _ => self.repair(reference),
        }
    }

    fn request(&mut self) -> Reserve {
        let mut request = Reserve::new(self.reservation());
        for _ in 0..=self.random.below(3) {
            let key = self.key();
            let sku = if self.random.once_in(5) { self.kit.sku.clone() } else { key.sku };
            let location = self.random.once_in(3).then_some(key.location);
            request.lines.push(ReserveLine { sku, quantity: self.units(6), location });
        }
        request.kits = vec![self.kit.clone()];
        request.order = self.random.pick(&self.orders).copied().filter(|_| self.random.once_in(2));
        request.policy = match self.random.below(5) {
            0 => Policy::AllOrNothing,
            1 => Policy::Partial,
            _ => Policy::Backorder,
        };
        request.sourcing.strategy = match self.random.below(3) {
            0 => Strategy::Priority,
            1 => Strategy::SingleSource,
            _ => Strategy::FewestSplits,
        };
        if self.random.once_in(2) {
            let mut locations: Vec<LocationId> = self.keys.iter().take(2).map(|key| key.location.clone()).collect();
            if self.random.once_in(2) {
                locations.reverse();
            }
            request.sourcing = Sourcing { locations, ..request.sourcing };
        }
        request.hold = self.hold();
        request.existing = if self.random.once_in(2) { Existing::Replace } else { Existing::Refuse };
        request
    }

    fn settings(&mut self) -> StockAction {
        let mut maybe = |most: u32| self.random.once_in(2).then(|| self.random.below(most).into());
        let (safety_stock, backorder_limit, low) = (maybe(3), maybe(12), maybe(4));
        let settings = LevelSettings {
            safety_stock,
            backorder_limit,
            low_stock_at: low.map(Some),
            tracked: self.random.once_in(8).then(|| self.random.once_in(2)),
            retired: self.random.once_in(3).then_some(false),
        };
        StockAction::Configure { key: self.key(), settings }
    }

    /// What the reconciler would send for a level, with the version that it saw.
    fn repair(&mut self, reference: &Reference) -> StockAction {
        let key = self.key();
        match reference.audit_of(&key) {
            Some(audit) => {
                StockAction::Reconcile { key, version: audit.level.version, ledger: audit.ledger, claims: audit.claims }
            }
            None => StockAction::Receive { lines: self.lines(1).into() },
        }
    }
}
