//! Counts what lies on a bus that keeps its events.

use std::collections::HashSet;

use stockpulse_core::model::{Envelope, EventId, EventType};
use stockpulse_core::port::{Clock, IdGenerator, Published, SubscribeOptions};
use stockpulse_core::{Error, ErrorKind, RandomIds, Result, SystemClock};

use crate::backends::Backends;

/// No service of the replay raises it: one of these marks the end of what is to be counted.
const MARK: EventType = EventType::NotificationSent;

/// How many different events were ever published, apart from `stock.updated`. To be called when nobody publishes.
///
/// # Errors
/// What the bus reports.
pub async fn count_events(backends: &Backends) -> Result<u64> {
    let mark = mark();
    // Past the publisher that counts and repeats: the mark goes out once, and nothing comes after it.
    match backends.publisher.bus().publish(std::slice::from_ref(&mark)).await?.as_slice() {
        [Published::Acknowledged] => {}
        other => return Err(Error::new(ErrorKind::Unexpected, format!("the mark was not published: {other:?}"))),
    }
    let types = EventType::ALL.iter().copied().filter(|known| *known != EventType::StockUpdated);
    // Nothing is acknowledged, so that the group finds everything again the next time.
    let options = SubscribeOptions::new("replay-report", types).with_max_in_flight(usize::MAX);
    let mut subscription = backends.subscriber.subscribe(options).await?;
    let mut events: HashSet<EventId> = HashSet::new();
    loop {
        for delivery in subscription.receive(4_096).await? {
            let envelope = delivery.envelope;
            if envelope.id == mark.id {
                subscription.close().await?;
                return Ok(events.len() as u64);
            }
            if envelope.type_name != mark.type_name {
                events.insert(envelope.id);
            }
        }
    }
}

fn mark() -> Envelope {
    let now = SystemClock.now();
    Envelope {
        id: EventId::new(RandomIds.next_id(now)),
        source: "/stockpulse/replay".into(),
        type_name: MARK.cloud_event_type().into(),
        subject: "report".into(),
        time: now,
        partition_key: "report".into(),
        sequence: 1,
        trace: None,
        data: "{}".into(),
    }
}
