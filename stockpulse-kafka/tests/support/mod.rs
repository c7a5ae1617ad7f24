//! The broker, and options that are quick enough for tests.

use std::time::Duration;

use stockpulse_core::port::{Clock, IdGenerator};
use stockpulse_core::{RandomIds, SystemClock};
use stockpulse_kafka::KafkaOptions;

/// The broker's address, or why there is none.
pub(crate) fn broker() -> Result<String, String> {
    match std::env::var("STOCKPULSE_KAFKA") {
        Ok(address) if !address.is_empty() => Ok(address),
        _ => Err("STOCKPULSE_KAFKA names no broker (host:port)".to_owned()),
    }
}

/// The broker's address; `None`, after saying so, if there is none.
#[expect(clippy::print_stderr, reason = "who runs the tests has to see what was not tested")]
pub(crate) fn broker_or_skip(test: &str) -> Option<String> {
    let reason = match broker() {
        Ok(address) => return Some(address),
        Err(reason) => reason,
    };
    eprintln!("SKIP {test}: {reason}");
    assert_ne!(std::env::var("STOCKPULSE_REQUIRE").as_deref(), Ok("all"), "skipped: {reason}");
    None
}

/// A name that no other test and no other run uses.
pub(crate) fn fresh(of: &str) -> String {
    format!("{of}-{}.", RandomIds.next_id(SystemClock.now()).simple())
}

/// Options under a prefix, with times that are short: a rebalance is noticed within 100 ms, and what nobody acknowledges
/// holds it up no longer than that either.
pub(crate) fn options(broker: &str, prefix: &str) -> KafkaOptions {
    let mut options = KafkaOptions::new(broker).with_prefix(prefix);
    options.session_timeout = Duration::from_secs(6);
    options.heartbeat = Duration::from_millis(100);
    options.drain = Duration::from_millis(100);
    options.commit_interval = Duration::from_millis(200);
    options
}
