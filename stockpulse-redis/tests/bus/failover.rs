//! A primary that dies before its replica knows everything, and the outbox in front of the bus.

use std::sync::Arc;
use std::time::Duration;

use stockpulse_core::ErrorKind;
use stockpulse_core::memory::MemoryInventoryStore;
use stockpulse_core::model::{EventType, Sku};
use stockpulse_core::port::{Delivery, SubscribeOptions, Subscriber, Subscription};
use stockpulse_core::service::Inventory;
use stockpulse_core::worker::{OutboxRelay, RelayOptions};
use stockpulse_redis::{RedisConnection, RedisStreamsBus};

use super::support::{quick, receive, tags};
use crate::support::found_or_skip;
use crate::support::node::{program, until};
use crate::support::sentinel::Watched;

/// A stock level whose changes go from an outbox to the bus.
struct Desk {
    inventory: Inventory,
    relay: OutboxRelay,
    bus: RedisStreamsBus,
}

impl Desk {
    fn open(redis: &Watched) -> Self {
        let store = MemoryInventoryStore::default();
        let bus = RedisStreamsBus::new(RedisConnection::new(redis.options()).unwrap(), quick()).unwrap();
        let options = RelayOptions::new("/tests", "relay");
        let relay = OutboxRelay::new(Arc::new(store.outbox()), Arc::new(bus.clone()), options);
        Self { inventory: Inventory::builder(Arc::new(store)).start(), relay, bus }
    }

    /// Changes the level so often: an event each that says so, whose sequence is how often it has changed.
    async fn change(&self, times: usize) {
        for _ in 0..times {
            self.inventory.receive(Sku::new("CUP").unwrap(), 1).await.unwrap();
        }
    }

    /// Relays until the outbox is empty.
    async fn relays(&self) {
        until("the outbox is empty", || async { (self.relay.run_once().await.ok()? == 0).then_some(()) }).await;
    }

    async fn join(&self, group: &str) -> Box<dyn Subscription> {
        let options = || SubscribeOptions::new(group, [EventType::StockAdjusted]);
        until("a member has joined", || async { self.bus.subscribe(options()).await.ok() }).await
    }
}

fn sequences(deliveries: &[Delivery]) -> Vec<u64> {
    deliveries.iter().map(|delivery| delivery.envelope.sequence).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_and_not_replicated_is_lost_and_nothing_else() {
    let name = "what_was_acknowledged_and_not_replicated_is_lost_and_nothing_else";
    let Some(program) = found_or_skip(name, program()) else { return };
    let mut redis = Watched::start(&program, &[]).await;
    let desk = Desk::open(&redis);
    desk.change(3).await;
    desk.relays().await;
    let mut member = desk.join("group").await;
    let found = receive(&mut *member, 3).await;
    member.ack(&tags(&found[..1])).await.unwrap();
    redis.primary.is_replicated().await;
    redis.primary.cut_off().await;
    member.ack(&tags(&found[1..2])).await.unwrap();
    desk.change(2).await;
    desk.relays().await;
    let later = receive(&mut *member, 2).await;
    assert_eq!(sequences(&later), [4, 5]);
    member.ack(&tags(&later[..1])).await.unwrap();
    redis.fail_over().await;

    desk.change(2).await;
    desk.relays().await;
    // Its connection for waiting still leads to the primary that is gone, and says so once or twice.
    let mut found = Vec::new();
    let all = async {
        while found.len() < 2 {
            found.extend(member.receive(10).await.unwrap_or_default());
        }
    };
    tokio::time::timeout(Duration::from_secs(60), all).await.unwrap();
    assert_eq!(sequences(&found), [6, 7], "the member goes on with what comes");
    member.ack(&tags(&found)).await.unwrap();
    drop(member);
    let mut member = desk.join("group").await;
    let found = receive(&mut *member, 2).await;
    assert_eq!(sequences(&found), [2, 3], "an acknowledgement that was lost comes to nothing but a repetition");
    let mut other = desk.join("other").await;
    let found = receive(&mut *other, 5).await;
    assert_eq!(sequences(&found), [1, 2, 3, 6, 7], "what the outbox no longer has and the replica never had");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_primary_that_wants_a_replica_to_be_there_acknowledges_nothing_without() {
    let name = "a_primary_that_wants_a_replica_to_be_there_acknowledges_nothing_without";
    let Some(program) = found_or_skip(name, program()) else { return };
    let wanted = ["--min-replicas-to-write", "1", "--min-replicas-max-lag", "2"];
    let mut redis = Watched::start(&program, &wanted).await;
    let desk = Desk::open(&redis);
    desk.change(3).await;
    desk.relays().await;
    let mut member = desk.join("group").await;
    let found = receive(&mut *member, 3).await;
    redis.primary.is_replicated().await;
    redis.primary.cut_off().await;
    assert_eq!(member.ack(&tags(&found)).await.unwrap_err().kind(), ErrorKind::Unavailable);
    desk.change(2).await;
    desk.relay.run_once().await.unwrap_err();
    redis.fail_over().await;

    desk.relays().await;
    let mut other = desk.join("other").await;
    let found = receive(&mut *other, 5).await;
    assert_eq!(sequences(&found), [1, 2, 3, 4, 5]);
}
