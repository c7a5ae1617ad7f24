//! What is published twice.

use std::time::Duration;

use stockpulse_core::port::Publisher;

use super::support::{bus, envelopes, event, events, join, only, publish, quick, receive};
use crate::support::{fresh, server_or_skip};

#[tokio::test(flavor = "multi_thread")]
async fn what_was_published_lately_is_not_appended_again() {
    let Some(url) = server_or_skip("what_was_published_lately_is_not_appended_again") else { return };
    let prefix = fresh();
    let own = bus(&url, &prefix, quick());
    assert_eq!([own.create().await.unwrap(), own.create().await.unwrap()], [true, false]);
    let sent = events("key", 0..3);
    publish(&own, &sent).await;
    publish(&own, &[sent.clone(), vec![sent[1].clone()]].concat()).await;
    let mut member = join(&own, "group").await;
    assert_eq!(envelopes(&receive(&mut *member, 3).await), sent);
    only(&own, &mut *member, event("key", 9)).await;
    let mut options = quick();
    options.remember = Duration::ZERO;
    let forgetful = bus(&url, &prefix, options);
    publish(&forgetful, &sent).await;
    assert_eq!(envelopes(&receive(&mut *member, 3).await), sent, "published again by one that remembers nothing");
    forgetful.close().await.unwrap();
}
