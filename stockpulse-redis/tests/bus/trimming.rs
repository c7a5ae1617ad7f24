//! What is dropped, and what is not.

use std::time::Duration;

use stockpulse_core::port::SubscribeOptions;
use stockpulse_core::port::{Start, Subscriber};
use stockpulse_redis::StreamsOptions;

use super::support::{TYPE, bus, envelopes, events, join, publish, quick, receive, tags};
use crate::support::{fresh, server_or_skip};

/// Redis drops whole blocks of so many entries.
const BLOCK: u64 = 100;

/// Everything that nobody needs may go at once.
fn short(abandoned: Duration) -> StreamsOptions {
    quick().with_partitions(1).with_retention(Duration::ZERO, abandoned)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_slow_group_has_not_handled_is_kept() {
    let Some(url) = server_or_skip("what_a_slow_group_has_not_handled_is_kept") else { return };
    let prefix = fresh();
    let own = bus(&url, &prefix, short(Duration::from_secs(1_000)));
    let sent = events("key", 0..1_000);
    publish(&own, &sent).await;
    // A group that never reads has its place too.
    let idle = SubscribeOptions::new("idle", [TYPE]).with_start(Start::Earliest);
    own.subscribe(idle).await.unwrap().close().await.unwrap();
    let [mut fast, mut slow] = [join(&own, "fast").await, join(&own, "slow").await];
    let found = receive(&mut *fast, 1_000).await;
    fast.ack(&tags(&found)).await.unwrap();
    assert_eq!(own.trim().await.unwrap(), 0, "dropped though a group has read nothing");
    assert!(own.forget("idle").await.unwrap());
    assert!(!own.forget("idle").await.unwrap());
    // Read, and not acknowledged but for a part with a gap.
    let found = receive(&mut *slow, 1_000).await;
    slow.ack(&tags(&found[..450])).await.unwrap();
    slow.ack(&tags(&found[500..])).await.unwrap();
    let dropped = own.trim().await.unwrap();
    assert!(dropped <= 450 && dropped > 450 - BLOCK, "{dropped} dropped");
    drop(slow);
    let mut slow = join(&own, "slow").await;
    let found = receive(&mut *slow, 50).await;
    assert_eq!(envelopes(&found), sent[450..500], "what was not handled");
    slow.ack(&tags(&found)).await.unwrap();
    let dropped = dropped + own.trim().await.unwrap();
    assert!(dropped > 1_000 - BLOCK, "{dropped} dropped of what everybody has handled");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_was_given_up_holds_nothing_and_what_is_young_stays() {
    let test = "a_group_that_was_given_up_holds_nothing_and_what_is_young_stays";
    let Some(url) = server_or_skip(test) else { return };
    let prefix = fresh();
    let own = bus(&url, &prefix, short(Duration::ZERO));
    let sent = events("key", 0..1_000);
    publish(&own, &sent).await;
    let mut member = join(&own, "gone").await;
    receive(&mut *member, 10).await;
    member.close().await.unwrap();
    let young = bus(&url, &prefix, short(Duration::ZERO).with_retention(Duration::from_secs(600), Duration::ZERO));
    assert_eq!(young.trim().await.unwrap(), 0, "dropped though it is young");
    tokio::time::sleep(Duration::from_millis(5)).await;
    let dropped = own.trim().await.unwrap();
    assert!(dropped > 1_000 - BLOCK, "{dropped} dropped of what only a group holds that was given up");
    // Back again it goes on with what there is.
    let later = events("key", 1_000..1_010);
    publish(&own, &later).await;
    let mut member = join(&own, "gone").await;
    let mut last = Vec::new();
    while !last.ends_with(&later) {
        let found = receive(&mut *member, 1).await;
        member.ack(&tags(&found)).await.unwrap();
        last.extend(envelopes(&found));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn members_trim_by_themselves() {
    let Some(url) = server_or_skip("members_trim_by_themselves") else { return };
    let prefix = fresh();
    let mut options = short(Duration::from_secs(1_000));
    options.trim = Duration::from_millis(100);
    let own = bus(&url, &prefix, options);
    publish(&own, &events("key", 0..1_000)).await;
    let mut member = join(&own, "group").await;
    let found = receive(&mut *member, 1_000).await;
    member.ack(&tags(&found)).await.unwrap();
    let mut plain = redis::Client::open(url).unwrap().get_multiplexed_async_connection().await.unwrap();
    let stream = format!("{prefix}bus:{{stockpulse.orders:0}}");
    let trimmed = async {
        loop {
            let left: u64 = redis::cmd("XLEN").arg(&stream).query_async(&mut plain).await.unwrap();
            if left <= BLOCK {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), trimmed).await.unwrap();
}
