//! Acknowledging.

use super::reader::{Stop, event, events, fences, in_order, name, spread, tags};
use crate::conformance::{BusBackend, Harness, Violation};
use crate::model::Envelope;

type Opens<'a> = dyn Harness<BusBackend> + 'a;

pub(super) async fn what_was_acknowledged_is_done(harness: &Opens<'_>) -> Result<(), Violation> {
    let stop = Stop::open(harness).await?;
    let group = name("group");
    let sent = spread(6, 4);
    stop.publish(&sent).await?;
    let mut reader = stop.join(&group).await?;
    reader.handle(&sent).await?;
    let fence = fences(&sent);
    stop.publish(&fence).await?;
    reader.only(&fence, "by the member that had acknowledged").await?;
    reader.leave().await?;
    let fence = fences(&sent);
    stop.publish(&fence).await?;
    stop.join(&group).await?.only(&fence, "after the member that had acknowledged left").await
}

pub(super) async fn what_was_not_acknowledged_comes_again(harness: &Opens<'_>) -> Result<(), Violation> {
    let stop = Stop::open(harness).await?;
    let group = name("group");
    let sent = events(0..10);
    stop.publish(&sent).await?;
    let mut reader = stop.join(&group).await?;
    let found = reader.until(&sent).await?;
    reader.subscription.ack(&tags(&found[..4])).await?;
    reader.leave().await?;
    let later = fences(&sent);
    stop.publish(&later).await?;
    let mut reader = stop.join(&group).await?;
    let expected = [&sent[4..], &later].concat();
    let found = reader.until(&later).await?;
    let done = found.iter().filter(|found| sent[..4].contains(&found.envelope)).count();
    ensure_eq!(done, 0, "of four that were acknowledged, events that came again");
    in_order(&found, &expected, "received again")
}

pub(super) async fn a_gap_holds_the_place(harness: &Opens<'_>) -> Result<(), Violation> {
    let stop = Stop::open(harness).await?;
    let group = name("group");
    let sent = events(0..8);
    stop.publish(&sent).await?;
    let mut reader = stop.join(&group).await?;
    let found = reader.until(&sent).await?;
    let all = tags(&found);
    reader.subscription.ack(&[all[0], all[7], all[3], all[4]]).await?;
    reader.subscription.ack(&[all[2], all[6]]).await?;
    reader.leave().await?;
    let later = fences(&sent);
    stop.publish(&later).await?;
    // Those behind the gap that were acknowledged may come again, or not.
    let found = stop.join(&group).await?.until(&later).await?;
    let missed: Vec<Envelope> = [1, 5].map(|index| sent[index].clone()).into();
    let kept = found.into_iter().filter(|found| missed.contains(&found.envelope) || later.contains(&found.envelope));
    in_order(&kept.collect::<Vec<_>>(), &[missed, later].concat(), "not acknowledged, among others that were")
}

pub(super) async fn any_order_will_do(harness: &Opens<'_>) -> Result<(), Violation> {
    let stop = Stop::open(harness).await?;
    let group = name("group");
    let sent = spread(9, 2);
    stop.publish(&sent).await?;
    let mut reader = stop.join(&group).await?;
    let mut all = tags(&reader.until(&sent).await?);
    all.reverse();
    reader.subscription.ack(&all[..5]).await?;
    for tag in &all[4..10] {
        reader.subscription.ack(&[*tag, *tag]).await?;
    }
    all.rotate_left(13);
    reader.subscription.ack(&all).await?;
    reader.subscription.ack(&[]).await?;
    reader.leave().await?;
    let fence = fences(&sent);
    stop.publish(&fence).await?;
    stop.join(&group).await?.only(&fence, "after all was acknowledged in some order").await
}

pub(super) async fn events_in_flight_survive_a_restart(harness: &Opens<'_>) -> Result<(), Violation> {
    let stop = Stop::open(harness).await?;
    let group = name("group");
    let sent = events(0..6);
    stop.publish(&sent).await?;
    let mut reader = stop.join(&group).await?;
    let found = reader.until(&sent).await?;
    reader.subscription.ack(&tags(&found[..2])).await?;
    drop(reader);
    let stop = stop.restart().await?;
    let later = vec![event(&sent[0].partition_key, 100)];
    stop.publish(&later).await?;
    let found = stop.join(&group).await?.until(&later).await?;
    // The first two may come again: a crash loses what was not written yet.
    let kept = found.into_iter().filter(|found| !sent[..2].contains(&found.envelope));
    in_order(&kept.collect::<Vec<_>>(), &[&sent[2..], &later].concat(), "after a restart")
}
