//! What this bus does beyond the rules of every bus, on every database there is.

mod dead_letters;
mod log;
mod members;
mod place;
mod prune;

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use compact_str::format_compact;
use stockpulse_core::model::{Envelope, EventId, EventType, Timestamp};
use stockpulse_core::port::{Delivery, DeliveryTag, Published, Publisher, SubscribeOptions, Subscription};

use self::place::{Place, on_every_database};
use super::subscription::SqlSubscription;
use super::{BusOptions, SqlBus};
use crate::database::Database;
use crate::store::SqlStore;

const TYPE: EventType = EventType::OrderPlaced;
const LEASE: Duration = Duration::from_millis(1_500);

/// An event of a key.
fn event(key: &str, number: u64) -> Envelope {
    let id = u128::from(number) << 64 | u128::from(key.bytes().fold(7_u64, |id, byte| id * 131 + u64::from(byte)));
    Envelope {
        id: EventId::from_u128(id),
        source: "/tests".into(),
        type_name: TYPE.cloud_event_type().into(),
        subject: key.into(),
        time: Timestamp::from_secs(1_700_000_000 + number.cast_signed()),
        partition_key: key.into(),
        sequence: number,
        trace: None,
        data: "{}".into(),
    }
}

fn events(key: &str, numbers: std::ops::Range<u64>) -> Vec<Envelope> {
    numbers.map(|number| event(key, number)).collect()
}

/// As many events of as many keys.
fn spread(keys: u64, each: u64) -> Vec<Envelope> {
    (0..each).flat_map(|number| (0..keys).map(move |key| event(&format_compact!("key-{key}"), number))).collect()
}

fn bus<D: Database>(store: &SqlStore<D>) -> SqlBus<D> {
    store.bus(BusOptions::default().with_lease(LEASE))
}

async fn publish<D: Database>(bus: &SqlBus<D>, events: &[Envelope]) {
    let answers = bus.publish(events).await.unwrap();
    assert!(answers.iter().all(|answer| *answer == Published::Acknowledged), "{answers:?}");
}

async fn join<D: Database>(bus: &SqlBus<D>, group: &str) -> SqlSubscription<D> {
    SqlSubscription::join(Arc::clone(&bus.connection), SubscribeOptions::new(group, [TYPE])).await.unwrap()
}

/// What comes until there were so many, or until nothing came for a while.
async fn receive(member: &mut impl Subscription, most: usize) -> Vec<Delivery> {
    let mut found = Vec::new();
    while found.len() < most {
        match tokio::time::timeout(Duration::from_secs(2) + LEASE, member.receive(most - found.len())).await {
            Ok(deliveries) => found.extend(deliveries.unwrap()),
            Err(_) => break,
        }
    }
    found
}

/// That nothing comes.
async fn nothing(member: &mut impl Subscription) {
    let received = tokio::time::timeout(Duration::from_millis(300), member.receive(10)).await;
    assert!(received.is_err(), "{received:?}");
}

fn tags(deliveries: &[Delivery]) -> Vec<DeliveryTag> {
    deliveries.iter().map(|delivery| delivery.tag).collect()
}

fn envelopes(deliveries: &[Delivery]) -> Vec<Envelope> {
    deliveries.iter().map(|delivery| delivery.envelope.clone()).collect()
}

fn limit(most: usize) -> NonZeroUsize {
    NonZeroUsize::new(most).unwrap()
}
