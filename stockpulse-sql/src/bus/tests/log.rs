//! The log: its order, and who sees what when.

use stockpulse_core::bus::partition_of;

use super::super::append::{Entry, append};
use super::*;
use crate::database::{Access, Session};

on_every_database! {
    what_commits_late_is_not_passed_over,
    publications_at_once_share_transactions,
    a_bus_keeps_its_partitions,
    what_is_no_text_everywhere_is_refused,
}

async fn what_commits_late_is_not_passed_over<D: Database>(place: Place<D>) {
    let (store, other) = (place.store().await, place.store().await);
    let (bus, slow) = (bus(&store), bus(&other));
    let mut member = join(&bus, "group").await;
    let partitions = bus.connection.partitions().await.unwrap();
    let entry = |number| [Entry { envelope: event("key", number), only: None, deliveries: 0 }];
    let mut first = store.shared.database.begin(Access::Write).await.unwrap();
    append(&mut first, &entry(1), partitions).await.unwrap();
    // MySQL sends what it has to write with the next query.
    first.query("SELECT 1", &[]).await.unwrap();
    let second = tokio::spawn(async move { publish(&slow, &[event("key", 2)]).await });
    nothing(&mut member).await;
    assert!(!second.is_finished(), "the second may not commit before the first");
    first.commit().await.unwrap();
    second.await.unwrap();
    let found = receive(&mut member, 2).await;
    assert_eq!(envelopes(&found), events("key", 1..3));
    assert_eq!(found.iter().map(|found| found.tag.offset).collect::<Vec<_>>(), [0, 1]);
    // One that was rolled back leaves no gap.
    let mut third = store.shared.database.begin(Access::Write).await.unwrap();
    append(&mut third, &entry(3), partitions).await.unwrap();
    third.rollback().await;
    publish(&bus, &[event("key", 4)]).await;
    let found = receive(&mut member, 1).await;
    assert_eq!((found[0].envelope.sequence, found[0].tag.offset), (4, 2));
}

async fn publications_at_once_share_transactions<D: Database>(place: Place<D>) {
    let store = place.store().await;
    let bus = bus(&store);
    let sent: Vec<Vec<Envelope>> = (0..200).map(|key| events(&format!("key-{key}"), 0..5)).collect();
    let publications = sent.iter().map(|events| publish(&bus, events));
    futures::future::join_all(publications).await;
    let mut member = join(&bus, "group").await;
    let found = receive(&mut member, 1_000).await;
    for events in &sent {
        let of_key = found.iter().filter(|found| found.envelope.partition_key == events[0].partition_key);
        assert_eq!(of_key.map(|found| found.envelope.clone()).collect::<Vec<_>>(), *events);
    }
}

async fn a_bus_keeps_its_partitions<D: Database>(place: Place<D>) {
    let store = place.store().await;
    let first = store.bus(BusOptions::default().with_partitions(3));
    publish(&first, &spread(20, 1)).await;
    let second = store.bus(BusOptions::default().with_partitions(64));
    assert_eq!(second.connection.partitions().await.unwrap(), 3);
    let found = receive(&mut join(&second, "group").await, 20).await;
    assert_eq!(found.len(), 20);
    assert!(found.iter().all(|found| found.tag.partition == partition_of(&found.envelope.partition_key, 3)));
}

async fn what_is_no_text_everywhere_is_refused<D: Database>(place: Place<D>) {
    let store = place.store().await;
    let bus = bus(&store);
    let [mut nul, mut long] = [event("key", 1), event("key", 2)];
    nul.subject = "a\0b".into();
    long.source = "x".repeat(1_025).into();
    let answers = bus.publish(&[nul, long, event("key", 3)]).await.unwrap();
    assert!(matches!(&answers[..], [Published::Refused(_), Published::Refused(_), Published::Acknowledged]));
    assert_eq!(receive(&mut join(&bus, "group").await, 1).await[0].envelope.sequence, 3);
}
