//! The names of the topics that the bus makes itself.

use std::time::Duration;

use stockpulse_core::{Error, ErrorKind, Result};

/// Characters that a topic's name may have.
const MAX_NAME: usize = 249;
/// What the name of every topic of dead letters ends with.
pub(crate) const DEAD_LETTERS: &str = ".dlt";

/// Where a group's dead letters from a topic go.
pub(crate) fn dead_letter_topic(topic: &str, group: &str) -> String {
    format!("{topic}.{group}{DEAD_LETTERS}")
}

/// Where a group's events from a topic wait to be tried again.
pub(crate) fn retry_topic(topic: &str, group: &str, delay: Duration) -> String {
    let seconds = delay.as_secs();
    let delay = match seconds {
        0 => format!("{}ms", delay.as_millis()),
        seconds if seconds % 60 == 0 => format!("{}m", seconds / 60),
        seconds => format!("{seconds}s"),
    };
    format!("{topic}.{group}.retry.{delay}")
}

/// Checks that brokers take a name.
pub(crate) fn check(name: &str) -> Result<()> {
    let legal = |char: char| char.is_ascii_alphanumeric() || matches!(char, '.' | '_' | '-');
    if name.is_empty() || name.len() > MAX_NAME || !name.chars().all(legal) {
        let message = format!("'{name}' is no name of a topic: up to {MAX_NAME} of a-z, A-Z, 0-9, '.', '_' and '-'");
        return Err(Error::new(ErrorKind::Config, message));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_named_after_topic_group_and_delay() {
        assert_eq!(dead_letter_topic("orders", "inventory"), "orders.inventory.dlt");
        let retry = |millis| retry_topic("orders", "inventory", Duration::from_millis(millis));
        assert_eq!(retry(5_000), "orders.inventory.retry.5s");
        assert_eq!(retry(60_000), "orders.inventory.retry.1m");
        assert_eq!(retry(600_000), "orders.inventory.retry.10m");
        assert_eq!(retry(90_000), "orders.inventory.retry.90s");
        assert_eq!(retry(250), "orders.inventory.retry.250ms");
    }

    #[test]
    fn what_brokers_refuse_is_no_name() {
        assert!(check("orders.my_group-1.dlt").is_ok());
        for bad in ["", "a b", "straße", &"x".repeat(250)] {
            assert_eq!(check(bad).unwrap_err().kind(), ErrorKind::Config);
        }
    }
}
