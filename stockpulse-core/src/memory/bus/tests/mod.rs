mod dead_letters;
mod delivery;
mod faults;
mod histories;
mod rebalance;
mod retry;

use bytes::Bytes;
use compact_str::{CompactString, format_compact};
use futures::FutureExt;

use super::MemoryBus;
use crate::ErrorKind;
use crate::model::{Envelope, EventId, EventType, Timestamp};
use crate::port::{Delivery, DeliveryTag, Published, Publisher, SubscribeOptions, Subscriber, Subscription};

const PLACED: EventType = EventType::OrderPlaced;

/// An event of a key; the number is its id and its sequence.
fn event_of(event_type: EventType, key: &str, number: u64) -> Envelope {
    Envelope {
        id: EventId::from_u128(u128::from(number)),
        source: "/test".into(),
        type_name: CompactString::const_new(event_type.cloud_event_type()),
        subject: key.into(),
        time: Timestamp::from_secs(1),
        partition_key: key.into(),
        sequence: number,
        trace: None,
        data: Bytes::from_static(b"{}"),
    }
}

fn event(key: &str, number: u64) -> Envelope {
    event_of(PLACED, key, number)
}

/// Events of one key, numbered.
pub(super) fn events(numbers: std::ops::Range<u64>) -> Vec<Envelope> {
    numbers.map(|number| event("key", number)).collect()
}

/// Events of as many keys.
fn keyed(numbers: std::ops::Range<u64>) -> Vec<Envelope> {
    numbers.map(|number| event(&format_compact!("key-{number}"), number)).collect()
}

async fn publish(bus: &MemoryBus, batch: &[Envelope]) {
    let answers = bus.publish(batch).await.unwrap();
    assert_eq!(answers, vec![Published::Acknowledged; batch.len()]);
}

fn options() -> SubscribeOptions {
    SubscribeOptions::new("group", [PLACED])
}

async fn join(bus: &MemoryBus) -> Box<dyn Subscription> {
    bus.subscribe(options()).await.unwrap()
}

/// What is there now, without waiting.
fn now(member: &mut Box<dyn Subscription>, max: usize) -> Vec<Delivery> {
    member.receive(max).now_or_never().map_or_else(Vec::new, Result::unwrap)
}

/// Everything that is there.
fn all(member: &mut Box<dyn Subscription>) -> Vec<Delivery> {
    std::iter::from_fn(|| Some(now(member, 1_000)).filter(|received| !received.is_empty())).flatten().collect()
}

fn numbers(deliveries: &[Delivery]) -> Vec<u64> {
    deliveries.iter().map(|delivery| delivery.envelope.sequence).collect()
}

fn sorted(mut numbers: Vec<u64>) -> Vec<u64> {
    numbers.sort_unstable();
    numbers
}

fn tags(deliveries: &[Delivery]) -> Vec<DeliveryTag> {
    deliveries.iter().map(|delivery| delivery.tag).collect()
}

fn kind<T>(result: crate::Result<T>) -> Option<ErrorKind> {
    result.err().map(|error| error.kind())
}
