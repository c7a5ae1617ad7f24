//! The plain sequential model: what stock is, said once more and as simply as can be. It keeps no counters:
//! `reserved` is looked up in the claims and `backordered` in one list of who waits.

use std::collections::BTreeMap;

use stockpulse_core::engine::stock::{
    Hold, LevelSettings, Parts, Refusal, StockAction, StockCommand, StockOutcome, StockWorkingSet,
};
use stockpulse_core::model::{
    CommandId, Kit, Quantity, ReservationId, ReservationState, Sku, StockKey, StockQuantity, Timestamp,
};

use crate::ask::{MAX_LINES, kits};

/// Units of levels.
type Units = Vec<(StockKey, i64)>;

/// What was decided, comparable.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Answer {
    Moved {
        on_hand: Units,
        filled: Vec<(ReservationId, StockKey, i64)>,
    },
    /// Each line's SKU, units asked, granted, backordered.
    Reserved {
        lines: Vec<(Sku, i64, i64, i64)>,
        expires_at: Option<Timestamp>,
    },
    Extended(Option<Timestamp>),
    Allocated,
    Fulfilled {
        lines: Units,
        state: ReservationState,
    },
    Released {
        lines: Units,
        state: ReservationState,
    },
    Expired {
        lines: Units,
        state: ReservationState,
    },
    Retired,
    /// Texts and versions left out.
    Refused(Refusal),
}

impl Answer {
    pub(crate) fn of(outcome: &StockOutcome) -> Self {
        let units =
            |lines: &[StockQuantity]| lines.iter().map(|line| (line.key.clone(), line.quantity.get())).collect();
        match outcome {
            StockOutcome::Moved(moved) => {
                let filled = moved.filled.iter().map(|one| (one.reservation, one.key.clone(), one.quantity.get()));
                Self::Moved { on_hand: units(&moved.on_hand), filled: filled.collect() }
            }
            StockOutcome::Reserved(reserved) => {
                let lines = reserved
                    .lines
                    .iter()
                    .map(|line| (line.sku.clone(), line.requested.get(), line.granted.get(), line.backordered.get()));
                Self::Reserved { lines: lines.collect(), expires_at: reserved.expires_at }
            }
            StockOutcome::Extended(extended) => Self::Extended(extended.expires_at),
            StockOutcome::Allocated(_) => Self::Allocated,
            StockOutcome::Fulfilled(fulfilled) => {
                Self::Fulfilled { lines: units(&fulfilled.lines), state: fulfilled.state }
            }
            StockOutcome::Released(one) => Self::Released { lines: units(&one.lines), state: one.state },
            StockOutcome::Expired(one) => Self::Expired { lines: units(&one.lines), state: one.state },
            StockOutcome::Retired(_) => Self::Retired,
            StockOutcome::Refused(Refusal::Invalid(_)) => Self::Refused(nonsense()),
            StockOutcome::Refused(Refusal::Stale { .. }) => Self::Refused(Refusal::Stale { version: 0 }),
            StockOutcome::Refused(refusal) => Self::Refused(refusal.clone()),
            other => panic!("unknown to the model: {other:?}"),
        }
    }
}

fn nonsense() -> Refusal {
    Refusal::Invalid(String::new())
}

#[derive(Clone, Debug)]
pub(crate) struct Shelf {
    pub(crate) on_hand: i64,
    pub(crate) safety: i64,
    pub(crate) limit: Quantity,
    pub(crate) low_at: Option<Quantity>,
    pub(crate) tracked: bool,
    pub(crate) retired: bool,
}

impl Default for Shelf {
    fn default() -> Self {
        Self { on_hand: 0, safety: 0, limit: Quantity::ZERO, low_at: None, tracked: true, retired: false }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) key: StockKey,
    pub(crate) asked: i64,
    pub(crate) shipped: i64,
    pub(crate) back: i64,
}

impl Line {
    pub(crate) fn open(&self) -> i64 {
        self.asked - self.shipped - self.back
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Claim {
    pub(crate) state: ReservationState,
    pub(crate) lines: Vec<Line>,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) version: u64,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Model {
    pub(crate) shelves: BTreeMap<StockKey, Shelf>,
    pub(crate) claims: BTreeMap<ReservationId, Claim>,
    /// Who waits, longest first.
    pub(crate) waiting: Vec<(StockKey, ReservationId, i64)>,
    answers: BTreeMap<CommandId, (StockAction, Answer)>,
}

pub(crate) type Ruling = Result<Answer, Refusal>;

impl Model {
    pub(crate) fn decide(&mut self, command: &StockCommand) -> Answer {
        if let Some((action, answer)) = self.answers.get(&command.id) {
            return if *action == command.action { answer.clone() } else { Answer::Refused(Refusal::Conflict) };
        }
        let mut changed = self.clone();
        let answer = match changed.rule(command.at, &command.action) {
            Ok(answer) => {
                *self = changed;
                answer
            }
            Err(refusal) => Answer::Refused(refusal),
        };
        self.answers.insert(command.id, (command.action.clone(), answer.clone()));
        answer
    }

    fn rule(&mut self, at: Timestamp, action: &StockAction) -> Ruling {
        if !sensible(action) {
            return Err(nonsense());
        }
        match action {
            StockAction::Reserve(request) => self.reserve(at, request),
            StockAction::Receive { lines } => self.receive(lines, true),
            StockAction::Return { lines, .. } => self.receive(lines, false),
            StockAction::Adjust { key, change, .. } => match self.shelves.get(key) {
                None => Err(Refusal::UnknownLevel(key.clone())),
                Some(shelf) => self.set_on_hand(key, shelf.on_hand + change),
            },
            StockAction::Count { key, counted, .. } => self.set_on_hand(key, counted.get()),
            StockAction::Transfer { sku, from, to, quantity } => {
                let (from, to) = (StockKey::new(sku.clone(), from.clone()), StockKey::new(sku.clone(), to.clone()));
                self.transfer(&from, &to, quantity.get())
            }
            StockAction::Extend { reservation, hold } => self.extend(at, *reservation, *hold),
            StockAction::Allocate { reservation } => {
                let claim = self.live(*reservation)?;
                if claim.state == ReservationState::Held {
                    (claim.state, claim.expires_at, claim.version) =
                        (ReservationState::Allocated, None, claim.version + 1);
                }
                Ok(Answer::Allocated)
            }
            StockAction::Fulfil { reservation, parts } => self.fulfil(*reservation, parts),
            StockAction::Release { reservation, parts, tombstone } => self.release(*reservation, parts, *tombstone),
            StockAction::Expire { reservation } => self.expire(at, *reservation),
            StockAction::Configure { key, settings } => self.configure(key, settings),
            StockAction::Retire { sku } => self.retire(sku),
            StockAction::Reconcile { key, version, .. } => match self.shelves.get(key) {
                None => Err(Refusal::UnknownLevel(key.clone())),
                Some(_) if *version == u64::MAX => Err(Refusal::Stale { version: 0 }),
                Some(shelf) => Ok(Answer::Moved { on_hand: vec![(key.clone(), shelf.on_hand)], filled: Vec::new() }),
            },
        }
    }

    pub(crate) fn reserved(&self, key: &StockKey) -> i64 {
        let lines = self.claims.values().flat_map(|claim| &claim.lines);
        lines.filter(|line| line.key == *key).map(Line::open).sum()
    }

    pub(crate) fn backordered(&self, key: &StockKey) -> i64 {
        self.waiting.iter().filter(|(at, ..)| at == key).map(|(.., units)| units).sum()
    }

    pub(crate) fn waits(&self, id: ReservationId, key: &StockKey) -> i64 {
        self.waiting.iter().filter(|(at, who, _)| at == key && *who == id).map(|(.., units)| units).sum()
    }

    fn promised(&self, key: &StockKey) -> i64 {
        if self.shelves[key].tracked { self.reserved(key) - self.backordered(key) } else { 0 }
    }

    /// Gives what is free at a level to who waits longest.
    pub(crate) fn fill(&mut self, key: &StockKey) -> Vec<(ReservationId, StockKey, i64)> {
        let mut filled = Vec::new();
        while let Some(first) = self.waiting.iter().position(|(at, ..)| at == key) {
            let free = self.shelves[key].on_hand - self.promised(key) - self.shelves[key].safety;
            if free <= 0 {
                break;
            }
            let (_, who, units) = &mut self.waiting[first];
            let (who, given) = (*who, free.min(*units));
            *units -= given;
            filled.push((who, key.clone(), given));
            self.waiting.retain(|(.., units)| *units > 0);
        }
        filled
    }

    fn receive(&mut self, lines: &[StockQuantity], bought: bool) -> Ruling {
        let mut retired: Vec<_> = lines.iter().filter(|line| self.retired(&line.key)).map(|line| &line.key).collect();
        retired.sort();
        if let (Some(key), true) = (retired.first(), bought) {
            return Err(Refusal::RetiredSku(key.sku.clone()));
        }
        let mut filled = Vec::new();
        for line in lines {
            self.shelves.entry(line.key.clone()).or_default().on_hand += line.quantity.get();
            filled.append(&mut self.fill(&line.key));
        }
        let on_hand = lines.iter().map(|line| (line.key.clone(), self.shelves[&line.key].on_hand)).collect();
        Ok(Answer::Moved { on_hand, filled })
    }

    fn retired(&self, key: &StockKey) -> bool {
        self.shelves.get(key).is_some_and(|shelf| shelf.retired)
    }

    fn set_on_hand(&mut self, key: &StockKey, on_hand: i64) -> Ruling {
        self.shelves.entry(key.clone()).or_default();
        let promised = self.promised(key);
        if on_hand < promised {
            let committed = Quantity::new(promised).unwrap();
            return Err(Refusal::Committed { key: key.clone(), on_hand, committed });
        }
        self.shelves.entry(key.clone()).or_default().on_hand = on_hand;
        let filled = self.fill(key);
        Ok(Answer::Moved { on_hand: vec![(key.clone(), on_hand)], filled })
    }

    fn transfer(&mut self, from: &StockKey, to: &StockKey, units: i64) -> Ruling {
        let Some(source) = self.shelves.get(from) else { return Err(Refusal::UnknownLevel(from.clone())) };
        let left = source.on_hand - units;
        self.set_on_hand(from, left)?;
        if self.retired(to) {
            return Err(Refusal::RetiredSku(to.sku.clone()));
        }
        let arrived = self.shelves.entry(to.clone()).or_default().on_hand + units;
        self.shelves.entry(to.clone()).or_default().on_hand = arrived;
        let filled = self.fill(to);
        Ok(Answer::Moved { on_hand: vec![(from.clone(), left), (to.clone(), arrived)], filled })
    }

    fn configure(&mut self, key: &StockKey, settings: &LevelSettings) -> Ruling {
        let claimed = self.reserved(key);
        let shelf = self.shelves.entry(key.clone()).or_default();
        let recounted = settings.tracked.is_some_and(|tracked| tracked != shelf.tracked);
        let retired = settings.retired.is_some_and(|retired| retired && !shelf.retired);
        if claimed > 0 && (recounted || retired) {
            return Err(Refusal::Claimed { key: key.clone(), reserved: Quantity::new(claimed).unwrap() });
        }
        shelf.safety = settings.safety_stock.map_or(shelf.safety, Quantity::get);
        shelf.limit = settings.backorder_limit.unwrap_or(shelf.limit);
        shelf.low_at = settings.low_stock_at.unwrap_or(shelf.low_at);
        shelf.tracked = settings.tracked.unwrap_or(shelf.tracked);
        shelf.retired = settings.retired.unwrap_or(shelf.retired);
        let on_hand = vec![(key.clone(), shelf.on_hand)];
        Ok(Answer::Moved { on_hand, filled: self.fill(key) })
    }

    fn retire(&mut self, sku: &Sku) -> Ruling {
        let keys: Vec<_> = self.shelves.keys().filter(|key| key.sku == *sku).cloned().collect();
        if keys.is_empty() {
            return Err(Refusal::UnknownSku(sku.clone()));
        }
        for key in keys {
            let claimed = self.reserved(&key);
            if claimed > 0 {
                return Err(Refusal::Claimed { key, reserved: Quantity::new(claimed).unwrap() });
            }
            self.shelves.entry(key).or_default().retired = true;
        }
        Ok(Answer::Retired)
    }

    /// The engine's rows say the same as the model.
    pub(crate) fn prove_agrees(&self, set: &StockWorkingSet) {
        assert_eq!(set.levels().count(), self.shelves.len());
        for (key, shelf) in &self.shelves {
            let level = set.level(key).unwrap();
            assert_eq!(level.on_hand.get(), shelf.on_hand, "{key}: on hand");
            assert_eq!(level.reserved.get(), self.reserved(key), "{key}: reserved");
            assert_eq!(level.backordered.get(), self.backordered(key), "{key}: backordered");
            let settings = (level.safety_stock.get(), level.backorder_limit, level.low_stock_at);
            assert_eq!(settings, (shelf.safety, shelf.limit, shelf.low_at), "{key}");
            assert_eq!((level.tracked, level.retired), (shelf.tracked, shelf.retired), "{key}");
            let queue: Vec<_> = set.backorders(key).map(|entry| (entry.reservation, entry.quantity.get())).collect();
            let waiting = self.waiting.iter().filter(|(at, ..)| at == key);
            assert_eq!(queue, waiting.map(|(_, who, units)| (*who, *units)).collect::<Vec<_>>(), "{key}: queue");
        }
        assert_eq!(set.reservations().count(), self.claims.len());
        for (id, claim) in &self.claims {
            let one = set.view(*id).unwrap();
            assert_eq!(
                (one.state, one.expires_at, one.version),
                (claim.state, claim.expires_at, claim.version),
                "{one:?}"
            );
            let lines = one.lines.iter().map(|line| {
                (&line.key, line.quantity.get(), line.fulfilled.get(), line.released.get(), line.backordered.get())
            });
            let expected = claim
                .lines
                .iter()
                .map(|line| (&line.key, line.asked, line.shipped, line.back, self.waits(*id, &line.key)));
            assert_eq!(lines.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
        }
    }
}

/// Whether a command makes sense at all.
fn sensible(action: &StockAction) -> bool {
    let lines = |units: &mut dyn Iterator<Item = Quantity>| {
        let units: Vec<_> = units.collect();
        (1..=MAX_LINES).contains(&units.len()) && units.iter().all(|units| units.get() > 0)
    };
    match action {
        StockAction::Receive { lines: named } | StockAction::Return { lines: named, .. } => {
            lines(&mut named.iter().map(|line| line.quantity))
        }
        StockAction::Adjust { change, .. } => *change != 0,
        StockAction::Transfer { from, to, quantity, .. } => from != to && quantity.get() > 0,
        StockAction::Reserve(request) => lines(&mut request.lines.iter().map(|line| line.quantity)),
        StockAction::Fulfil { parts, .. } | StockAction::Release { parts, .. } => match parts {
            Parts::All => true,
            Parts::Skus(named) => lines(&mut named.iter().map(|line| line.quantity)),
            Parts::Levels(named) => lines(&mut named.iter().map(|line| line.quantity)),
        },
        _ => true,
    }
}

/// When a hold that is asked for ends; refused if it has.
pub(crate) fn ends(at: Timestamp, hold: Hold) -> Result<Option<Timestamp>, Refusal> {
    let end = match hold {
        Hold::Forever => return Ok(None),
        Hold::For(duration) => at.plus(duration),
        Hold::Until(end) => end,
    };
    if end > at { Ok(Some(end)) } else { Err(Refusal::HoldEnded(end)) }
}

/// What one unit of a SKU takes.
pub(crate) fn components(sku: &Sku) -> Vec<(Sku, i64)> {
    let catalog: Vec<Kit> = kits();
    match catalog.iter().find(|kit| kit.sku == *sku) {
        Some(kit) => kit.components.iter().map(|part| (part.sku.clone(), part.quantity.get())).collect(),
        None => vec![(sku.clone(), 1)],
    }
}
