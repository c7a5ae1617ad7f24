//! A server that is killed, and one that stops answering.

use std::time::Duration;

use stockpulse_core::ErrorKind;
use stockpulse_core::port::{Nack, Publisher};

use super::load::Load;
use super::support::{bus, envelopes, event, events, join, only, publish, quick, receive, tags};
use crate::support::node::{Node, program};
use crate::support::{found_or_skip, fresh};

/// Everything is in the system's hands before it is acknowledged, which outlives the process: so `everysec` loses nothing to
/// a kill either. Only a crash of the machine tells the two apart.
async fn kills_under_load(test: &str, fsync: &str) {
    let Some(program) = found_or_skip(test, program()) else { return };
    let mut server = Node::start(&program, &["--appendonly", "yes", "--appendfsync", fsync]).await;
    let prefix = fresh();
    let load = Load::begin([(); 2].map(|()| bus(&server.url(), &prefix, quick())));
    for _ in 0..3 {
        load.flows().await;
        server.kill();
        server.restart().await;
    }
    load.flows().await;
    load.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_kills_under_load_with_fsync_always() {
    kills_under_load("what_was_acknowledged_survives_kills_under_load_with_fsync_always", "always").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_kills_under_load_with_fsync_everysec() {
    kills_under_load("what_was_acknowledged_survives_kills_under_load_with_fsync_everysec", "everysec").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_group_is_done_with_survives_a_kill_too() {
    let test = "what_a_group_is_done_with_survives_a_kill_too";
    let Some(program) = found_or_skip(test, program()) else { return };
    for fsync in ["always", "everysec"] {
        let mut server = Node::start(&program, &["--appendonly", "yes", "--appendfsync", fsync]).await;
        let own = bus(&server.url(), &fresh(), quick());
        let sent = events("key", 0..9);
        publish(&own, &sent).await;
        let mut member = join(&own, "group").await;
        let found = receive(&mut *member, 9).await;
        member.ack(&tags(&[&found[..3], &found[6..]].concat())).await.unwrap();
        member.nack(&[(found[3].tag, Nack::DeadLetter("no reason".to_owned()))]).await.unwrap();
        server.kill();
        drop(member);
        server.restart().await;
        let mut member = join(&own, "group").await;
        let found = receive(&mut *member, 2).await;
        assert_eq!(envelopes(&found), sent[4..6], "{fsync}: what was acknowledged or put aside came again, or is lost");
        assert!(found.iter().all(|found| found.redeliveries == 1), "{found:?}");
        member.ack(&tags(&found)).await.unwrap();
        only(&own, &mut *member, event("key", 100)).await;
        let letters = own.dead_letters("group", 9.try_into().unwrap()).await.unwrap();
        let letters: Vec<_> = letters.iter().map(|letter| letter.envelope.as_ref()).collect();
        assert_eq!(letters, [Some(&sent[3])], "{fsync}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_asked_of_a_server_that_did_not_answer_is_neither_lost_nor_doubled() {
    let test = "what_was_asked_of_a_server_that_did_not_answer_is_neither_lost_nor_doubled";
    let Some(program) = found_or_skip(test, program()) else { return };
    let server = Node::start(&program, &[]).await;
    let own = bus(&server.url(), &fresh(), quick().with_lease(Duration::from_secs(30), Duration::from_secs(10)));
    let mut member = join(&own, "group").await;
    // What was pending when it joined is behind it, and it reads what is new.
    only(&own, &mut *member, event("key", 99)).await;
    let sent = events("key", 0..6);
    publish(&own, &sent[..3]).await;
    server.pause();
    // It will read these for the member when it goes on, and nobody will hear of it.
    assert_eq!(member.receive(10).await.unwrap_err().kind(), ErrorKind::Timeout);
    assert_eq!(own.publish(&sent[3..]).await.unwrap_err().kind(), ErrorKind::Timeout);
    server.resume();
    publish(&own, &sent[3..]).await;
    let found = receive(&mut *member, 6).await;
    assert_eq!(envelopes(&found), sent);
    member.ack(&tags(&found)).await.unwrap();
    only(&own, &mut *member, event("key", 100)).await;
}
