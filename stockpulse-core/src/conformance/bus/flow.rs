//! Receiving: how much, how long, and until when.

use std::collections::BTreeSet;
use std::time::Duration;

use super::reader::{Stop, TYPE, events, fences, in_order, name, spread, tags};
use crate::conformance::support::polled;
use crate::conformance::{BusBackend, Harness, Violation};
use crate::error::ErrorKind;
use crate::port::{Delivery, SubscribeOptions};

type Opens<'a> = dyn Harness<BusBackend> + 'a;

pub(super) async fn no_more_are_received_than_asked_for(harness: &Opens<'_>) -> Result<(), Violation> {
    let stop = Stop::open(harness).await?;
    let sent = spread(10, 4);
    stop.publish(&sent).await?;
    let mut reader = stop.join(&name("group")).await?;
    let mut found: Vec<Delivery> = Vec::new();
    for max in (1..=7).cycle().take(2_000) {
        let received = reader.look(max).await?;
        ensure!(received.len() <= max, "{} events received, and {max} asked for", received.len());
        found.extend(received);
        if found.len() >= sent.len() {
            break;
        }
    }
    in_order(&found, &sent, "received a few at a time")
}

pub(super) async fn no_more_are_in_flight_than_set(harness: &Opens<'_>) -> Result<(), Violation> {
    const MOST: usize = 5;
    let stop = Stop::open(harness).await?;
    let sent = spread(6, 4);
    stop.publish(&sent).await?;
    let options = SubscribeOptions::new(name("group"), [TYPE]).with_max_in_flight(MOST);
    let mut reader = stop.join_with(options).await?;
    let mut all: Vec<Delivery> = Vec::new();
    for _ in 0..40 {
        let ids: BTreeSet<_> = all.iter().map(|delivery| delivery.envelope.id).collect();
        if ids.len() == sent.len() {
            break;
        }
        let mut in_flight = reader.until_some().await?;
        while in_flight.len() < MOST {
            let more = reader.some(100).await?;
            if more.is_empty() {
                break;
            }
            in_flight.extend(more);
        }
        in_flight.extend(reader.look(100).await?);
        ensure!(in_flight.len() <= MOST, "{} events in flight, and {MOST} may be", in_flight.len());
        reader.subscription.ack(&tags(&in_flight)).await?;
        all.extend(in_flight);
    }
    in_order(&all, &sent, "received a few in flight at a time")
}

pub(super) async fn who_waits_receives_what_comes(harness: &Opens<'_>) -> Result<(), Violation> {
    let stop = Stop::open(harness).await?;
    let mut reader = stop.join(&name("group")).await?;
    for _ in 0..3 {
        let sent = events(0..3);
        // The wait is not given up and begun anew: the bus has to wake it.
        let (received, published) = tokio::join!(reader.subscription.receive(100), async {
            harness.pass(Duration::from_millis(50)).await;
            tokio::task::yield_now().await;
            stop.publish(&sent).await
        });
        published?;
        let mut found = received?;
        let left = sent.iter().filter(|sent| !found.iter().any(|found| found.envelope == **sent));
        found.extend(reader.until(&left.cloned().collect::<Vec<_>>()).await?);
        in_order(&found, &sent, "published while a member waited")?;
        reader.subscription.ack(&tags(&found)).await?;
    }
    Ok(())
}

pub(super) async fn receiving_may_be_given_up(harness: &Opens<'_>) -> Result<(), Violation> {
    let stop = Stop::open(harness).await?;
    let group = name("group");
    let mut reader = stop.join(&group).await?;
    let sent = spread(30, 4);
    let mut found: Vec<Delivery> = Vec::new();
    for (number, batch) in (0..).zip(sent.chunks(12)) {
        for polls in 0..4 {
            // Given up before events come, while they come, and when they are there.
            if polls == number % 4 {
                stop.publish(batch).await?;
            }
            let given_up = polled(reader.subscription.receive(7), polls);
            let received = tokio::time::timeout(Duration::from_millis(20), given_up).await;
            found.extend(received.ok().flatten().transpose()?.unwrap_or_default());
        }
    }
    let fence = fences(&sent);
    stop.publish(&fence).await?;
    found.extend(reader.until(&fence).await?);
    in_order(&found, &[&sent[..], &fence].concat(), "received though many waits were given up")?;
    reader.subscription.ack(&tags(&found)).await?;
    reader.leave().await?;
    let fence = fences(&sent);
    stop.publish(&fence).await?;
    stop.join(&group).await?.only(&fence, "after waits were given up and all was acknowledged").await
}

pub(super) async fn a_closed_subscription_receives_nothing(harness: &Opens<'_>) -> Result<(), Violation> {
    let stop = Stop::open(harness).await?;
    stop.publish(&events(0..3)).await?;
    let mut reader = stop.join(&name("group")).await?;
    reader.until_some().await?;
    reader.subscription.close().await?;
    let looked = tokio::time::timeout(Duration::from_secs(5), reader.subscription.receive(1)).await;
    match looked {
        Ok(Err(error)) => ensure_eq!(error.kind(), ErrorKind::Closed, "receiving from what was closed"),
        other => return Err(Violation::new(format!("receiving from what was closed: {other:?}"))),
    }
    reader.subscription.close().await?;
    Ok(())
}
