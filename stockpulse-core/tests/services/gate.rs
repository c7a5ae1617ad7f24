//! The admission gate before the queue.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;

use stockpulse_core::engine::stock::{Parts, Refusal, Reserve, StockAction, StockOutcome};
use stockpulse_core::memory::{MemoryGate, MemoryInventoryStore};
use stockpulse_core::model::{OrderId, Policy, ReservationId, Sourcing, StockQuantity};
use stockpulse_core::port::{Admission, AdmissionGate, AdmitRequest, GateLevel};
use stockpulse_core::service::Inventory;
use stockpulse_core::{Error, ErrorKind, Result};

use crate::support::store::{Fault, WatchedStore};
use crate::support::{clock, key, kind, settle, sku, stock};

/// A gate that answers as it is told, and remembers what it was told.
#[derive(Debug)]
struct Gate {
    answer: Option<Admission>,
    told: Mutex<Vec<(&'static str, ReservationId)>>,
    asked: Mutex<Vec<AdmitRequest>>,
}

impl Gate {
    /// One that fails if it has no answer.
    fn new(answer: Option<Admission>) -> Arc<Self> {
        Arc::new(Self { answer, told: Mutex::default(), asked: Mutex::default() })
    }

    fn told(&self) -> Vec<&'static str> {
        self.told.lock().unwrap().drain(..).map(|(what, _)| what).collect()
    }

    fn asked(&self) -> Vec<AdmitRequest> {
        self.asked.lock().unwrap().drain(..).collect()
    }

    fn tell(&self, what: &'static str, reservations: &[ReservationId]) -> Result<()> {
        self.told.lock().unwrap().extend(reservations.iter().map(|id| (what, *id)));
        match self.answer {
            None => Err(Error::new(ErrorKind::Unavailable, "the gate is down")),
            Some(_) => Ok(()),
        }
    }
}

#[async_trait]
impl AdmissionGate for Gate {
    async fn admit(&self, batch: &[AdmitRequest]) -> Result<Vec<Admission>> {
        self.asked.lock().unwrap().extend(batch.iter().cloned());
        match &self.answer {
            None => Err(Error::new(ErrorKind::Unavailable, "the gate is down")),
            Some(answer) => Ok(vec![answer.clone(); batch.len()]),
        }
    }

    async fn settle(&self, reservations: &[ReservationId]) -> Result<()> {
        self.tell("settle", reservations)
    }

    async fn release(&self, reservations: &[ReservationId]) -> Result<()> {
        self.tell("release", reservations)
    }

    async fn reconcile(&self, _levels: &[GateLevel]) -> Result<()> {
        Ok(())
    }
}

async fn start(gate: Arc<dyn AdmissionGate>) -> (Inventory, Arc<WatchedStore>) {
    let store = WatchedStore::new(MemoryInventoryStore::default());
    let inventory = Inventory::builder(Arc::clone(&store) as _).with_gate(gate).start();
    inventory.receive(sku("HOT"), 10).await.unwrap();
    (inventory, store)
}

fn want(inventory: &Inventory, units: u32) -> Reserve {
    Reserve::new(inventory.new_reservation_id()).with_line(sku("HOT"), units)
}

#[tokio::test]
async fn who_is_refused_at_the_gate_does_not_reach_the_store() {
    let gate = Gate::new(Some(Admission::Refused(key("HOT"))));
    let (inventory, store) = start(gate.clone()).await;
    let request = Reserve::new(inventory.new_reservation_id()).with_line(sku("HOT"), 2).with_line(sku("HOT"), 1);
    let refused = inventory.reserve(request).await.unwrap().refused();
    let Some(Refusal::Short(short)) = refused else { panic!("{refused:?}") };
    assert_eq!((&short[0].sku, short[0].requested, short.len()), (&sku("HOT"), 3.into(), 1));
    assert_eq!((store.batches(), store.reads()), (vec![1], 0), "only the goods that came in");
    assert_eq!(gate.asked()[0].lines, [StockQuantity::new(key("HOT"), 3.into())], "each level is named once");
    assert_eq!(gate.told(), [] as [&str; 0]);
}

#[tokio::test]
async fn the_gate_judges_only_what_it_can() {
    let gate = Gate::new(Some(Admission::Refused(key("HOT"))));
    let (inventory, _store) = start(gate.clone()).await;
    let sourcing = |names: &[&str]| Sourcing {
        locations: names.iter().map(|name| stockpulse_core::model::LocationId::new(*name).unwrap()).collect(),
        ..Sourcing::default()
    };
    let passed = [
        want(&inventory, 1).with_order(OrderId::from_u128(1)),
        want(&inventory, 1).with_policy(Policy::Partial),
        want(&inventory, 1).with_policy(Policy::Backorder),
        want(&inventory, 1).replacing(),
        want(&inventory, 1).with_sourcing(sourcing(&["main", "attic"])),
    ];
    for request in passed {
        assert!(inventory.reserve(request.clone()).await.unwrap().is_accepted(), "{request:?}");
    }
    let command = inventory.command(StockAction::Reserve(want(&inventory, 1)));
    let outcomes = inventory.execute_all(vec![command]).await.unwrap();
    assert!(matches!(outcomes[0], StockOutcome::Reserved(_)), "what comes by event has passed already");
    assert!(gate.asked().is_empty());
    assert!(
        inventory.reserve(want(&inventory, 1).with_sourcing(sourcing(&["main"]))).await.unwrap().refused().is_some()
    );
    assert_eq!(gate.asked().len(), 1);
}

#[tokio::test]
async fn the_gate_is_told_what_became_of_a_place() {
    let gate = Gate::new(Some(Admission::Admitted));
    let (inventory, store) = start(gate.clone()).await;
    let request = want(&inventory, 4);
    let id = request.reservation;
    inventory.reserve(request.clone()).await.unwrap();
    assert_eq!(gate.told(), ["settle"]);
    inventory.reserve(want(&inventory, 7)).await.unwrap();
    assert_eq!(gate.told(), ["release"], "the store had not enough");
    inventory.reserve(Reserve::new(inventory.new_reservation_id()).with_line(sku("NOWHERE"), 1)).await.unwrap();
    assert_eq!(gate.told(), ["release"], "nor of what it does not know");
    inventory.reserve(request).await.unwrap();
    assert_eq!(gate.told(), ["settle"], "the claim of the first request stands");
    let part = Parts::Levels(vec![StockQuantity::new(key("HOT"), 1.into())]);
    inventory.release(id, part).await.unwrap();
    assert_eq!(gate.told(), [] as [&str; 0], "a part came back, not the place");
    inventory.release(id, Parts::All).await.unwrap();
    assert_eq!(gate.told(), ["release"]);

    let shipped = want(&inventory, 1);
    let id = shipped.reservation;
    inventory.reserve(shipped).await.unwrap();
    inventory.allocate(id).await.unwrap();
    inventory.fulfil(id, Parts::All).await.unwrap();
    inventory.release(id, Parts::All).await.unwrap();
    assert_eq!(gate.told(), ["settle"], "what shipped does not come back by releasing it");

    store.will([Fault::Before(ErrorKind::Contention), Fault::After(ErrorKind::Indeterminate)]);
    assert_eq!(kind(inventory.reserve(want(&inventory, 1)).await), Some(ErrorKind::Contention));
    assert_eq!(gate.told(), ["release"], "it was certainly not granted");
    assert_eq!(kind(inventory.reserve(want(&inventory, 1)).await), Some(ErrorKind::Indeterminate));
    assert_eq!(gate.told(), [] as [&str; 0], "nobody knows");
}

#[tokio::test]
async fn a_gate_that_fails_lets_everybody_through() {
    let gate = Gate::new(None);
    let (inventory, _store) = start(gate.clone()).await;
    assert!(inventory.reserve(want(&inventory, 10)).await.unwrap().is_accepted());
    assert!(inventory.reserve(want(&inventory, 1)).await.unwrap().refused().is_some());
    assert_eq!((gate.asked().len(), gate.told()), (2, vec!["settle", "release"]));
}

#[tokio::test]
async fn asked_again_after_the_gate_has_sold_out_and_forgotten_the_answer_is_the_first() {
    let (time, clock) = clock();
    let gate = MemoryGate::new(clock);
    let (inventory, store) = start(Arc::new(gate.clone())).await;
    let reconciled = |sellable: u32, version| GateLevel { key: key("HOT"), sellable: sellable.into(), version };
    gate.reconcile(&[reconciled(10, 1)]).await.unwrap();
    let command = inventory.command(StockAction::Reserve(want(&inventory, 10)));
    let first = inventory.execute(command.clone()).await.unwrap();
    assert!(matches!(first, StockOutcome::Reserved(_)));
    gate.reconcile(&[reconciled(0, 2)]).await.unwrap();
    assert_eq!(inventory.execute(command.clone()).await.unwrap(), first, "while the gate remembers");
    time.advance(Duration::from_secs(24 * 3600));
    assert_eq!(inventory.execute(command.clone()).await.unwrap(), first, "and when it has forgotten");

    // The same id for something else is still a conflict, and another reservation is refused at the gate.
    let reservation = command.action.reservation().unwrap();
    let other = StockAction::Reserve(Reserve::new(reservation).with_line(sku("HOT"), 1));
    let other = stockpulse_core::model::Command { action: other, ..command };
    assert_eq!(inventory.execute(other).await.unwrap(), StockOutcome::Refused(Refusal::Conflict));
    let (batches, reads) = (store.batches().len(), store.reads());
    let stranger = inventory.command(StockAction::Reserve(want(&inventory, 1)));
    assert!(matches!(inventory.execute(stranger).await.unwrap(), StockOutcome::Refused(Refusal::Short(_))));
    assert_eq!((store.batches().len(), store.reads()), (batches, reads + 1), "one read, and no batch");
    assert!(inventory.reserve(want(&inventory, 1)).await.unwrap().refused().is_some());
    assert_eq!((store.batches().len(), store.reads()), (batches, reads + 1), "a new command needs not even that");
    assert_eq!(stock(&inventory, "HOT").await, (10, 10));
}

#[tokio::test]
async fn a_flash_sale_asks_the_store_about_no_more_than_there_is() {
    let (_, clock) = clock();
    let gate = MemoryGate::new(clock);
    let (inventory, store) = start(Arc::new(gate.clone())).await;
    gate.reconcile(&[GateLevel { key: key("HOT"), sellable: 10.into(), version: 1 }]).await.unwrap();
    let callers = (0..500).map(|_| {
        let inventory = inventory.clone();
        tokio::spawn(async move { inventory.reserve(want(&inventory, 1)).await.unwrap().is_accepted() })
    });
    let mut accepted = 0;
    for caller in callers.collect::<Vec<_>>() {
        accepted += usize::from(caller.await.unwrap());
    }
    settle().await;
    assert_eq!(accepted, 10);
    assert_eq!(store.batches().iter().sum::<usize>(), 11, "ten and the goods that came in");
    assert_eq!((gate.free(&key("HOT")), stock(&inventory, "HOT").await), (Some(0), (10, 10)));
}
