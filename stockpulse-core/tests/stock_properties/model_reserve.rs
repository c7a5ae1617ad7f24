//! The model's reservations: made, and what becomes of them.

use std::collections::BTreeMap;

use stockpulse_core::engine::stock::{Existing, Hold, Parts, Refusal, Reserve, ReserveLine};
use stockpulse_core::model::{
    LocationId, Policy, Quantity, ReservationId, ReservationState, Shortage, Sku, StockKey, Strategy, Timestamp,
};

use crate::model::{Answer, Claim, Line, Model, Ruling, components, ends};

/// More than any history asks for.
const PLENTY: i64 = 1_000_000;

/// A reservation in the making, the one it replaces taken out of the model.
struct Making<'a> {
    model: &'a Model,
    request: &'a Reserve,
    /// Of the replaced one, by level: units that were covered, and units that waited.
    own: BTreeMap<StockKey, (i64, i64)>,
    /// What is taken: the level, units from stock, units that wait.
    taken: Vec<(StockKey, i64, i64)>,
    only: Option<LocationId>,
}

impl Making<'_> {
    fn taken_at(&self, key: &StockKey) -> (i64, i64) {
        self.taken.iter().find(|(at, ..)| at == key).map_or((0, 0), |(_, stock, waiting)| (*stock, *waiting))
    }

    /// Units that can be had from a level's stock. What the replaced one had covered, it may keep.
    fn in_stock(&self, key: &StockKey) -> i64 {
        let shelf = &self.model.shelves[key];
        if !shelf.tracked {
            return PLENTY;
        }
        let free = shelf.on_hand - self.model.reserved(key) - shelf.safety;
        let kept = self.own.get(key).map_or(0, |(covered, _)| *covered);
        (free.max(kept) - self.taken_at(key).0).max(0)
    }

    /// Units that may wait at a level. As many as waited for the replaced one always may.
    fn may_wait(&self, key: &StockKey) -> i64 {
        let limit = self.model.shelves[key].limit;
        if limit == Quantity::MAX {
            return PLENTY;
        }
        let kept = self.own.get(key).map_or(0, |(_, waited)| *waited);
        ((limit.get() - self.model.backordered(key)).max(kept) - self.taken_at(key).1).max(0)
    }

    fn sold_at(&self, key: &StockKey) -> bool {
        self.model.shelves.get(key).is_some_and(|shelf| !shelf.retired)
    }

    fn named(&self) -> Vec<LocationId> {
        let mut named = Vec::new();
        for location in &self.request.sourcing.locations {
            if !named.contains(location) {
                named.push(location.clone());
            }
        }
        named
    }

    /// The levels that may serve a SKU of a line, by priority.
    fn levels(&self, line: &ReserveLine, sku: &Sku) -> Result<Vec<StockKey>, Refusal> {
        let locations = match (&line.location, &self.only) {
            (Some(pinned), _) => vec![pinned.clone()],
            (None, Some(only)) => vec![only.clone()],
            (None, None) if self.request.sourcing.locations.is_empty() => vec![LocationId::main()],
            (None, None) => self.named(),
        };
        let keys: Vec<_> = locations.into_iter().map(|location| StockKey::new(sku.clone(), location)).collect();
        let sold: Vec<_> = keys.iter().filter(|key| self.sold_at(key)).cloned().collect();
        match (sold.is_empty(), keys.iter().any(|key| self.model.shelves.contains_key(key))) {
            (false, _) => Ok(sold),
            (true, true) => Err(Refusal::RetiredSku(sku.clone())),
            (true, false) => Err(Refusal::UnknownSku(sku.clone())),
        }
    }

    /// The first location with everything in stock for the lines that it would serve.
    fn one_for_all(&self) -> Option<LocationId> {
        self.named().into_iter().find(|location| {
            let mut needed: BTreeMap<StockKey, i64> = BTreeMap::new();
            for line in &self.request.lines {
                if line.location.as_ref().is_some_and(|pinned| pinned != location) {
                    continue;
                }
                for (sku, each) in components(&line.sku) {
                    *needed.entry(StockKey::new(sku, location.clone())).or_default() += each * line.quantity.get();
                }
            }
            needed.iter().all(|(key, units)| self.sold_at(key) && self.in_stock(key) >= *units)
        })
    }

    fn sellable(&self, line: &ReserveLine) -> Result<i64, Refusal> {
        let mut sellable = PLENTY;
        for (sku, each) in components(&line.sku) {
            let mut supply = 0;
            for key in self.levels(line, &sku)? {
                supply += self.in_stock(&key);
                if self.request.policy == Policy::Backorder {
                    supply += self.may_wait(&key);
                }
            }
            sellable = sellable.min(supply / each);
        }
        Ok(sellable)
    }

    fn ranked(&self, mut keys: Vec<StockKey>, units: i64) -> Vec<StockKey> {
        match self.request.sourcing.strategy {
            Strategy::Custom(_) => keys.reverse(),
            Strategy::FewestSplits => keys.sort_by_key(|key| {
                let whole = self.in_stock(key) >= units;
                let used = self.taken.iter().any(|(taken, ..)| taken.location == key.location);
                (!whole, !used, if whole { 0 } else { -self.in_stock(key) })
            }),
            Strategy::Priority | Strategy::SingleSource => {}
        }
        keys
    }

    /// Takes one unit at a time, from stock while there is any; answers how many of the line wait.
    fn take(&mut self, line: &ReserveLine, units: i64) -> Result<i64, Refusal> {
        let mut most = 0;
        for (sku, each) in components(&line.sku) {
            let keys = self.ranked(self.levels(line, &sku)?, units * each);
            let mut waiting = 0;
            for _ in 0..units * each {
                if let Some(key) = keys.iter().find(|key| self.in_stock(key) > 0) {
                    self.entry(key).1 += 1;
                } else {
                    let key = keys.iter().find(|key| self.may_wait(key) > 0).unwrap();
                    self.entry(key).2 += 1;
                    waiting += 1;
                }
            }
            most = most.max((waiting + each - 1) / each);
        }
        Ok(most)
    }

    fn entry(&mut self, key: &StockKey) -> &mut (StockKey, i64, i64) {
        let place = self.taken.iter().position(|(at, ..)| at == key).unwrap_or_else(|| {
            self.taken.push((key.clone(), 0, 0));
            self.taken.len() - 1
        });
        &mut self.taken[place]
    }
}

impl Model {
    pub(crate) fn reserve(&mut self, at: Timestamp, request: &Reserve) -> Ruling {
        let id = request.reservation;
        let old = self.claims.get(&id).cloned();
        if let Some(old) = &old {
            let unused = !matches!(old.state, ReservationState::Allocated | ReservationState::Fulfilled);
            if request.existing == Existing::Refuse || !unused {
                return Err(Refusal::ReservationExists(old.state));
            }
        }
        let expires_at = ends(at, request.hold)?;
        if let Strategy::Custom(name) = &request.sourcing.strategy
            && name != "reversed"
        {
            return Err(Refusal::UnknownStrategy(name.clone()));
        }
        let mut own = BTreeMap::new();
        for line in old.iter().flat_map(|old| &old.lines) {
            let waited = self.waits(id, &line.key);
            own.insert(line.key.clone(), (line.open() - waited, waited));
        }
        self.claims.remove(&id);
        self.waiting.retain(|(_, who, _)| *who != id);
        let mut making = Making { model: self, request, own, taken: Vec::new(), only: None };
        if matches!(request.sourcing.strategy, Strategy::SingleSource | Strategy::FewestSplits) {
            making.only = making.one_for_all();
        }
        let (mut lines, mut short) = (Vec::new(), Vec::new());
        for line in &request.lines {
            let (asked, sellable) = (line.quantity.get(), making.sellable(line)?);
            let granted = if request.policy == Policy::Partial { asked.min(sellable) } else { asked };
            if sellable < asked {
                let sellable = Quantity::new(sellable).unwrap();
                short.push(Shortage { sku: line.sku.clone(), requested: line.quantity, sellable });
            }
            if granted <= sellable {
                let waiting = making.take(line, granted)?;
                lines.push((line.sku.clone(), asked, granted, waiting));
            }
        }
        if making.taken.is_empty() || (!short.is_empty() && request.policy != Policy::Partial) {
            return Err(Refusal::Short(short));
        }
        let taken = making.taken;
        let line = |key: &StockKey, units| Line { key: key.clone(), asked: units, shipped: 0, back: 0 };
        let claimed = taken.iter().map(|(key, stock, waiting)| line(key, stock + waiting)).collect();
        let version = old.as_ref().map_or(1, |old| old.version + 1);
        self.claims.insert(id, Claim { state: ReservationState::Held, lines: claimed, expires_at, version });
        self.waiting
            .extend(taken.into_iter().filter(|(.., waiting)| *waiting > 0).map(|(key, _, units)| (key, id, units)));
        for line in old.iter().flat_map(|old| &old.lines) {
            self.fill(&line.key);
        }
        Ok(Answer::Reserved { lines, expires_at })
    }

    fn known(&mut self, id: ReservationId) -> Result<&mut Claim, Refusal> {
        self.claims.get_mut(&id).ok_or(Refusal::UnknownReservation(id))
    }

    pub(crate) fn live(&mut self, id: ReservationId) -> Result<&mut Claim, Refusal> {
        let claim = self.known(id)?;
        if claim.state.is_live() { Ok(claim) } else { Err(Refusal::WrongState(claim.state)) }
    }

    pub(crate) fn extend(&mut self, at: Timestamp, id: ReservationId, hold: Hold) -> Ruling {
        let claim = self.live(id)?;
        if claim.state == ReservationState::Allocated {
            return Ok(Answer::Extended(None));
        }
        let end = ends(at, hold)?;
        let later = claim.expires_at.and_then(|now| end.map(|end| end.max(now)));
        if later != claim.expires_at {
            (claim.expires_at, claim.version) = (later, claim.version + 1);
        }
        Ok(Answer::Extended(later))
    }

    /// Units of each line that `parts` means, of those that `can` leave.
    fn choose(lines: &[Line], can: Vec<i64>, parts: &Parts) -> Result<Vec<i64>, Refusal> {
        let wanted: Vec<(Sku, Option<StockKey>, i64)> = match parts {
            Parts::All => return Ok(can),
            Parts::Levels(named) => {
                named.iter().map(|one| (one.key.sku.clone(), Some(one.key.clone()), one.quantity.get())).collect()
            }
            Parts::Skus(named) => named
                .iter()
                .flat_map(|one| {
                    components(&one.sku).into_iter().map(|(sku, each)| (sku, None, each * one.quantity.get()))
                })
                .collect(),
        };
        let mut left = can.clone();
        for (sku, key, units) in wanted {
            for got in 0..units {
                let fits = |line: &Line| line.key.sku == sku && key.as_ref().is_none_or(|key| *key == line.key);
                let Some(place) = (0..lines.len()).find(|place| fits(&lines[*place]) && left[*place] > 0) else {
                    let (requested, open) = (Quantity::new(units).unwrap(), Quantity::new(got).unwrap());
                    return Err(Refusal::NotClaimed { sku, requested, open });
                };
                left[place] -= 1;
            }
        }
        Ok(can.iter().zip(left).map(|(can, left)| can - left).collect())
    }

    pub(crate) fn fulfil(&mut self, id: ReservationId, parts: &Parts) -> Ruling {
        let claim = self.known(id)?.clone();
        if claim.state != ReservationState::Allocated {
            return Err(Refusal::WrongState(claim.state));
        }
        let ready = claim.lines.iter().map(|line| line.open() - self.waits(id, &line.key)).collect();
        let chosen = Self::choose(&claim.lines, ready, parts)?;
        let lines = self.end(id, &chosen, ReservationState::Released, true);
        Ok(Answer::Fulfilled { lines, state: self.claims[&id].state })
    }

    pub(crate) fn release(&mut self, id: ReservationId, parts: &Parts, tombstone: bool) -> Ruling {
        let Some(claim) = self.claims.get(&id).cloned() else {
            if !tombstone {
                return Err(Refusal::UnknownReservation(id));
            }
            let state = ReservationState::Released;
            self.claims.insert(id, Claim { state, lines: Vec::new(), expires_at: None, version: 1 });
            return Ok(Answer::Released { lines: Vec::new(), state });
        };
        if !claim.state.is_live() {
            return Ok(Answer::Released { lines: Vec::new(), state: claim.state });
        }
        let chosen = Self::choose(&claim.lines, claim.lines.iter().map(Line::open).collect(), parts)?;
        let lines = self.end(id, &chosen, ReservationState::Released, false);
        Ok(Answer::Released { lines, state: self.claims[&id].state })
    }

    pub(crate) fn expire(&mut self, at: Timestamp, id: ReservationId) -> Ruling {
        let claim = self.known(id)?.clone();
        if claim.state != ReservationState::Held {
            return Ok(Answer::Expired { lines: Vec::new(), state: claim.state });
        }
        match claim.expires_at {
            None => return Err(Refusal::WrongState(claim.state)),
            Some(end) if end > at => return Err(Refusal::HoldLasts(end)),
            Some(_) => {}
        }
        let all: Vec<_> = claim.lines.iter().map(Line::open).collect();
        let lines = self.end(id, &all, ReservationState::Expired, false);
        Ok(Answer::Expired { lines, state: self.claims[&id].state })
    }

    /// Ends these units of each line: shipped, or given back, those that wait first.
    fn end(&mut self, id: ReservationId, units: &[i64], end: ReservationState, ship: bool) -> Vec<(StockKey, i64)> {
        let mut claim = self.claims[&id].clone();
        let mut ended = Vec::new();
        for (line, units) in claim.lines.iter_mut().zip(units).filter(|(_, units)| **units > 0) {
            ended.push((line.key.clone(), *units));
            if ship {
                line.shipped += units;
                let shelf = self.shelves.get_mut(&line.key).unwrap();
                shelf.on_hand -= if shelf.tracked { *units } else { 0 };
            } else {
                line.back += units;
                let mut left = *units;
                for (_, _, waiting) in self.waiting.iter_mut().filter(|(at, who, _)| *at == line.key && *who == id) {
                    let fewer = left.min(*waiting);
                    (*waiting, left) = (*waiting - fewer, left - fewer);
                }
                self.waiting.retain(|(.., waiting)| *waiting > 0);
            }
        }
        if ended.is_empty() {
            return ended;
        }
        claim.version += 1;
        if claim.lines.iter().all(|line| line.open() == 0) {
            let shipped = claim.lines.iter().any(|line| line.shipped > 0);
            (claim.state, claim.expires_at) = (if shipped { ReservationState::Fulfilled } else { end }, None);
        }
        self.claims.insert(id, claim);
        for (key, _) in &ended {
            self.fill(key);
        }
        ended
    }
}
