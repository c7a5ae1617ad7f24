//! The admission gate in memory.

#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use foldhash::fast::RandomState;

use crate::error::Result;
use crate::model::{ReservationId, StockKey, Timestamp};
use crate::port::{Admission, AdmissionGate, AdmitRequest, Clock, GateLevel};

type Map<K, V> = HashMap<K, V, RandomState>;

/// An admission gate in memory. Clones share it.
///
/// What is free of a level is the database's `sellable`, as last reconciled, less what is *held* (let through,
/// answer unknown) and less what was *sold* since (granted by the database, not seen in a reconciliation yet).
///
/// # How it meets the database
/// The gate never learns at which version of a level the database granted a hold. It relies on one fact: a grant
/// happens after its admission, so a level that was not reconciled since the admission cannot contain it.
///
/// - **Reconciled** to a newer version, a level forgets what was sold, for the database's figure has it; or will have
///   it soon, if that was read just before the grant: the grant makes a version of its own. Until then the gate lets
///   too many through, and the database refuses them.
/// - **Held** units stay subtracted over a reconciliation, whether or not it contains them. Until they are settled
///   the gate may refuse too many.
/// - **Settled** after a reconciliation, a hold simply ends: were it subtracted until the next one, and none came,
///   these units could never be sold. Settled before any, its units become sold.
/// - **Released**, a hold gives its units back. One that was settled does so only if they still count as sold:
///   otherwise the database's own version that gives them back does.
/// - **Expired**, a hold gives its units back too, settled or not; a grant that was not heard of is in the next
///   reconciliation. A command that is asked again gets its first answer, and so a claim may be settled that ended long
///   ago or that the level's version has already: without an end it would count until the level next changes.
///
/// So it errs on either side while calls are under way, and once every grant was settled or ran out and the level's
/// latest version was reconciled, what is free is exactly what the database says.
///
/// A reservation that was let through is remembered until its time to live has passed, settled or not: asked again,
/// it is let through and takes no second place. A refusal takes no place and is not remembered.
#[derive(Clone, Debug)]
pub struct MemoryGate {
    clock: Arc<dyn Clock>,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    levels: Map<StockKey, Level>,
    holds: Map<ReservationId, Hold>,
    by_end: BTreeSet<(Timestamp, ReservationId)>,
}

#[derive(Debug, Default)]
struct Level {
    /// As last reconciled.
    sellable: i64,
    version: u64,
    held: i64,
    sold: i64,
}

impl Level {
    const fn free(&self) -> i64 {
        self.sellable - self.held - self.sold
    }
}

#[derive(Debug)]
struct Hold {
    lines: Vec<Line>,
    until: Timestamp,
    settled: bool,
}

#[derive(Debug)]
struct Line {
    key: StockKey,
    units: i64,
    /// The level's version when it was let through.
    version: u64,
}

impl MemoryGate {
    /// A gate that knows no level yet, whose holds end by this clock.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, state: Arc::default() }
    }

    /// What it would let through of a level; below zero when more is held than the database has. `None` for one that
    /// it does not know.
    #[must_use]
    pub fn free(&self, key: &StockKey) -> Option<i64> {
        self.current().levels.get(key).map(Level::free)
    }

    /// The state as it is now, without what has run out. Every change is complete before the lock is given back, so a
    /// poisoned one holds no halves.
    fn current(&self) -> MutexGuard<'_, State> {
        let now = self.clock.now();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.expire(now);
        state
    }
}

#[async_trait]
impl AdmissionGate for MemoryGate {
    async fn admit(&self, batch: &[AdmitRequest]) -> Result<Vec<Admission>> {
        let now = self.clock.now();
        let mut state = self.current();
        Ok(batch.iter().map(|request| state.admit(request, now)).collect())
    }

    async fn settle(&self, reservations: &[ReservationId]) -> Result<()> {
        let mut state = self.current();
        for reservation in reservations {
            state.settle(*reservation);
        }
        Ok(())
    }

    async fn release(&self, reservations: &[ReservationId]) -> Result<()> {
        let mut state = self.current();
        for reservation in reservations {
            if let Some(hold) = state.holds.remove(reservation) {
                state.by_end.remove(&(hold.until, *reservation));
                state.give_back(&hold);
            }
        }
        Ok(())
    }

    async fn reconcile(&self, levels: &[GateLevel]) -> Result<()> {
        let mut state = self.current();
        for GateLevel { key, sellable, version } in levels {
            match state.levels.get_mut(key) {
                // The same version is the same figure, and what was sold since is in a later one.
                Some(level) if *version <= level.version => {}
                Some(level) => {
                    level.sellable = sellable.get();
                    level.version = *version;
                    level.sold = 0;
                }
                None => {
                    let level = Level { sellable: sellable.get(), version: *version, ..Level::default() };
                    state.levels.insert(key.clone(), level);
                }
            }
        }
        Ok(())
    }
}

impl State {
    fn admit(&mut self, request: &AdmitRequest, now: Timestamp) -> Admission {
        if self.holds.contains_key(&request.reservation) {
            return Admission::Admitted;
        }
        let mut lines: Vec<Line> = Vec::with_capacity(request.lines.len());
        for line in &request.lines {
            let Some(level) = self.levels.get(&line.key) else { return Admission::Unknown };
            let units = line.quantity.get();
            // A level is named once, but one that is named twice must not be sold twice.
            match lines.iter_mut().find(|known| known.key == line.key) {
                Some(known) => known.units = known.units.saturating_add(units),
                None => lines.push(Line { key: line.key.clone(), units, version: level.version }),
            }
        }
        let short = |line: &&Line| self.levels.get(&line.key).is_none_or(|level| level.free() < line.units);
        if let Some(line) = lines.iter().filter(|line| line.units > 0).find(short) {
            return Admission::Refused(line.key.clone());
        }
        for line in &lines {
            if let Some(level) = self.levels.get_mut(&line.key) {
                level.held += line.units;
            }
        }
        let until = now.plus(request.ttl);
        self.by_end.insert((until, request.reservation));
        self.holds.insert(request.reservation, Hold { lines, until, settled: false });
        Admission::Admitted
    }

    fn settle(&mut self, reservation: ReservationId) {
        let Some(hold) = self.holds.get_mut(&reservation) else { return };
        if hold.settled {
            return;
        }
        hold.settled = true;
        for line in &hold.lines {
            if let Some(level) = self.levels.get_mut(&line.key) {
                level.held -= line.units;
                if level.version == line.version {
                    level.sold += line.units;
                }
            }
        }
    }

    fn give_back(&mut self, hold: &Hold) {
        for line in &hold.lines {
            let Some(level) = self.levels.get_mut(&line.key) else { continue };
            if !hold.settled {
                level.held -= line.units;
            } else if level.version == line.version {
                level.sold -= line.units;
            }
        }
    }

    /// Ends holds whose time has come. What was settled and is in no version of its level by then was perhaps granted
    /// long ago, and the command only asked again: it would count as sold for as long as the level does not change.
    fn expire(&mut self, now: Timestamp) {
        while let Some((until, reservation)) = self.by_end.first().copied() {
            if until > now {
                return;
            }
            self.by_end.pop_first();
            if let Some(hold) = self.holds.remove(&reservation) {
                self.give_back(&hold);
            }
        }
    }
}
