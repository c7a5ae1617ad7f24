//! What the gate refused a moment ago.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use crate::model::{Quantity, StockKey, StockQuantity, Timestamp};
use crate::port::Clock;

/// How many levels are remembered at most.
const MOST: usize = 65_536;

/// Refusals that are repeated for a moment: whoever wants as much of the same level is not let ask.
#[derive(Debug)]
pub(super) struct Refusals {
    ttl: Duration,
    clock: Arc<dyn Clock>,
    recent: RwLock<HashMap<StockKey, Recent>>,
}

#[derive(Clone, Copy, Debug)]
struct Recent {
    quantity: Quantity,
    until: Timestamp,
}

impl Refusals {
    pub(super) fn new(ttl: Duration, clock: Arc<dyn Clock>) -> Self {
        Self { ttl, clock, recent: RwLock::default() }
    }

    /// The level for which such a request was refused.
    pub(super) fn find<'a>(&self, lines: &'a [StockQuantity]) -> Option<&'a StockKey> {
        let recent = self.recent.read().unwrap_or_else(PoisonError::into_inner);
        let is_short = |line: &&StockQuantity| {
            let found = recent.get(&line.key).filter(|recent| line.quantity >= recent.quantity);
            found.is_some_and(|recent| self.clock.now() < recent.until)
        };
        lines.iter().find(is_short).map(|line| &line.key)
    }

    /// The gate refused a request for want of this level.
    pub(super) fn remember(&self, lines: &[StockQuantity], key: &StockKey) {
        let Some(line) = lines.iter().find(|line| line.key == *key) else { return };
        let now = self.clock.now();
        let mut recent = self.recent.write().unwrap_or_else(PoisonError::into_inner);
        if recent.len() >= MOST {
            recent.retain(|_, recent| now < recent.until);
        }
        if recent.len() < MOST {
            recent.insert(key.clone(), Recent { quantity: line.quantity, until: now.plus(self.ttl) });
        }
    }
}

#[cfg(test)]
#[cfg(feature = "memory")]
mod tests {
    use super::*;
    use crate::memory::ManualClock;
    use crate::model::Sku;

    fn lines(wanted: &[(&str, u32)]) -> Vec<StockQuantity> {
        let line = |(name, units): &(&str, u32)| {
            StockQuantity::new(StockKey::main(Sku::new(*name).unwrap()), Quantity::from(*units))
        };
        wanted.iter().map(line).collect()
    }

    #[test]
    fn as_much_or_more_of_the_level_is_refused_until_its_time_is_over() {
        let clock = ManualClock::new(Timestamp::from_secs(1));
        let refusals = Refusals::new(Duration::from_millis(10), Arc::new(clock.clone()));
        let refused = lines(&[("CUP", 1), ("POT", 3)]);
        refusals.remember(&refused, &refused[1].key);
        for (wanted, short) in [
            (lines(&[("POT", 2)]), false),
            (lines(&[("POT", 3)]), true),
            (lines(&[("CUP", 9)]), false),
            (lines(&[("CUP", 1), ("POT", 9)]), true),
        ] {
            assert_eq!(refusals.find(&wanted).map(|key| key.sku.as_str()), short.then_some("POT"), "{wanted:?}");
        }
        // Less is refused, too.
        let less = lines(&[("POT", 1)]);
        refusals.remember(&less, &less[0].key);
        clock.advance(Duration::from_millis(10) - Duration::from_micros(1));
        assert!(refusals.find(&less).is_some());
        clock.advance(Duration::from_micros(1));
        assert!(refusals.find(&less).is_none());
    }

    #[test]
    fn so_many_levels_are_remembered_and_no_more() {
        let clock = ManualClock::new(Timestamp::from_secs(1));
        let refusals = Refusals::new(Duration::from_millis(10), Arc::new(clock.clone()));
        let remember = |number: usize| {
            let lines = lines(&[(&format!("CUP-{number}"), 1)]);
            refusals.remember(&lines, &lines[0].key);
            refusals.find(&lines).is_some()
        };
        assert!((0..MOST).all(remember));
        assert!(!remember(MOST));
        clock.advance(Duration::from_millis(10));
        assert!(remember(MOST), "those whose time is over make room");
        assert_eq!(refusals.recent.read().unwrap().len(), 1);
    }
}
