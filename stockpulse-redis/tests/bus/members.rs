//! A member that dies.

use std::time::Duration;

use stockpulse_core::ErrorKind;
use stockpulse_core::model::EventType;
use stockpulse_core::port::{Nack, SubscribeOptions, Subscriber};
use tokio::time::Instant;

use super::support::{bus, envelopes, event, events, join, only, publish, quick, receive, tags};
use crate::support::{fresh, server_or_skip};

/// Longer than a lease.
const WAIT: Duration = Duration::from_secs(4);

/// What a member leaves that is killed: it received everything and acknowledged this many from each end, and the first of
/// the others is to be tried again not before `WAIT`. Answers from when on that is.
fn killed(url: &str, prefix: &str, sent: usize, first: usize, last: usize) -> Instant {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let since = runtime.block_on(async {
        let mut member = join(&bus(url, prefix, quick()), "group").await;
        let found = receive(&mut *member, sent).await;
        let done = [&found[..first], &found[sent - last..]].concat();
        member.ack(&tags(&done)).await.unwrap();
        let since = Instant::now();
        member.nack(&[(found[first].tag, Nack::Retry(WAIT))]).await.unwrap();
        // Not dropped: it would leave. With its runtime its signs of life end.
        std::mem::forget(member);
        since
    });
    runtime.shutdown_background();
    since
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_member_left_comes_to_another_in_order() {
    let test = "what_a_killed_member_left_comes_to_another_in_order";
    let Some(url) = server_or_skip(test) else { return };
    let prefix = fresh();
    let own = bus(&url, &prefix, quick());
    let sent = events("key", 0..10);
    publish(&own, &sent).await;
    let (from, of) = (url.clone(), prefix.clone());
    let since = tokio::task::spawn_blocking(move || killed(&from, &of, 10, 2, 3)).await.unwrap();
    let mut member = join(&own, "group").await;
    let found = receive(&mut *member, 5).await;
    // Redis counts in whole milliseconds.
    assert!(since.elapsed() + Duration::from_millis(2) >= WAIT, "the event that was to be tried again did not wait");
    assert_eq!(envelopes(&found), sent[2..7], "what was acknowledged behind a gap came again, or something is missing");
    assert!(found.iter().all(|found| found.redeliveries > 0), "{found:?}");
    member.ack(&tags(&found)).await.unwrap();
    only(&own, &mut *member, event("key", 100)).await;
    // Of the dead one nothing is left in the group.
    let connection = redis::Client::open(url).unwrap();
    let mut connection = connection.get_multiplexed_async_connection().await.unwrap();
    let streams: Vec<String> =
        redis::cmd("KEYS").arg(format!("{prefix}bus:{{*}}")).query_async(&mut connection).await.unwrap();
    assert_eq!(streams.len(), 4);
    for stream in streams {
        let consumers: Vec<redis::Value> =
            redis::cmd("XINFO").arg(&["CONSUMERS", &stream, "group"]).query_async(&mut connection).await.unwrap();
        assert!(consumers.len() <= 1, "{stream}: {consumers:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_member_that_wants_other_types_is_refused() {
    let test = "a_member_that_wants_other_types_is_refused";
    let Some(url) = server_or_skip(test) else { return };
    let own = bus(&url, &fresh(), quick());
    let mut member = join(&own, "group").await;
    let options = SubscribeOptions::new("group", [EventType::OrderPlaced, EventType::OrderCancelled]);
    assert_eq!(own.subscribe(options.clone()).await.unwrap_err().kind(), ErrorKind::Config);
    assert_eq!(own.forget("group").await.unwrap_err().kind(), ErrorKind::InvalidInput);
    member.close().await.unwrap();
    own.subscribe(options).await.unwrap();
}

/// Calls that a member made in time and that run late, as they would after the server had stood still.
#[tokio::test(flavor = "multi_thread")]
async fn what_comes_late_of_a_member_changes_nothing() {
    let Some(url) = server_or_skip("what_comes_late_of_a_member_changes_nothing") else { return };
    let prefix = fresh();
    let own = bus(&url, &prefix, quick().with_partitions(1));
    let sent = events("key", 0..4);
    publish(&own, &sent[..2]).await;
    let mut member = join(&own, "group").await;
    let found = receive(&mut *member, 2).await;
    let mut plain = redis::Client::open(url).unwrap().get_multiplexed_async_connection().await.unwrap();
    let stream = format!("{prefix}bus:{{stockpulse.orders:0}}");
    let [lease, dead] = ["lease", "dead"].map(|kind| format!("{stream}:{kind}:group"));
    let (owner, generation, turn): (String, u64, String) =
        redis::cmd("HMGET").arg(&lease).arg(&["owner", "generation", "turn"]).query_async(&mut plain).await.unwrap();
    let pending: Vec<(String, String, u64, u64)> =
        redis::cmd("XPENDING").arg(&stream).arg(&["group", "-", "+", "9"]).query_async(&mut plain).await.unwrap();
    assert_eq!((pending.len(), pending[0].1.as_str()), (2, owner.as_str()));
    let before = (generation - 1).to_string();
    let first = pending[0].0.as_str();

    // Under a generation that is over.
    let calls: [(&str, &[&str]); 4] = [
        (include_str!("../../src/bus/lua/fetch.lua"), &["99", "", "9", "com.stockpulse.order.placed.v1"]),
        (include_str!("../../src/bus/lua/settle.lua"), &[first]),
        (include_str!("../../src/bus/lua/pause.lua"), &[first, "9", "60000"]),
        (include_str!("../../src/bus/lua/aside.lua"), &[first, "9", "no reason"]),
    ];
    publish(&own, &sent[2..]).await;
    for (script, arguments) in calls {
        let script = redis::Script::new(script);
        let mut call = script.key(&stream);
        call.key(&lease).key(&dead).arg(&["group", &owner, &before]).arg(arguments);
        let _: redis::Value = call.invoke_async(&mut plain).await.unwrap();
    }
    // Under this one, but behind the call that came after it.
    let script = redis::Script::new(calls[0].0);
    let mut call = script.key(&stream);
    call.key(&lease).arg(&["group", &owner, &generation.to_string(), &turn]).arg(&calls[0].1[1..]);
    let _: redis::Value = call.invoke_async(&mut plain).await.unwrap();

    let later = receive(&mut *member, 2).await;
    assert_eq!(envelopes(&later), sent[2..], "read by a call whose answer nobody hears");
    assert!(later.iter().all(|later| later.redeliveries == 0), "read by a call from before: {later:?}");
    drop(member);
    let mut member = join(&own, "group").await;
    let again = receive(&mut *member, 4).await;
    assert_eq!(envelopes(&again), sent, "acknowledged or put aside by a call from before");
    assert_eq!(again[0].redeliveries, found[0].redeliveries + 1, "counted by a call from before");
    assert_eq!(own.dead_letters("group", 9.try_into().unwrap()).await.unwrap(), []);

    // A call whose answer was lost is made again.
    let (owner, generation): (String, String) =
        redis::cmd("HMGET").arg(&lease).arg(&["owner", "generation"]).query_async(&mut plain).await.unwrap();
    let script = redis::Script::new(calls[3].0);
    for _ in 0..2 {
        let mut call = script.key(&stream);
        call.key(&lease).key(&dead).arg(&["group", &owner, &generation]).arg(calls[3].1);
        assert_eq!(call.invoke_async::<i64>(&mut plain).await.unwrap(), 1);
    }
    assert_eq!(own.dead_letters("group", 9.try_into().unwrap()).await.unwrap().len(), 1);
}
