//! The servers that there are.

#[cfg(unix)]
#[cfg(feature = "cluster")]
pub(crate) mod cluster;
pub(crate) mod counted;
#[cfg(unix)]
pub(crate) mod node;
#[cfg(unix)]
pub(crate) mod proxy;
#[cfg(unix)]
#[cfg(feature = "sentinel")]
pub(crate) mod sentinel;

use stockpulse_core::port::{Clock, IdGenerator};
use stockpulse_core::{RandomIds, SystemClock};

/// The server's URL, or why there is none.
pub(crate) fn server() -> Result<String, String> {
    match std::env::var("STOCKPULSE_REDIS") {
        Ok(url) if !url.is_empty() => Ok(url),
        _ => Err("STOCKPULSE_REDIS names no server (redis://host:port)".to_owned()),
    }
}

/// The server's URL; `None`, after saying so, if there is none.
pub(crate) fn server_or_skip(test: &str) -> Option<String> {
    found_or_skip(test, server())
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
    format!("test-{}:", RandomIds.next_id(SystemClock.now()).simple())
}
