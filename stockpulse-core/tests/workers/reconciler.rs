//! Levels that do not add up: found, repaired, or reported as beyond repair.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;

use stockpulse_core::Result;
use stockpulse_core::codec;
use stockpulse_core::engine::Engine;
use stockpulse_core::engine::stock::{Refusal, Reserve, StockAction, StockCommand, StockOutcome};
use stockpulse_core::memory::{MemoryGate, MemoryInventoryStore};
use stockpulse_core::model::{
    Counters, Movement, MovementKind, Reservation, ReservationId, StockKey, StockLevel, StockQuantity, Timestamp,
};
use stockpulse_core::port::{AdmissionGate, GateLevel, InventoryStore, LevelAudit, Page};
use stockpulse_core::service::Inventory;
use stockpulse_core::worker::{Reconciler, Repair};

use crate::support::{clock, key, sku, some, stock};

/// A store with 10 of each, of which 4 are claimed.
async fn store(names: &[&str]) -> MemoryInventoryStore {
    let store = MemoryInventoryStore::default();
    let inventory = Inventory::builder(Arc::new(store.clone())).start();
    for name in names {
        inventory.receive(sku(name), 10).await.unwrap();
        let request = Reserve::new(inventory.new_reservation_id()).with_line(sku(name), 4);
        inventory.reserve(request).await.unwrap();
    }
    store
}

/// The store with one level's counters replaced, as by an operator's UPDATE. The snapshot begins with a version byte
/// and the levels.
fn corrupted(store: &MemoryInventoryStore, name: &str, change: impl Fn(&mut StockLevel)) -> MemoryInventoryStore {
    let snapshot = store.snapshot().unwrap();
    let (mut levels, rest): (Vec<StockLevel>, &[u8]) = postcard::take_from_bytes(&snapshot[1..]).unwrap();
    change(levels.iter_mut().find(|level| level.key == key(name)).unwrap());
    let bytes = [codec::encode(&levels).unwrap().as_slice(), rest].concat();
    MemoryInventoryStore::restore(clock().1, &bytes).unwrap()
}

fn counters(on_hand: i64, reserved: i64, backordered: i64) -> Counters {
    Counters { on_hand, reserved, backordered }
}

#[tokio::test]
async fn a_clean_store_has_no_drift() {
    let inventory = Inventory::builder(Arc::new(store(&["A", "B", "C"]).await)).start();
    let report = Reconciler::new(inventory).with_repair().run_once().await.unwrap();
    assert_eq!((report.levels, report.drifts), (3, vec![]));
}

#[tokio::test]
async fn a_gate_that_heard_of_an_old_version_last_is_told_the_newest() {
    let inventory = Inventory::builder(Arc::new(store(&["CUP"]).await)).start();
    let gate = MemoryGate::new(clock().1);
    let old = GateLevel { key: key("CUP"), sellable: 0.into(), version: 1 };
    gate.reconcile(&[old]).await.unwrap();
    Reconciler::new(inventory).with_gate(Arc::new(gate.clone())).run_once().await.unwrap();
    assert_eq!(gate.free(&key("CUP")), Some(6));
}

#[tokio::test]
async fn every_level_is_looked_at_on_however_many_pages() {
    let store = MemoryInventoryStore::default();
    let inventory = Inventory::builder(Arc::new(store.clone())).start();
    let lines = (0..900).map(|number| StockQuantity::new(key(&format!("SKU-{number:03}")), 1.into())).collect();
    inventory.execute(inventory.command(StockAction::Receive { lines })).await.unwrap();
    let spoilt = corrupted(&store, "SKU-899", |level| level.on_hand = 2.into());
    let report = Reconciler::new(Inventory::builder(Arc::new(spoilt)).start()).run_once().await.unwrap();
    assert_eq!((report.levels, report.drifts.len()), (900, 1));
    assert_eq!(report.drifts[0].key, key("SKU-899"));
}

#[tokio::test]
async fn a_drift_is_reported_and_repaired_by_a_movement_when_asked() {
    let store = corrupted(&store(&["CUP", "POT"]).await, "CUP", |level| {
        level.on_hand = 9.into();
        level.reserved = 6.into();
    });
    let inventory = Inventory::builder(Arc::new(store)).start();
    let only_found = Reconciler::new(inventory.clone()).run_once().await.unwrap();
    assert_eq!((only_found.levels, only_found.drifts.len()), (2, 1));
    let drift = &only_found.drifts[0];
    assert_eq!((&drift.key, drift.version, drift.oversold), (&key("CUP"), 2, false));
    assert_eq!(drift.level, counters(9, 6, 0));
    assert_eq!(drift.ledger, counters(10, 4, 0));
    assert_eq!(drift.claims, counters(0, 4, 0));
    assert_eq!(drift.repair, Repair::NotAsked);
    assert_eq!(stock(&inventory, "CUP").await, (9, 6), "nothing was touched");

    let repaired = Reconciler::new(inventory.clone()).with_repair().run_once().await.unwrap();
    assert_eq!(repaired.drifts[0].repair, Repair::Done);
    assert_eq!(stock(&inventory, "CUP").await, (9, 4));
    let movements = inventory.movements(&key("CUP"), 2, some(10)).await.unwrap().items;
    assert_eq!((movements.len(), movements[0].kind), (1, MovementKind::Reconciled));
    assert_eq!(movements[0].change, counters(-1, 0, 0), "the ledger says again how the level came to be");
    assert_eq!(Reconciler::new(inventory.clone()).run_once().await.unwrap().drifts, []);
    assert_eq!(stock(&inventory, "POT").await, (10, 4));
}

#[tokio::test]
async fn what_cannot_be_repaired_is_reported_and_the_rest_is() {
    let spoilt = corrupted(&store(&["A", "B"]).await, "A", |level| level.on_hand = 3.into());
    let spoilt = corrupted(&spoilt, "B", |level| level.reserved = 5.into());
    let inventory = Inventory::builder(Arc::new(spoilt)).start();
    let report = Reconciler::new(inventory.clone()).with_repair().run_once().await.unwrap();
    assert_eq!(report.drifts.len(), 2);
    assert!(report.drifts[0].oversold, "4 are claimed and 3 there");
    assert!(matches!(&report.drifts[0].repair, Repair::Refused(Refusal::Committed { .. })), "{:?}", report.drifts[0]);
    assert_eq!((&report.drifts[1].key, &report.drifts[1].repair), (&key("B"), &Repair::Done));
    assert_eq!(Reconciler::new(inventory).run_once().await.unwrap().drifts.len(), 1);
}

/// A store whose audit is tampered with.
#[derive(Debug)]
struct Tampered<F> {
    inner: MemoryInventoryStore,
    tamper: Mutex<F>,
}

#[async_trait]
impl<F: FnMut(&mut LevelAudit) + std::fmt::Debug + Send + 'static> InventoryStore for Tampered<F> {
    async fn execute(&self, engine: &Engine, batch: Vec<StockCommand>) -> Result<Vec<StockOutcome>> {
        self.inner.execute(engine, batch).await
    }

    async fn levels(&self, keys: &[StockKey]) -> Result<Vec<Option<StockLevel>>> {
        self.inner.levels(keys).await
    }

    async fn reservations(&self, ids: &[ReservationId]) -> Result<Vec<Option<Reservation>>> {
        self.inner.reservations(ids).await
    }

    async fn expiring(&self, before: Timestamp, limit: NonZeroUsize) -> Result<Vec<ReservationId>> {
        self.inner.expiring(before, limit).await
    }

    async fn movements(&self, key: &StockKey, after: u64, limit: NonZeroUsize) -> Result<Page<Movement, u64>> {
        self.inner.movements(key, after, limit).await
    }

    async fn list_levels(&self, after: Option<StockKey>, limit: NonZeroUsize) -> Result<Page<StockLevel, StockKey>> {
        self.inner.list_levels(after, limit).await
    }

    async fn audit(&self, after: Option<StockKey>, limit: NonZeroUsize) -> Result<Page<LevelAudit, StockKey>> {
        let mut page = self.inner.audit(after, limit).await?;
        let mut tamper = self.tamper.lock().unwrap();
        page.items.iter_mut().for_each(&mut *tamper);
        Ok(page)
    }
}

type Tamper = fn(&mut LevelAudit);

async fn refusals(tamper: Tamper) -> Vec<Option<Refusal>> {
    let inner = store(&["A", "B"]).await;
    let inventory = Inventory::builder(Arc::new(Tampered { inner, tamper: Mutex::new(tamper) })).start();
    let report = Reconciler::new(inventory).with_repair().run_once().await.unwrap();
    let refusal = |repair| match repair {
        Repair::Refused(refusal) => Some(refusal),
        _ => None,
    };
    report.drifts.into_iter().map(|drift| refusal(drift.repair)).collect()
}

#[tokio::test]
async fn claims_that_make_no_sense_end_neither_the_pass_nor_the_reconciler() {
    let refused = refusals(|audit| audit.claims.backordered = audit.claims.reserved + 1).await;
    assert_eq!(refused.len(), 2);
    assert!(refused.iter().all(|refusal| matches!(refusal, Some(Refusal::Invalid(_)))), "{refused:?}");
}

#[tokio::test]
async fn a_level_that_changed_meanwhile_is_left_for_the_next_pass() {
    let refused = refusals(|audit| {
        audit.level.version -= 1;
        audit.claims.reserved -= 1;
    });
    let refused = refused.await;
    assert_eq!(refused, vec![Some(Refusal::Stale { version: 2 }); 2]);
}
