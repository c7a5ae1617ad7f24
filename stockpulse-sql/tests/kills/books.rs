//! What is done to stock in these tests, and what has to be true of it whoever was killed.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use stockpulse_core::engine::Engine;
use stockpulse_core::engine::stock::{Parts, Reserve, StockAction, StockCommand, StockOutcome};
use stockpulse_core::memory::{MemoryBus, MemoryInventoryStore};
use stockpulse_core::model::{
    Command, CommandId, Envelope, EventType, Quantity, ReservationId, Sku, StockKey, StockLevel, StockQuantity,
    Timestamp,
};
use stockpulse_core::port::{InventoryStore, LevelAudit, Outbox, SubscribeOptions, Subscriber};
use stockpulse_core::worker::{OutboxRelay, RelayOptions};

/// How many batches there are in all.
pub(crate) const ROUNDS: u128 = 24;

pub(crate) fn sku(name: &str) -> Sku {
    Sku::new(name).unwrap()
}

pub(crate) fn command(id: u128, action: StockAction) -> StockCommand {
    Command::new(CommandId::from_u128(id), Timestamp::from_secs(1), action)
}

/// So many units come in of each of these.
pub(crate) fn receive(id: u128, skus: &[&str], units: u32) -> StockCommand {
    let lines = skus.iter().map(|name| StockQuantity::new(StockKey::main(sku(name)), Quantity::from(units)));
    command(id, StockAction::Receive { lines: lines.collect() })
}

/// A reservation with the same number as its command.
pub(crate) fn reserve(id: u128, lines: &[(&str, u32)]) -> StockCommand {
    let new = Reserve::new(ReservationId::from_u128(id));
    let request = lines.iter().fold(new, |request, (name, units)| request.with_line(sku(name), *units));
    command(id, StockAction::Reserve(request))
}

/// The goods that lie there before anybody is killed.
pub(crate) fn goods() -> Vec<StockCommand> {
    vec![receive(1, &["CUP", "MUG"], 20)]
}

/// The batch of a round: reservations alone, or with others that have to be loaded first.
pub(crate) fn batch(round: u128) -> Vec<StockCommand> {
    let id = 1_000 + round * 10;
    let mut batch = vec![reserve(id, &[("CUP", 1), ("MUG", 1)]), reserve(id + 1, &[("MUG", 2), ("CUP", 1)])];
    if round % 3 == 2 {
        let (allocated, released) = (ReservationId::from_u128(id - 10), ReservationId::from_u128(id - 9));
        batch.push(command(id + 2, StockAction::Allocate { reservation: allocated }));
        let release = StockAction::Release { reservation: released, parts: Parts::All, tombstone: false };
        batch.push(command(id + 3, release));
    }
    if round % 7 == 6 {
        batch.push(receive(id + 4, &["CUP", "MUG"], 3));
    }
    batch
}

/// What all of it comes to when nobody is killed.
#[derive(Debug)]
pub(crate) struct Undisturbed {
    pub(crate) answers: Vec<Vec<StockOutcome>>,
    pub(crate) levels: Vec<StockLevel>,
    /// Those that have to be published.
    pub(crate) events: BTreeSet<String>,
    /// Those that say what a level is, before it became another one.
    pub(crate) superseded: BTreeSet<String>,
}

pub(crate) async fn undisturbed() -> Undisturbed {
    let (store, engine) = (MemoryInventoryStore::default(), Engine::new());
    store.execute(&engine, goods()).await.unwrap();
    let (mut answers, mut events) = (Vec::new(), published(Arc::new(store.outbox())).await);
    for round in 0..ROUNDS {
        answers.push(store.execute(&engine, batch(round)).await.unwrap());
        events.extend(published(Arc::new(store.outbox())).await);
    }
    let levels = audited(&store).await.into_iter().map(|audit| audit.level).collect();
    let mut newest = BTreeMap::new();
    let mut superseded = BTreeSet::new();
    for event in events.iter().filter(|event| event.event_type().unwrap() == EventType::StockUpdated) {
        superseded.extend(newest.insert(&event.partition_key, event.id.to_string()));
    }
    let events = events.iter().map(|event| event.id.to_string()).filter(|id| !superseded.contains(id)).collect();
    Undisturbed { answers, levels, events, superseded }
}

/// The levels, after it was found that they add up and that nothing is oversold.
pub(crate) async fn audited(store: &dyn InventoryStore) -> Vec<LevelAudit> {
    let page = store.audit(None, NonZeroUsize::new(1_000).unwrap()).await.unwrap();
    assert!(page.next.is_none());
    for LevelAudit { level, ledger, claims } in &page.items {
        let counters = [level.on_hand.get(), level.reserved.get(), level.backordered.get()];
        assert_eq!([ledger.on_hand, ledger.reserved, ledger.backordered], counters, "movements of {}", level.key);
        assert_eq!(claims.reserved, level.reserved.get(), "claims on {}", level.key);
        assert!(level.reserved <= level.on_hand, "oversold: {level:?}");
    }
    page.items
}

/// Publishes all that waits in an outbox on a bus in memory, and answers what came out of that.
pub(crate) async fn published(outbox: Arc<dyn Outbox>) -> Vec<Envelope> {
    let bus = MemoryBus::new();
    let subscribe = SubscribeOptions::new("all", EventType::ALL.iter().copied()).with_max_in_flight(1 << 20);
    let mut subscription = bus.subscribe(subscribe).await.unwrap();
    let options = RelayOptions::new("/kills", "successor");
    let relay = OutboxRelay::new(Arc::clone(&outbox), Arc::new(bus.clone()), options);
    let drained = tokio::time::timeout(Duration::from_secs(20), async {
        // Whoever was killed may have left a lease that has to run out.
        while outbox.stats().await.unwrap().pending > 0 {
            if relay.run_once().await.unwrap() == 0 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    });
    drained.await.expect("an outbox that empties");
    assert_eq!(outbox.stats().await.unwrap().quarantined, 0);
    let (mut events, count) = (Vec::new(), usize::try_from(bus.published()).unwrap());
    while events.len() < count {
        events.extend(subscription.receive(4_096).await.unwrap().into_iter().map(|delivery| delivery.envelope));
    }
    events
}
