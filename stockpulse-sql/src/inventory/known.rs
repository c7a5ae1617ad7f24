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
    /// The batch that was begun on it last.
    batch: Option<Progress>,
}

/// How far a batch is. Its sender goes when nothing came of it.
type Progress = watch::Receiver<Stage>;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Begun,
    /// What is remembered is what it will make of the levels.
    Decided,
    Written,
}

/// A batch on its way, and what it is decided on. Dropped before it was written, its levels are forgotten.
#[derive(Debug)]
pub(super) struct Attempt<'a> {
    pub(super) levels: Vec<StockLevel>,
    /// The batches that have to be written before this one is.
    after: Vec<Progress>,
    known: &'a KnownLevels,
    keys: &'a [StockKey],
    stage: watch::Sender<Stage>,
}

impl KnownLevels {
    fn lock(&self) -> MutexGuard<'_, HashMap<StockKey, Known>> {
        self.levels.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a batch on these levels; `None` if one is not remembered. Waits while others are being decided on one of
    /// them.
    pub(super) async fn begin<'a>(&'a self, keys: &'a [StockKey]) -> Option<Attempt<'a>> {
        loop {
            match self.try_begin(keys)? {
                Ok(attempt) => return Some(attempt),
                // Or nothing came of it, and the levels are forgotten.
                Err(mut other) => drop(other.wait_for(|stage| *stage > Stage::Begun).await),
            }
        }
    }

    /// The error is a batch to wait for.
    fn try_begin<'a>(&'a self, keys: &'a [StockKey]) -> Option<Result<Attempt<'a>, Progress>> {
        let (mut levels, mut after) = (Vec::with_capacity(keys.len()), Vec::<Progress>::new());
        let mut known = self.lock();
        for key in keys {
            let Known { level, batch } = known.get(key)?;
            levels.push(level.clone());
            let is_listed = |batch: &&Progress| after.last().is_some_and(|last| last.same_channel(batch));
            if let Some(batch) = batch.as_ref().filter(|batch| !is_listed(batch)) {
                match *batch.borrow() {
                    Stage::Begun => return Some(Err(batch.clone())),
                    Stage::Decided => after.push(batch.clone()),
                    Stage::Written => {}
                }
            }
        }
        let (stage, batch) = watch::channel(Stage::Begun);
        for key in keys {
            if let Some(known) = known.get_mut(key) {
                known.batch = Some(batch.clone());
            }
        }
        Some(Ok(Attempt { levels, after, known: self, keys, stage }))
    }

    /// Remembers committed levels, unless a later version is known.
    pub(crate) fn put(&self, levels: impl IntoIterator<Item = StockLevel>) {
        let mut known = self.lock();
        for level in levels {
            if known.len() >= REMEMBERED && !known.contains_key(&level.key) {
                known.clear();
            }
            if known.get(&level.key).is_none_or(|before| before.level.version <= level.version) {
                known.insert(level.key.clone(), Known { level, batch: None });
            }
        }
    }
}

impl Attempt<'_> {
    /// What it makes of the levels, in their order; whoever comes next may decide on that.
    pub(super) fn decided(&self, levels: Vec<StockLevel>) {
        let mut known = self.known.lock();
        for level in levels {
            if let Some(known) = known.get_mut(&level.key) {
                known.level = level;
            }
        }
        drop(known);
        self.stage.send_replace(Stage::Decided);
    }

    /// Waits for the batches that it was decided upon. Answers whether they were written.
    pub(super) async fn may_be_written(&mut self) -> bool {
        for other in &mut self.after {
            if other.wait_for(|stage| *stage == Stage::Written).await.is_err() {
                return false;
            }
        }
        true
    }

    /// It was written.
    pub(super) fn written(self) {
        self.stage.send_replace(Stage::Written);
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if *self.stage.borrow() != Stage::Written {
            let mut known = self.known.lock();
            for key in self.keys {
                known.remove(key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures::poll;
    use stockpulse_core::model::Sku;

    use super::*;

    fn level(version: u64) -> StockLevel {
        StockLevel { version, ..StockLevel::new(StockKey::main(Sku::new("A").unwrap())) }
    }

    fn known() -> (KnownLevels, [StockKey; 1]) {
        let known = KnownLevels::default();
        known.put([level(1)]);
        (known, [level(1).key])
    }

    #[tokio::test]
    async fn the_next_is_decided_upon_what_the_first_makes_and_written_after_it() {
        let (known, keys) = known();
        let first = known.begin(&keys).await.unwrap();
        let mut next = pin!(known.begin(&keys));
        assert!(poll!(&mut next).is_pending(), "nobody knows yet what the first makes");
        first.decided(vec![level(2)]);
        let mut next = next.await.unwrap();
        assert_eq!(next.levels[0].version, 2);
        assert!(poll!(pin!(next.may_be_written())).is_pending());
        first.written();
        assert!(next.may_be_written().await);
        next.decided(vec![level(3)]);
        next.written();
        let mut last = known.begin(&keys).await.unwrap();
        assert_eq!(last.levels[0].version, 3);
        assert!(last.may_be_written().await);
    }

    #[tokio::test]
    async fn what_was_not_written_is_forgotten_and_nothing_is_built_upon_it() {
        let (known, keys) = known();
        let first = known.begin(&keys).await.unwrap();
        first.decided(vec![level(2)]);
        let mut next = known.begin(&keys).await.unwrap();
        drop(first);
        assert!(!next.may_be_written().await);
        assert!(known.begin(&keys).await.is_none());
    }

    #[tokio::test]
    async fn who_waits_for_a_decision_that_never_comes_finds_nothing() {
        let (known, keys) = known();
        let first = known.begin(&keys).await.unwrap();
        let mut next = pin!(known.begin(&keys));
        assert!(poll!(&mut next).is_pending());
        drop(first);
        assert!(next.await.is_none());
    }

    #[tokio::test]
    async fn an_older_version_is_not_remembered() {
        let (known, keys) = known();
        known.put([level(3)]);
        known.put([level(2)]);
        assert_eq!(known.begin(&keys).await.unwrap().levels[0].version, 3);
    }
}
