//! The server, and buses that are quick enough for tests.

use std::time::Duration;

use stockpulse_core::model::{Envelope, EventId, EventType};
use stockpulse_core::port::{
    Clock, Delivery, DeliveryTag, IdGenerator, Published, Publisher, SubscribeOptions, Subscriber, Subscription,
};
use stockpulse_core::{RandomIds, SystemClock};
use stockpulse_redis::{RedisConnection, RedisOptions, RedisStreamsBus, StreamsOptions};

/// The server's URL, or why there is none.
pub(crate) fn server() -> Result<String, String> {
    match std::env::var("STOCKPULSE_REDIS") {
        Ok(url) if !url.is_empty() => Ok(url),
        _ => Err("STOCKPULSE_REDIS names no server (redis://host:port)".to_owned()),
    }
}

/// What a test needs; `None`, after saying so, if it is not there.
#[expect(clippy::print_stderr, reason = "who runs the tests has to see what was not tested")]
pub(crate) fn found_or_skip<T>(test: &str, found: Result<T, String>) -> Option<T> {
    let reason = match found {
        Ok(found) => return Some(found),
        Err(reason) => reason,
    };
    eprintln!("SKIP {test}: {reason}");
    assert_ne!(std::env::var("STOCKPULSE_REQUIRE").as_deref(), Ok("all"), "skipped: {reason}");
    None
}

/// A prefix that no other test and no other run uses.
pub(crate) fn fresh() -> String {
    format!("bus-{}:", RandomIds.next_id(SystemClock.now()).simple())
}

/// Options with short times: who comes, leaves or dies is noticed soon.
pub(crate) fn quick() -> StreamsOptions {
    StreamsOptions::default().with_partitions(4).with_lease(Duration::from_secs(2), Duration::from_millis(100))
}

/// A connection under a prefix.
pub(crate) fn connect(url: &str, prefix: &str) -> RedisConnection {
    RedisConnection::new(RedisOptions::new(url).with_prefix(prefix)).unwrap()
}

/// A bus under a prefix.
pub(crate) fn bus(url: &str, prefix: &str, options: StreamsOptions) -> RedisStreamsBus {
    RedisStreamsBus::new(connect(url, prefix), options).unwrap()
}
