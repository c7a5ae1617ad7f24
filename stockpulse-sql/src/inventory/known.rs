//! What a process remembers of levels, and how it expects them to be once a batch is written.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use stockpulse_core::model::{StockKey, StockLevel};
use tokio::sync::watch;

/// Levels that are remembered at most.
const REMEMBERED: usize = 65_536;

/// Levels as they were when they were last committed or read under lock by this process, or as they will be once a batch
/// that is on its way is committed.
#[derive(Debug, Default)]
pub(crate) struct KnownLevels {
    levels: Mutex<HashMap<StockKey, Known>>,
}

#[derive(Debug)]
struct Known {
    level: StockLevel,
    /// The batch that makes it so.
    by: Option<Written>,
}

/// Whether a batch was written: not until it says so, and never if it ends without a word.
type Written = watch::Receiver<bool>;

/// Levels to decide on, and the batches that have to be written before the decision is.
#[derive(Debug)]
pub(super) struct Remembered {
    pub(super) levels: Vec<StockLevel>,
    after: Vec<Written>,
}

/// A batch on its way. Dropped without [`Promise::keep`], it was not written, and its levels are forgotten.
#[derive(Debug)]
pub(super) struct Promise<'a> {
    known: &'a KnownLevels,
    keys: &'a [StockKey],
    written: watch::Sender<bool>,
}

impl KnownLevels {
    fn lock(&self) -> MutexGuard<'_, HashMap<StockKey, Known>> {
        self.levels.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All of these levels, or nothing if one is not remembered.
    pub(super) fn all(&self, keys: &[StockKey]) -> Option<Remembered> {
        let mut remembered = Remembered { levels: Vec::with_capacity(keys.len()), after: Vec::new() };
        let known = self.lock();
        for key in keys {
            let Known { level, by } = known.get(key)?;
            remembered.levels.push(level.clone());
            let is_listed = |by: &Written| remembered.after.last().is_some_and(|last| last.same_channel(by));
            if let Some(by) = by.as_ref().filter(|by| !is_listed(by) && !*by.borrow()) {
                remembered.after.push(by.clone());
            }
        }
        Some(remembered)
    }

    /// Remembers committed levels, unless a later version is known.
    pub(crate) fn put(&self, levels: impl IntoIterator<Item = StockLevel>) {
        self.remember(levels, None);
    }

    /// Expects levels that a batch is about to make.
    pub(super) fn expect<'a>(&'a self, keys: &'a [StockKey], levels: Vec<StockLevel>) -> Promise<'a> {
        let (written, by) = watch::channel(false);
        self.remember(levels, Some(&by));
        Promise { known: self, keys, written }
    }

    fn remember(&self, levels: impl IntoIterator<Item = StockLevel>, by: Option<&Written>) {
        let mut known = self.lock();
        for level in levels {
            if known.len() >= REMEMBERED && !known.contains_key(&level.key) {
                known.clear();
            }
            if known.get(&level.key).is_none_or(|before| before.level.version <= level.version) {
                known.insert(level.key.clone(), Known { level, by: by.cloned() });
            }
        }
    }

    /// Forgets levels that turned out to be others.
    fn forget(&self, keys: &[StockKey]) {
        let mut known = self.lock();
        for key in keys {
            known.remove(key);
        }
    }
}

impl Remembered {
    /// Waits for the batches that make the levels what they are taken for. Answers whether they did.
    pub(super) async fn come_true(&mut self) -> bool {
        for written in &mut self.after {
            if written.wait_for(|written| *written).await.is_err() {
                return false;
            }
        }
        true
    }
}

impl Promise<'_> {
    /// The batch was written.
    pub(super) fn keep(self) {
        self.written.send_replace(true);
    }
}

impl Drop for Promise<'_> {
    fn drop(&mut self) {
        if !*self.written.borrow() {
            self.known.forget(self.keys);
        }
    }
}

#[cfg(test)]
mod tests {
    use stockpulse_core::model::Sku;

    use super::*;

    fn level(version: u64) -> StockLevel {
        StockLevel { version, ..StockLevel::new(StockKey::main(Sku::new("A").unwrap())) }
    }

    fn version(known: &KnownLevels) -> Option<u64> {
        known.all(&[level(0).key]).map(|remembered| remembered.levels[0].version)
    }

    #[tokio::test]
    async fn who_builds_upon_a_batch_waits_until_it_is_written() {
        let (known, keys) = (KnownLevels::default(), [level(0).key]);
        known.put([level(1)]);
        let promise = known.expect(&keys, vec![level(2)]);
        let mut remembered = known.all(&keys).unwrap();
        assert_eq!(remembered.levels[0].version, 2);
        assert!(futures::poll!(std::pin::pin!(remembered.come_true())).is_pending());
        promise.keep();
        assert!(remembered.come_true().await);
        assert!(known.all(&keys).unwrap().after.is_empty());
    }

    #[tokio::test]
    async fn what_was_not_written_is_forgotten_by_all() {
        let (known, keys) = (KnownLevels::default(), [level(0).key]);
        let promise = known.expect(&keys, vec![level(2)]);
        let mut remembered = known.all(&keys).unwrap();
        drop(promise);
        assert!(!remembered.come_true().await);
        assert_eq!(version(&known), None);
    }

    #[test]
    fn an_older_version_is_not_remembered() {
        let known = KnownLevels::default();
        known.put([level(3)]);
        known.put([level(2)]);
        assert_eq!(version(&known), Some(3));
    }
}
