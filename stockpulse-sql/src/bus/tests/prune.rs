//! What is kept, and what is not.

use stockpulse_core::ErrorKind;

use super::*;

on_every_database! { what_every_group_has_passed_is_pruned, a_large_log_is_pruned_in_parts }

async fn what_every_group_has_passed_is_pruned<D: Database>(place: Place<D>) {
    let store = place.store().await;
    let bus = bus(&store);
    let sent = events("key", 0..10);
    publish(&bus, &sent).await;
    let [mut fast, mut slow] = [join(&bus, "fast").await, join(&bus, "slow").await];
    let found = receive(&mut fast, 10).await;
    fast.ack(&tags(&found)).await.unwrap();
    let found = receive(&mut slow, 10).await;
    slow.ack(&tags(&found[..4])).await.unwrap();
    let (early, late) = (sent[2].time, sent[9].time);
    assert_eq!(bus.prune(early).await.unwrap(), 2);
    assert_eq!(bus.prune(early).await.unwrap(), 0);
    assert_eq!(bus.prune(late).await.unwrap(), 2);
    // A new group begins with what is left, and the places of the others stay.
    let mut new = join(&bus, "new").await;
    assert_eq!(envelopes(&receive(&mut new, 6).await), sent[4..]);
    slow.close().await.unwrap();
    assert_eq!(envelopes(&receive(&mut join(&bus, "slow").await, 6).await), sent[4..]);
    // A group that nobody needs any more is forgotten, and holds up nothing.
    assert_eq!(bus.forget("new").await.unwrap_err().kind(), ErrorKind::InvalidInput);
    new.close().await.unwrap();
    assert!(bus.forget("new").await.unwrap());
    assert!(!bus.forget("new").await.unwrap());
    publish(&bus, &[event("key", 10)]).await;
    assert_eq!(receive(&mut fast, 1).await[0].envelope.sequence, 10);
}

async fn a_large_log_is_pruned_in_parts<D: Database>(place: Place<D>) {
    let store = place.store().await;
    let bus = bus(&store);
    let sent = events("key", 0..2_500);
    publish(&bus, &sent).await;
    assert_eq!(bus.prune(sent[2_400].time).await.unwrap(), 2_400);
    assert_eq!(envelopes(&receive(&mut join(&bus, "group").await, 100).await), sent[2_400..]);
}
