//! StockPulse: the `Inventory` service on a store.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use stockpulse_benches::{Skus, Workload};
use stockpulse_core::engine::Engine;
use stockpulse_core::port::InventoryStore;
use stockpulse_core::service::{GroupCommitOptions, Inventory};

use crate::load::{Measured, drive};

/// Reservations by so many callers.
pub(crate) async fn run(
    store: Arc<dyn InventoryStore>,
    skus: Skus,
    callers: usize,
    lines: usize,
    shards: usize,
    time: Duration,
) -> Measured {
    let receive = Workload::new(skus, 0).receive();
    store.execute(&Engine::new(), vec![receive]).await.expect("goods come in");
    let shards = NonZeroUsize::new(shards).expect("not zero");
    reserve(store, skus, callers, lines, shards, time).await
}

/// Reservations on what the store has.
pub(crate) async fn reserve(
    store: Arc<dyn InventoryStore>,
    skus: Skus,
    callers: usize,
    lines: usize,
    shards: NonZeroUsize,
    time: Duration,
) -> Measured {
    let options = GroupCommitOptions { shards, ..Default::default() };
    let inventory = Inventory::builder(store).with_group_commit(options).start();
    let workloads = (1..=callers as u64).map(|seed| (inventory.clone(), Workload::new(skus, seed))).collect();
    let measured = drive(workloads, time, move |(inventory, mut workload): (Inventory, Workload)| async move {
        let mut request = workload.request(lines);
        request.reservation = inventory.new_reservation_id();
        let decision = inventory.reserve(request).await.expect("the store answers");
        assert!(decision.is_accepted());
        (inventory, workload)
    })
    .await;
    inventory.close().await;
    measured
}
