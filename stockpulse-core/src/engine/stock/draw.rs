//! Drawing units from levels for one request, without changing them yet.

use std::sync::Arc;

use smallvec::SmallVec;

use super::command::{Reserve, ReserveLine};
use super::decide::Work;
use super::outcome::Refusal;
use super::sourcing::{Candidate, SourcingStrategy, rank_fewest_splits};
use crate::engine::Engine;
use crate::model::{Component, Kit, LocationId, Policy, Quantity, Reservation, Sku, Strategy};

/// Units taken from one level, of them some backordered.
#[derive(Clone, Debug)]
pub(super) struct Draw {
    pub(super) row: usize,
    pub(super) quantity: Quantity,
    pub(super) backordered: Quantity,
}

/// One SKU that a line needs, how many for each unit of the line (itself once, or a kit's components), and where it
/// can be had.
pub(super) struct Part<'a> {
    sku: &'a Sku,
    each: Quantity,
    candidates: Candidates,
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

impl<'a> Draws<'a> {
    pub(super) fn new(work: &mut Work<'_>, request: &'a Reserve, replaced: Option<&'a Reservation>) -> Self {
        let epoch = work.set.next_epoch();
        Self { request, replaced, custom: None, only: None, epoch, taken: SmallVec::new() }
    }

    /// Finds what the request's sourcing strategy needs; to be called once, before anything is drawn.
    pub(super) fn source(&mut self, engine: &Engine, work: &Work<'_>) -> Result<(), Refusal> {
        match &self.request.sourcing.strategy {
            Strategy::Priority => {}
            Strategy::SingleSource | Strategy::FewestSplits => self.only = self.single_source(work)?,
            Strategy::Custom(name) => {
                let strategy = engine.sourcing(name);
                self.custom = Some(strategy.ok_or_else(|| Refusal::UnknownStrategy(name.clone()))?);
            }
        }
        Ok(())
    }

    /// What was drawn, one entry per level.
    pub(super) fn taken(&self) -> &[Draw] {
        &self.taken
    }

    /// What a line needs that is no kit.
    pub(super) fn itself(&self, work: &Work<'_>, line: &'a ReserveLine) -> Result<Part<'a>, Refusal> {
        Ok(Part { sku: &line.sku, each: Quantity::ONE, candidates: self.candidates(work, line, &line.sku)? })
    }

    /// What a line needs that is a kit.
    pub(super) fn components(
        &self,
        work: &Work<'_>,
        line: &ReserveLine,
        kit: &'a Kit,
    ) -> Result<Vec<Part<'a>>, Refusal> {
        check_countable(kit, line)?;
        let part = |component: &'a Component| {
            let candidates = self.candidates(work, line, &component.sku)?;
            Ok(Part { sku: &component.sku, each: component.quantity, candidates })
        };
        kit.components.iter().map(part).collect()
    }

    /// Units of a line that could still be drawn, by the policy.
    pub(super) fn sellable(&self, work: &Work<'_>, parts: &[Part<'_>], policy: Policy) -> Quantity {
        let mut units = Quantity::MAX;
        for part in parts {
            let mut supply = 0_i64;
            for candidate in &part.candidates {
                let mut here = candidate.available.get();
                if policy == Policy::Backorder {
                    here = (here + self.backorderable(work, candidate.row).get()).min(self.room(work, candidate.row));
                }
                supply = supply.saturating_add(here);
            }
            units = units.min(Quantity::saturating_from(supply / part.each.get()));
        }
        units
    }

    /// Draws `units` of a line and answers how many of them wait for stock. What the candidates' stock cannot
    /// give is backordered: [`Draws::sellable`] has said that it can be.
    pub(super) fn draw(&mut self, work: &mut Work<'_>, parts: &mut [Part<'_>], units: Quantity) -> Quantity {
        let mut waiting_units = 0;
        for part in parts {
            let mut missing = units.get() * part.each.get();
            self.rank(work, part.sku, Quantity::saturating_from(missing), &mut part.candidates);
            for candidate in &part.candidates {
                let quantity = missing.min(candidate.available.get());
                missing -= quantity;
                self.take(work, candidate.row, quantity, 0);
            }
            if missing == 0 {
                continue;
            }
            let waiting = missing;
            for candidate in &part.candidates {
                let quantity = missing.min(self.backorderable(work, candidate.row).get());
                missing -= quantity;
                self.take(work, candidate.row, quantity, quantity);
            }
            let each = part.each.get();
            waiting_units = waiting_units.max(waiting / each + i64::from(waiting % each != 0));
        }
        Quantity::saturating_from(waiting_units)
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
    fn candidates(&self, work: &Work<'_>, line: &ReserveLine, sku: &Sku) -> Result<Candidates, Refusal> {
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
            let Some(row) = work.set.find_at(sku, location) else { continue };
            if candidates.iter().any(|earlier| earlier.row == row) {
                continue;
            }
            if work.level(row).retired {
                retired = true;
                continue;
            }
            let available = self.available(work, row);
            candidates.push(Candidate { location: location.clone(), available, used: false, row });
        }
        match (candidates.is_empty(), retired) {
            (false, _) => Ok(candidates),
            (true, true) => Err(Refusal::RetiredSku(sku.clone())),
            (true, false) => Err(Refusal::UnknownSku(sku.clone())),
        }
    }

    fn rank(&self, work: &Work<'_>, sku: &Sku, quantity: Quantity, candidates: &mut Candidates) {
        if candidates.len() < 2 {
            return;
        }
        for candidate in candidates.iter_mut() {
            candidate.used = self.taken.iter().any(|draw| work.level(draw.row).key.location == candidate.location);
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
    fn single_source(&self, work: &Work<'_>) -> Result<Option<LocationId>, Refusal> {
        'locations: for location in &self.request.sourcing.locations {
            let mut needed: Vec<(usize, i64)> = Vec::new();
            for line in self.request.lines.iter().filter(|line| line.location.as_ref().is_none_or(|at| at == location))
            {
                let itself = [Component { sku: line.sku.clone(), quantity: Quantity::ONE }];
                let components = match self.request.kit(&line.sku) {
                    None => itself.as_slice(),
                    Some(kit) => {
                        check_countable(kit, line)?;
                        &kit.components
                    }
                };
                for component in components {
                    let row = work.set.find_at(&component.sku, location);
                    let row = row.filter(|row| !work.level(*row).retired);
                    let Some(row) = row else { continue 'locations };
                    needed.push((row, line.quantity.get() * component.quantity.get()));
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

/// Whether all components of a line's kits can be counted.
fn check_countable(kit: &Kit, line: &ReserveLine) -> Result<(), Refusal> {
    match kit.components.iter().find(|component| line.quantity.checked_mul(component.quantity).is_none()) {
        None => Ok(()),
        Some(component) => Err(Refusal::Invalid(format!("{}: more {} than can be counted", kit.sku, component.sku))),
    }
}
