//! Members of one group, and what passes between them.

use std::collections::BTreeSet;

use super::reader::{Reader, Stop, events, fences, in_order, name, spread, tags};
use crate::conformance::{BusBackend, Harness, Violation};
use crate::model::{Envelope, EventId};
use crate::port::Delivery;

type Opens<'a> = dyn Harness<BusBackend> + 'a;

fn ids<'a>(events: impl IntoIterator<Item = &'a Envelope>) -> BTreeSet<EventId> {
    events.into_iter().map(|event| event.id).collect()
}

fn ids_of(deliveries: &[Delivery]) -> BTreeSet<EventId> {
    ids(deliveries.iter().map(|delivery| &delivery.envelope))
}

/// Lets members receive in turn until all of these came to one of them or another; everything is acknowledged.
/// Answers how many came to more than one.
async fn shared(readers: &mut [Reader<'_>], sent: &[Envelope], looks: u128) -> Result<usize, Violation> {
    let mut found = vec![BTreeSet::new(); readers.len()];
    let mut missing = ids(sent);
    for _ in 0..looks {
        for (reader, found) in readers.iter_mut().zip(&mut found) {
            let deliveries = reader.look(10).await?;
            reader.subscription.ack(&tags(&deliveries)).await?;
            found.extend(ids_of(&deliveries));
            missing.retain(|id| !found.contains(id));
        }
        if missing.is_empty() {
            let all: BTreeSet<&EventId> = found.iter().flatten().collect();
            return Ok(found.iter().map(BTreeSet::len).sum::<usize>() - all.len());
        }
    }
    Err(Violation::new(format!("{} of {} events came to none of {} members", missing.len(), sent.len(), readers.len())))
}

/// How many looks a rule may take for one thing.
fn looks(harness: &Opens<'_>) -> u128 {
    harness.deadline().as_millis() / 300
}

pub(super) async fn members_share_the_events(harness: &Opens<'_>) -> Result<(), Violation> {
    let stop = Stop::open(harness).await?;
    let group = name("group");
    let mut readers = vec![stop.join(&group).await?, stop.join(&group).await?];
    // While the partitions change hands, an event may come to both; when they have, it comes to one.
    for _ in 0..5 {
        let sent = spread(2, 16);
        stop.publish(&sent).await?;
        if shared(&mut readers, &sent, looks(harness)).await? == 0 {
            return Ok(());
        }
    }
    Err(Violation::new("two members of a group received the same events, again and again"))
}

pub(super) async fn who_leaves_passes_events_on(harness: &Opens<'_>) -> Result<(), Violation> {
    let stop = Stop::open(harness).await?;
    let group = name("group");
    let sent = spread(4, 6);
    stop.publish(&sent).await?;
    let mut one = stop.join(&group).await?;
    one.until(&sent).await?;
    let mut two = stop.join(&group).await?;
    one.leave().await?;
    let found = two.handle(&sent).await?;
    in_order(&found, &sent, "received from a member that left")?;
    let fence = fences(&sent);
    stop.publish(&fence).await?;
    two.only(&fence, "after all was acknowledged").await
}

pub(super) async fn who_is_dropped_passes_events_on(harness: &Opens<'_>) -> Result<(), Violation> {
    let stop = Stop::open(harness).await?;
    let group = name("group");
    let sent = spread(4, 6);
    stop.publish(&sent).await?;
    let mut one = stop.join(&group).await?;
    one.until(&sent).await?;
    let mut two = stop.join(&group).await?;
    drop(one);
    let found = two.handle(&sent).await?;
    in_order(&found, &sent, "received from a member that was dropped")
}

pub(super) async fn nothing_is_lost_while_members_come_and_go(harness: &Opens<'_>) -> Result<(), Violation> {
    let stop = Stop::open(harness).await?;
    let group = name("group");
    let mut stays = stop.join(&group).await?;
    let mut handled: Vec<Delivery> = Vec::new();
    let sent = spread(8, 6);
    for (number, batch) in sent.chunks(8).enumerate() {
        stop.publish(batch).await?;
        let mut guest = stop.join(&group).await?;
        for reader in [&mut stays, &mut guest] {
            // Half of what comes is left to whoever is next.
            let found = reader.look(6).await?;
            let done = found.get(..found.len() / 2).unwrap_or_default();
            reader.subscription.ack(&tags(done)).await?;
            handled.extend_from_slice(done);
        }
        if number % 2 == 0 {
            guest.leave().await?;
        }
    }
    drop(stays);
    // Whatever was not acknowledged comes to the last one, and so does what follows.
    let mut last = stop.join(&group).await?;
    let fence = fences(&sent);
    stop.publish(&fence).await?;
    handled.extend(last.handle(&fence).await?);
    let handled = ids_of(&handled);
    let lost = sent.iter().filter(|event| !handled.contains(&event.id)).count();
    ensure_eq!(lost, 0, "events of {} that nobody handled, and that were passed over", sent.len());
    Ok(())
}

pub(super) async fn tags_of_an_older_generation_are_ignored(harness: &Opens<'_>) -> Result<(), Violation> {
    let stop = Stop::open(harness).await?;
    let group = name("group");
    let mut sent = spread(1, 12);
    sent.extend(events(0..2));
    stop.publish(&sent).await?;
    let mut one = stop.join(&group).await?;
    let old = one.until(&sent).await?;
    // What another member receives of it has moved there; when that one leaves, it moves back.
    let mut two = stop.join(&group).await?;
    let mut moved = BTreeSet::new();
    for _ in 0..10 {
        let mut found = two.some(100).await?;
        while !found.is_empty() {
            moved.extend(ids_of(&found));
            found = two.look(100).await?;
        }
        if !moved.is_empty() {
            break;
        }
    }
    two.leave().await?;
    let moved: Vec<Envelope> = sent.into_iter().filter(|event| moved.contains(&event.id)).collect();
    one.until(&moved).await?;
    let stale: Vec<Delivery> = old.into_iter().filter(|old| moved.contains(&old.envelope)).collect();
    one.subscription.ack(&tags(&stale)).await?;
    one.leave().await?;
    let mut three = stop.join(&group).await?;
    three.until(&moved).await?;
    Ok(())
}
