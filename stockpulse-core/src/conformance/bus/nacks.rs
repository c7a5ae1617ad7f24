//! Events that were not handled: tried again, or put aside.

use std::time::Duration;

use super::reader::{Stop, TYPE, event, events, fences, in_order, name, tags};
use crate::conformance::{BusBackend, Harness, Violation};
use crate::port::{Delivery, Nack, SubscribeOptions};

type Opens<'a> = dyn Harness<BusBackend> + 'a;

/// How long a retry waits.
const PAUSE: Duration = Duration::from_millis(500);

pub(super) async fn a_retry_comes_after_its_time(harness: &Opens<'_>) -> Result<(), Violation> {
    let stop = Stop::open(harness).await?;
    let group = name("group");
    let sent = events(0..1);
    stop.publish(&sent).await?;
    let mut reader = stop.join(&group).await?;
    for round in 0..3 {
        let found = reader.until(&sent).await?;
        let before = harness.now();
        reader.subscription.nack(&[(found[0].tag, Nack::Retry(PAUSE))]).await?;
        let found = reader.until(&sent).await?;
        let waited = harness.now().since(before);
        // Clocks of two machines differ a little.
        ensure!(waited >= PAUSE.mul_f32(0.8), "in round {round} a retry came after {waited:?}, not {PAUSE:?}");
        reader.subscription.nack(&[(found[0].tag, Nack::Retry(Duration::ZERO))]).await?;
    }
    reader.handle(&sent).await?;
    reader.leave().await?;
    let fence = fences(&sent);
    stop.publish(&fence).await?;
    stop.join(&group).await?.only(&fence, "after a retry was acknowledged").await
}

pub(super) async fn later_events_wait_behind_a_retry(harness: &Opens<'_>) -> Result<(), Violation> {
    let stop = Stop::open(harness).await?;
    let sent = events(0..6);
    stop.publish(&sent[..3]).await?;
    // Received alone, so that it does not matter whether what was received with it comes again.
    let options = SubscribeOptions::new(name("group"), [TYPE]).with_max_in_flight(1);
    let mut reader = stop.join_with(options).await?;
    let first = reader.until_some().await?;
    reader.subscription.nack(&[(first[0].tag, Nack::Retry(PAUSE))]).await?;
    stop.publish(&sent[3..]).await?;
    let mut found = Vec::new();
    while !sent.iter().all(|sent| found.iter().any(|found: &Delivery| found.envelope == *sent)) {
        let next = reader.until_some().await?;
        reader.subscription.ack(&tags(&next)).await?;
        found.extend(next);
    }
    let numbers: Vec<u64> = found.iter().map(|delivery| delivery.envelope.sequence).collect();
    ensure_eq!(numbers.first(), Some(&0), "the first of {numbers:?}, which are tried again or come behind it");
    in_order(&found, &sent, "behind one that is tried again")
}

pub(super) async fn a_dead_letter_is_put_aside(harness: &Opens<'_>) -> Result<(), Violation> {
    let stop = Stop::open(harness).await?;
    let group = name("group");
    let sent = events(0..6);
    stop.publish(&sent).await?;
    let mut reader = stop.join(&group).await?;
    let tags = tags(&reader.until(&sent).await?);
    let dead = |index: usize| (tags[index], Nack::DeadLetter("cannot be read".to_owned()));
    reader.subscription.nack(&[dead(0), dead(4)]).await?;
    reader.subscription.ack(&[tags[1], tags[2], tags[3], tags[5]]).await?;
    let fence = fences(&sent);
    stop.publish(&fence).await?;
    reader.only(&fence, "by the member that put two aside").await?;
    reader.leave().await?;
    let fence = vec![event(&sent[0].partition_key, 2_000_000)];
    stop.publish(&fence).await?;
    stop.join(&group).await?.only(&fence, "after the member that put two aside left").await
}

pub(super) async fn a_dead_letter_is_the_groups_own(harness: &Opens<'_>) -> Result<(), Violation> {
    let stop = Stop::open(harness).await?;
    let sent = events(0..3);
    stop.publish(&sent).await?;
    let [mut one, mut two] = [stop.join(&name("group")).await?, stop.join(&name("group")).await?];
    let tags = tags(&one.until(&sent).await?);
    one.subscription.nack(&[(tags[1], Nack::DeadLetter("cannot be read".to_owned()))]).await?;
    one.subscription.ack(&[tags[0], tags[2]]).await?;
    one.leave().await?;
    let found = two.handle(&sent).await?;
    in_order(&found, &sent, "of which another group put one aside")?;
    let found = stop.join(&name("group")).await?.handle(&sent).await?;
    in_order(&found, &sent, "of which a group put one aside, by a group that is new")
}
