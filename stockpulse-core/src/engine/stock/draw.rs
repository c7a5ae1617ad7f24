//! Drawing units from levels for one request, without changing them yet.

use std::sync::Arc;

use smallvec::SmallVec;

use super::command::{Reserve, ReserveLine};
use super::decide::Work;
use super::outcome::Refusal;
use super::sourcing::{Candidate, SourcingStrategy, rank_fewest_splits};
use crate::engine::Engine;
use crate::model::{LocationId, Policy, Quantity, Reservation, Sku, StockKey, Strategy};

/// Units taken from one level, of them some backordered.
#[derive(Clone, Debug)]
pub(super) struct Draw {
    pub(super) row: usize,
    pub(super) quantity: Quantity,
    pub(super) backordered: Quantity,
}

/// One SKU that a line needs, and how many for each unit of the line: itself once, or a kit's components.
pub(super) struct Part<'a> {
    sku: &'a Sku,
    each: Quantity,
}

/// What a request has drawn so far. A level occurs once; its row remembers where.
pub(super) struct Draws<'a> {
    request: &'a Reserve,
    replaced: Option<&'a Reservation>,
    custom: Option<Arc<dyn SourcingStrategy>>,
    only: Option<LocationId>,
    epoch: u64,
    taken: SmallVec<[Draw; 2]>,
}

type Candidates = SmallVec<[Candidate; 2]>;
type Parts<'a> = SmallVec<[Part<'a>; 1]>;

impl<'a> Draws<'a> {
    pub(super) fn new(
        engine: &Engine,
        work: &mut Work<'_>,
        request: &'a Reserve,
        replaced: Option<&'a Reservation>,
    ) -> Result<Self, Refusal> {
        let custom = match &request.sourcing.strategy {
            Strategy::Custom(name) => {
                Some(engine.sourcing(name).ok_or_else(|| Refusal::UnknownStrategy(name.clone()))?)
            }
            _ => None,
        };
        let epoch = work.set.next_epoch();
        let mut draws = Self { request, replaced, custom, only: None, epoch, taken: SmallVec::new() };
        if matches!(request.sourcing.strategy, Strategy::SingleSource | Strategy::FewestSplits) {
            draws.only = draws.single_source(work)?;
        }
        Ok(draws)
    }

    /// What was drawn, one entry per level.
    pub(super) fn finish(self) -> SmallVec<[Draw; 2]> {
        self.taken
    }

    /// The SKUs that a line needs.
    pub(super) fn parts_of(&self, line: &'a ReserveLine) -> Result<Parts<'a>, Refusal> {
        let Some(kit) = self.request.kit(&line.sku) else {
            return Ok(SmallVec::from_iter([Part { sku: &line.sku, each: Quantity::ONE }]));
        };
        for component in &kit.components {
            if line.quantity.checked_mul(component.quantity).is_none() {
                return Err(Refusal::Invalid(format!("{}: more {} than can be counted", kit.sku, component.sku)));
            }
        }
        Ok(kit.components.iter().map(|part| Part { sku: &part.sku, each: part.quantity }).collect())
    }

    /// Units of a line that could still be drawn, by the policy.
    pub(super) fn sellable(
        &self,
        work: &Work<'_>,
        line: &ReserveLine,
        parts: &[Part<'_>],
        policy: Policy,
    ) -> Result<Quantity, Refusal> {
        let mut units = Quantity::MAX;
        for part in parts {
            let mut supply = 0_i64;
            for candidate in self.candidates(work, line, part)? {
                let mut here = candidate.available.get();
                if policy == Policy::Backorder {
                    here = (here + self.backorderable(work, candidate.row).get()).min(self.room(work, candidate.row));
                }
                supply = supply.saturating_add(here);
            }
            units = units.min(Quantity::saturating_from(supply / part.each.get()));
        }
        Ok(units)
    }

    /// Draws `units` of a line and answers how many of them wait for stock. What the candidates' stock cannot
    /// give is backordered: [`Draws::sellable`] has said that it can be.
    pub(super) fn draw(
        &mut self,
        work: &mut Work<'_>,
        line: &ReserveLine,
        parts: &[Part<'_>],
        units: Quantity,
    ) -> Result<Quantity, Refusal> {
        let mut waiting_units = 0;
        for part in parts {
            let mut missing = units.get() * part.each.get();
            let mut candidates = self.candidates(work, line, part)?;
            self.rank(part.sku, Quantity::saturating_from(missing), &mut candidates);
            for candidate in &candidates {
                let quantity = missing.min(candidate.available.get());
                missing -= quantity;
                self.take(work, candidate.row, quantity, 0);
            }
            let waiting = missing;
            for candidate in &candidates {
                let quantity = missing.min(self.backorderable(work, candidate.row).get());
                missing -= quantity;
                self.take(work, candidate.row, quantity, quantity);
            }
            let each = part.each.get();
            waiting_units = waiting_units.max(waiting / each + i64::from(waiting % each != 0));
        }
        Ok(Quantity::saturating_from(waiting_units))
    }

    fn take(&mut self, work: &mut Work<'_>, row: usize, quantity: i64, backordered: i64) {
        if quantity == 0 {
            return;
        }
        let slot = work.set.row_mut(row);
        if slot.mark != self.epoch {
            slot.mark = self.epoch;
            slot.draw = self.taken.len();
            self.taken.push(Draw { row, quantity: Quantity::ZERO, backordered: Quantity::ZERO });
        }
        let draw = &mut self.taken[slot.draw];
        draw.quantity = Quantity::saturating_from(draw.quantity.get() + quantity);
        draw.backordered = Quantity::saturating_from(draw.backordered.get() + backordered);
    }

    fn taken_from(&self, work: &Work<'_>, row: usize) -> (i64, i64) {
        let slot = work.set.row(row);
        match self.taken.get(slot.draw).filter(|_| slot.mark == self.epoch) {
            Some(draw) => (draw.quantity.get() - draw.backordered.get(), draw.backordered.get()),
            None => (0, 0),
        }
    }

    /// What the replaced hold claims of a level: open units, and those of them that wait.
    fn own(&self, work: &Work<'_>, row: usize) -> (i64, i64) {
        let Some(old) = self.replaced else { return (0, 0) };
        let key = &work.level(row).key;
        old.lines.iter().find(|line| line.key == *key).map_or((0, 0), |line| {
            let waiting = line.queued_at.map_or(Quantity::ZERO, |position| work.set.waiting(row, position));
            (line.open().get(), waiting.get())
        })
    }

    /// Units that can still be drawn from a level's stock. Of a hold that is replaced, its covered units may be
    /// kept even while others wait, because they never were anybody else's.
    fn available(&self, work: &Work<'_>, row: usize) -> Quantity {
        let level = work.level(row);
        let (own_open, own_waiting) = self.own(work, row);
        if !level.tracked {
            return Quantity::saturating_from(self.room(work, row));
        }
        let free = (level.available() + own_open).max(own_open - own_waiting);
        Quantity::saturating_from(free - self.taken_from(work, row).0)
    }

    /// Units that can still be drawn from a level beyond its stock, now that its stock is drawn.
    fn backorderable(&self, work: &Work<'_>, row: usize) -> Quantity {
        let level = work.level(row);
        let room = self.room(work, row);
        if level.backorder_limit.is_unlimited() {
            return Quantity::saturating_from(room);
        }
        let (_, own_waiting) = self.own(work, row);
        let (_, waiting) = self.taken_from(work, row);
        Quantity::saturating_from((level.backorderable().get() + own_waiting - waiting).min(room))
    }

    /// Units that a level's `reserved` can still count.
    fn room(&self, work: &Work<'_>, row: usize) -> i64 {
        let (own_open, _) = self.own(work, row);
        let (taken, waiting) = self.taken_from(work, row);
        Quantity::MAX.get() - (work.level(row).reserved.get() - own_open) - taken - waiting
    }

    /// The locations that keep a SKU and may serve the line, by priority.
    fn candidates(&self, work: &Work<'_>, line: &ReserveLine, part: &Part<'_>) -> Result<Candidates, Refusal> {
        let main = LocationId::main();
        let locations = match (&line.location, &self.only) {
            (Some(pinned), _) => std::slice::from_ref(pinned),
            (None, Some(only)) => std::slice::from_ref(only),
            (None, None) if self.request.sourcing.locations.is_empty() => std::slice::from_ref(&main),
            (None, None) => self.request.sourcing.locations.as_slice(),
        };
        let mut candidates = Candidates::new();
        let mut retired = false;
        for location in locations {
            let key = StockKey::new(part.sku.clone(), location.clone());
            let Some(row) = work.set.find(&key) else { continue };
            if candidates.iter().any(|earlier| earlier.row == row) {
                continue;
            }
            if work.level(row).retired {
                retired = true;
                continue;
            }
            let available = self.available(work, row);
            let used = self.taken.iter().any(|draw| work.level(draw.row).key.location == *location);
            candidates.push(Candidate { location: key.location, available, used, row });
        }
        match (candidates.is_empty(), retired) {
            (false, _) => Ok(candidates),
            (true, true) => Err(Refusal::RetiredSku(part.sku.clone())),
            (true, false) => Err(Refusal::UnknownSku(part.sku.clone())),
        }
    }

    fn rank(&self, sku: &Sku, quantity: Quantity, candidates: &mut Candidates) {
        if candidates.len() < 2 {
            return;
        }
        match &self.custom {
            Some(strategy) => {
                let mut ranked = candidates.clone();
                strategy.rank(sku, quantity, &mut ranked);
                // Only the order is taken from it: whatever else it wrote into the slice cannot oversell.
                candidates.sort_by_key(|candidate| {
                    ranked.iter().position(|choice| choice.row == candidate.row).unwrap_or(usize::MAX)
                });
            }
            None if self.request.sourcing.strategy == Strategy::FewestSplits => {
                rank_fewest_splits(quantity, candidates);
            }
            None => {}
        }
    }

    /// The first location that can serve every line from its stock, if there is one. Lines that are pinned to it
    /// take their units first, so that the others are not sent where too little is left.
    fn single_source(&mut self, work: &Work<'_>) -> Result<Option<LocationId>, Refusal> {
        'locations: for location in &self.request.sourcing.locations {
            let mut needed: Vec<(usize, i64)> = Vec::new();
            for line in self.request.lines.iter().filter(|line| line.location.as_ref().is_none_or(|at| at == location))
            {
                for part in self.parts_of(line)? {
                    let row = work.set.find(&StockKey::new(part.sku.clone(), location.clone()));
                    let row = row.filter(|row| !work.level(*row).retired);
                    let Some(row) = row else { continue 'locations };
                    needed.push((row, line.quantity.get() * part.each.get()));
                }
            }
            needed.sort_unstable();
            let fits = needed.chunk_by(|one, other| one.0 == other.0).all(|same| {
                let units = same.iter().fold(0_i64, |sum, (_, units)| sum.saturating_add(*units));
                same.first().is_none_or(|(row, _)| units <= self.available(work, *row).get())
            });
            if fits {
                return Ok(Some(location.clone()));
            }
        }
        Ok(None)
    }
}
