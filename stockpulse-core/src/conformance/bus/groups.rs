//! Groups: each has its own place.

use super::reader::{Stop, TYPE, event, events, fences, firsts, in_order, name, spread};
use crate::conformance::{BusBackend, Harness, Violation};
use crate::model::{Envelope, EventType};
use crate::port::{Start, SubscribeOptions};

type Opens<'a> = dyn Harness<BusBackend> + 'a;

pub(super) async fn each_group_receives_everything(harness: &Opens<'_>) -> Result<(), Violation> {
    let stop = Stop::open(harness).await?;
    let mut readers = Vec::new();
    for _ in 0..3 {
        readers.push(stop.join(&name("group")).await?);
    }
    let sent = spread(10, 4);
    stop.publish(&sent).await?;
    for (number, reader) in readers.iter_mut().enumerate() {
        let found = reader.handle(&sent).await?;
        in_order(&found, &sent, &format!("received by group {number} of three"))?;
    }
    Ok(())
}

pub(super) async fn a_new_group_begins_with_the_oldest(harness: &Opens<'_>) -> Result<(), Violation> {
    let stop = Stop::open(harness).await?;
    let sent = spread(20, 3);
    stop.publish(&sent).await?;
    for number in 0..3 {
        let mut reader = stop.join(&name("group")).await?;
        let found = reader.handle(&sent).await?;
        in_order(&found, &sent, &format!("received by group {number}, one after the other"))?;
        reader.leave().await?;
    }
    Ok(())
}

pub(super) async fn a_new_group_may_begin_with_the_next(harness: &Opens<'_>) -> Result<(), Violation> {
    let stop = Stop::open(harness).await?;
    let old = events(0..10);
    stop.publish(&old).await?;
    let options = SubscribeOptions::new(name("group"), [TYPE]).with_start(Start::Latest);
    let mut reader = stop.join_with(options.clone()).await?;
    // It may take a while until the group has its place: until one of these comes.
    let key = old[0].partition_key.clone();
    let mut published = Vec::new();
    let mut found = Vec::new();
    for number in 100..400 {
        stop.publish(&[event(&key, number)]).await?;
        published.push(number);
        found = reader.look(1).await?;
        if !found.is_empty() {
            break;
        }
    }
    let sent: Vec<Envelope> = (1_000..1_010).map(|number| event(&key, number)).collect();
    stop.publish(&sent).await?;
    published.extend(1_000..1_010);
    found.extend(reader.handle(&sent).await?);
    let found = firsts(found.iter().map(|delivery| &delivery.envelope)).remove(&key).unwrap_or_default();
    ensure!(found.iter().all(|number| *number >= 100), "events from before the group began: {found:?}");
    ensure!(published.ends_with(&found), "not all from the first on that came: {found:?} of {published:?}");
    Ok(())
}

pub(super) async fn a_known_group_goes_on(harness: &Opens<'_>) -> Result<(), Violation> {
    let stop = Stop::open(harness).await?;
    let options = SubscribeOptions::new(name("group"), [TYPE]);
    let sent = spread(5, 3);
    stop.publish(&sent).await?;
    let mut reader = stop.join_with(options.clone()).await?;
    reader.handle(&sent).await?;
    reader.leave().await?;
    let meanwhile = fences(&sent);
    stop.publish(&meanwhile).await?;
    // Neither from the oldest nor from the next: from its place.
    let mut reader = stop.join_with(options.with_start(Start::Latest)).await?;
    reader.only(&meanwhile, "published while the group had no members").await
}

pub(super) async fn other_types_are_skipped(harness: &Opens<'_>) -> Result<(), Violation> {
    let stop = Stop::open(harness).await?;
    let key = name("key");
    let types =
        [EventType::OrderPlaced, EventType::OrderCancelled, EventType::OrderConfirmed, EventType::StockReserved];
    let all = (0..40_u64).zip(types.into_iter().cycle()).map(|(number, event_type)| {
        let type_name = event_type.cloud_event_type().into();
        (event_type, Envelope { type_name, ..event(&key, number) })
    });
    let (kinds, all): (Vec<EventType>, Vec<Envelope>) = all.unzip();
    stop.publish(&all).await?;
    let of = |wanted: &[EventType]| -> Vec<Envelope> {
        let chosen = all.iter().zip(&kinds).filter(|(_, kind)| wanted.contains(kind));
        chosen.map(|(envelope, _)| envelope.clone()).collect()
    };
    for wanted in [vec![EventType::OrderCancelled], vec![EventType::OrderPlaced, EventType::StockReserved]] {
        let mut reader = stop.join_with(SubscribeOptions::new(name("group"), wanted.clone())).await?;
        let sent = of(&wanted);
        reader.only(&sent, &format!("by a group that subscribed to {wanted:?}")).await?;
        // What is skipped holds up nothing and does not come later either.
        let later = Envelope { type_name: wanted[0].cloud_event_type().into(), ..event(&key, 100) };
        stop.publish(std::slice::from_ref(&later)).await?;
        reader.only(&[later], &format!("later, by a group that subscribed to {wanted:?}")).await?;
        reader.leave().await?;
    }
    Ok(())
}
