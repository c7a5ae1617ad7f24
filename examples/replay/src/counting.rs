//! Counts the events that went out over the bus.

use std::collections::HashSet;

use stockpulse_core::model::{Envelope, EventId, EventType};
use stockpulse_core::port::{Clock, IdGenerator, Published, SubscribeOptions};
use stockpulse_core::{Error, ErrorKind, RandomIds, Result, SystemClock};

use crate::address::BusKind;
use crate::args::Args;
use crate::backends::Backends;
use crate::error::ReplayError;

/// No service of the replay raises it: one of these marks the end of what is to be counted.
const MARK: EventType = EventType::NotificationSent;

/// How many different events were published, apart from `stock.updated`. To be called when nobody publishes any more.
///
/// # Errors
/// What stores and bus report, and when events are left that were not published.
pub async fn published(backends: &Backends, args: &Args) -> std::result::Result<u64, ReplayError> {
    for (name, outbox) in [("inventory", &backends.inventory_outbox), ("orders", &backends.order_outbox)] {
        let stats = outbox.stats().await.map_err(ReplayError::drive)?;
        if stats.pending + stats.quarantined > 0 {
            return Err(ReplayError::drive(format!("{name}: events were not published: {stats:?}")));
        }
    }
    match args.backends()? {
        (_, BusKind::Memory) => Ok(backends.publisher.published()),
        // Earlier processes may have published too: what went out is on the bus.
        _ if args.resume => on_the_bus(backends).await.map_err(ReplayError::drive),
        _ => Ok(backends.publisher.published()),
    }
}

/// How many different events are on the bus, apart from `stock.updated`. It has to keep all events in one order.
///
/// # Errors
/// What the bus reports.
pub async fn on_the_bus(backends: &Backends) -> Result<u64> {
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
