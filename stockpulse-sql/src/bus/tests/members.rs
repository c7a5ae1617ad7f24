//! Members of a group: who reads what, and what becomes of it when they vanish.

use std::collections::{BTreeMap, BTreeSet};

use stockpulse_core::ErrorKind;
use stockpulse_core::port::{Nack, Subscriber};

use super::*;
use crate::database::{Access, Session};
use crate::value::Cells;

on_every_database! {
    two_stores_share_the_partitions,
    what_a_zombie_says_changes_nothing,
    who_was_taken_for_dead_joins_anew,
    members_want_the_same_types,
    a_retry_waits_for_the_next_reader_too,
    a_place_moves_on_over_what_is_of_no_interest,
    odd_options_do_no_harm,
}

/// How many partitions each member has, in the database's words.
async fn shares<D: Database>(store: &SqlStore<D>) -> Vec<usize> {
    let mut session = store.shared.database.begin(Access::Read).await.unwrap();
    let rows = session.query("SELECT owner FROM bus_place ORDER BY partition_no", &[]).await.unwrap();
    let mut shares = BTreeMap::new();
    for row in &rows {
        *shares.entry(row.maybe_id(0).unwrap()).or_default() += 1;
    }
    shares.into_values().collect()
}

/// The member gives no more signs of life.
fn silence<D: Database>(member: &mut SqlSubscription<D>) {
    member.heartbeat.task.take().unwrap().abort();
}

async fn two_stores_share_the_partitions<D: Database>(place: Place<D>) {
    let stores = [place.store().await, place.store().await];
    let buses = [bus(&stores[0]), bus(&stores[1])];
    let mut members = [join(&buses[0], "group").await, join(&buses[1], "group").await, join(&buses[1], "group").await];
    assert_eq!(shares(&stores[0]).await.iter().sum::<usize>(), 16);
    assert!(shares(&stores[0]).await.iter().all(|share| [5, 6].contains(share)));
    let sent = spread(60, 3);
    publish(&buses[0], &sent).await;
    let mut readers: BTreeMap<_, BTreeSet<usize>> = BTreeMap::new();
    let mut found = 0;
    for _ in 0..200 {
        for (index, member) in members.iter_mut().enumerate() {
            let received = tokio::time::timeout(Duration::from_millis(100), member.receive(50)).await;
            let Ok(received) = received.map(Result::unwrap) else { continue };
            member.ack(&tags(&received)).await.unwrap();
            found += received.len();
            for delivery in received {
                readers.entry(delivery.envelope.partition_key).or_default().insert(index);
            }
        }
        if found >= sent.len() {
            break;
        }
    }
    assert_eq!(found, sent.len());
    assert!(readers.values().all(|members| members.len() == 1), "each key has one reader: {readers:?}");
    assert_eq!(readers.values().flatten().collect::<BTreeSet<_>>().len(), 3);
    let [one, mut two, three] = members;
    two.close().await.unwrap();
    assert_eq!(shares(&stores[0]).await, [8, 8]);
    drop((one, three));
    for _ in 0..100 {
        if shares(&stores[0]).await == [16] {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    publish(&buses[1], &[event("key-0", 9)]).await;
    assert_eq!(receive(&mut join(&buses[1], "group").await, 1).await[0].envelope.sequence, 9);
}

async fn what_a_zombie_says_changes_nothing<D: Database>(place: Place<D>) {
    let stores = [place.store().await, place.store().await];
    let buses = [bus(&stores[0]), bus(&stores[1])];
    let sent = events("key", 0..6);
    publish(&buses[0], &sent).await;
    let mut zombie = join(&buses[0], "group").await;
    let old = receive(&mut zombie, 6).await;
    zombie.ack(&tags(&old[..1])).await.unwrap();
    silence(&mut zombie);
    let mut heir = join(&buses[1], "group").await;
    assert_eq!(envelopes(&receive(&mut heir, 5).await), sent[1..]);
    zombie.ack(&tags(&old)).await.unwrap();
    let dead = (old[5].tag, Nack::DeadLetter("too late".to_owned()));
    zombie.nack(&[dead, (old[1].tag, Nack::Retry(Duration::from_secs(60)))]).await.unwrap();
    nothing(&mut zombie).await;
    assert_eq!(buses[0].dead_letters(limit(10)).await.unwrap(), []);
    heir.close().await.unwrap();
    std::mem::forget(zombie);
    assert_eq!(envelopes(&receive(&mut join(&buses[1], "group").await, 5).await), sent[1..]);
}

async fn who_was_taken_for_dead_joins_anew<D: Database>(place: Place<D>) {
    let stores = [place.store().await, place.store().await];
    let buses = [bus(&stores[0]), bus(&stores[1])];
    let mut late = join(&buses[0], "group").await;
    let sent = spread(40, 1);
    publish(&buses[0], &sent).await;
    let old = receive(&mut late, 40).await;
    let mut session = stores[1].shared.database.begin(Access::Write).await.unwrap();
    session.execute("UPDATE bus_member SET ends_at = 0", &[]).await.unwrap();
    session.commit().await.unwrap();
    let mut other = join(&buses[1], "group").await;
    assert_eq!(receive(&mut other, 40).await.len(), 40);
    // Its next sign of life brings it back, to half of the partitions, under a new generation.
    let again = receive(&mut late, 1).await;
    assert!(again[0].tag.generation > old[0].tag.generation);
    assert_eq!(shares(&stores[0]).await, [8, 8]);
}

async fn members_want_the_same_types<D: Database>(place: Place<D>) {
    let store = place.store().await;
    let bus = bus(&store);
    let mut member = join(&bus, "group").await;
    let other = SubscribeOptions::new("group", [EventType::OrderShipped, TYPE]);
    let refused = bus.subscribe(other.clone()).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Config);
    let twice = SubscribeOptions::new("group", [TYPE, TYPE]);
    bus.subscribe(twice).await.unwrap().close().await.unwrap();
    member.close().await.unwrap();
    bus.subscribe(other).await.unwrap().close().await.unwrap();
    for wrong in [SubscribeOptions::new("", []), SubscribeOptions::new("g".repeat(256), [TYPE])] {
        assert_eq!(bus.subscribe(wrong).await.unwrap_err().kind(), ErrorKind::Config);
    }
}

async fn a_retry_waits_for_the_next_reader_too<D: Database>(place: Place<D>) {
    let pause = Duration::from_millis(800);
    let store = place.store().await;
    let bus = bus(&store);
    publish(&bus, &events("key", 0..3)).await;
    let mut member = join(&bus, "group").await;
    let found = receive(&mut member, 3).await;
    member.nack(&[(found[1].tag, Nack::Retry(pause))]).await.unwrap();
    member.ack(&tags(&found[..1])).await.unwrap();
    let since = tokio::time::Instant::now();
    member.close().await.unwrap();
    let found = receive(&mut join(&bus, "group").await, 2).await;
    assert!(since.elapsed() >= pause.mul_f32(0.8), "{:?}", since.elapsed());
    assert_eq!(found.iter().map(|found| found.redeliveries).collect::<Vec<_>>(), [1, 0]);
    assert_eq!(envelopes(&found), events("key", 1..3));
}

async fn a_place_moves_on_over_what_is_of_no_interest<D: Database>(place: Place<D>) {
    let store = place.store().await;
    let bus = store.bus(BusOptions { flush: Duration::ZERO, ..BusOptions::default() });
    let options = SubscribeOptions::new("group", [EventType::OrderShipped]);
    let mut member = SqlSubscription::join(Arc::clone(&bus.connection), options).await.unwrap();
    publish(&bus, &events("key", 0..300)).await;
    nothing(&mut member).await;
    let mut session = store.shared.database.begin(Access::Read).await.unwrap();
    let rows = session.query("SELECT event_offset FROM bus_place WHERE event_offset > 0", &[]).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.int(0).unwrap()).collect::<Vec<_>>(), [300]);
}

async fn odd_options_do_no_harm<D: Database>(place: Place<D>) {
    let store = place.store().await;
    for (number, odd) in [(1, Duration::MAX), (2, Duration::ZERO)] {
        let bus = store.bus(BusOptions { partitions: 0, poll: odd, lease: odd, flush: odd, ..BusOptions::default() });
        let mut member = join(&bus, "group").await;
        let sent = event("key", number);
        let (found, ()) = tokio::join!(receive(&mut member, 1), publish(&bus, std::slice::from_ref(&sent)));
        assert_eq!(envelopes(&found), [sent]);
        member.nack(&[(found[0].tag, Nack::Retry(Duration::MAX))]).await.unwrap();
        nothing(&mut member).await;
        member.nack(&[(found[0].tag, Nack::Retry(Duration::ZERO))]).await.unwrap();
        let found = receive(&mut member, 1).await;
        member.ack(&tags(&found)).await.unwrap();
        member.close().await.unwrap();
    }
}
