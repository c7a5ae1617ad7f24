//! Stock, after every commit and for every reader.

use std::collections::{BTreeMap, BTreeSet};

use super::super::violation::Rule;
use super::super::world::World;
use super::ALL;
use crate::engine::stock::{Existing, StockAction, StockCommand, StockOutcome};
use crate::error::Result;
use crate::model::{Counters, Reservation, ReservationId, ReservationState, StockKey, StockLevel, Timestamp};
use crate::port::{InventoryStore, LevelAudit};

/// The newest that was seen of everything.
#[derive(Debug, Default)]
pub(in crate::sim) struct StockHistory {
    levels: BTreeMap<StockKey, u64>,
    reservations: BTreeMap<ReservationId, Seen>,
}

impl StockHistory {
    /// Every reservation that there ever was.
    pub(in crate::sim) fn all_reservations(&self) -> Vec<ReservationId> {
        self.reservations.keys().copied().collect()
    }
}

/// What was seen of a reservation.
#[derive(Clone, Copy, Debug)]
struct Seen {
    version: u64,
    state: ReservationState,
    expires_at: Option<Timestamp>,
}

/// Looks at all levels, and at the reservations that a batch was about.
pub(in crate::sim) async fn committed(
    world: &World,
    store: &dyn InventoryStore,
    batch: &[StockCommand],
    outcomes: &[StockOutcome],
) -> Result<()> {
    for (command, outcome) in batch.iter().zip(outcomes) {
        world.say(format_args!("  {} {:?} -> {outcome:?}", command.id, command.action));
    }
    for (command, outcome) in batch.iter().zip(outcomes) {
        in_time(world, batch, command, outcome);
    }
    for audit in store.audit(None, ALL).await?.items {
        let known = world.history().stock.levels.get(&audit.level.key).copied().unwrap_or(0);
        if audit.level.version > known {
            let movements = store.movements(&audit.level.key, known, ALL).await?.items;
            let versions = movements.iter().map(|movement| movement.version);
            if !versions.take_while(|version| *version <= audit.level.version).eq(known + 1..=audit.level.version) {
                let (key, version) = (&audit.level.key, audit.level.version);
                let what = format!("{key}: the ledger has not all versions from {known} to {version}");
                world.violated(Rule::VersionsGoUp, what);
            }
        }
        add_up(world, &audit);
        read_level(world, &audit.level);
    }
    let ids: BTreeSet<ReservationId> = batch.iter().filter_map(|command| command.action.reservation()).collect();
    let ids: Vec<ReservationId> = ids.into_iter().collect();
    for reservation in store.reservations(&ids).await?.iter().flatten() {
        let replaced = batch.iter().any(|command| match &command.action {
            StockAction::Reserve(request) => {
                request.reservation == reservation.id && request.existing == Existing::Replace
            }
            _ => false,
        });
        follow(world, reservation, replaced);
    }
    Ok(())
}

fn add_up(world: &World, audit: &LevelAudit) {
    let LevelAudit { level, ledger, claims } = audit;
    let counters = level.counters();
    if level.is_oversold() || (level.tracked && level.backordered > level.backorder_limit) {
        world.violated(Rule::NothingOversold, format!("{level:?}"));
    }
    let free = counters.on_hand - level.committed().get() - level.safety_stock.get();
    if level.tracked && counters.backordered > 0 && free > 0 {
        world.violated(Rule::NobodyWaitsInVain, format!("{free} units are free of {level:?}"));
    }
    if counters != *ledger {
        world.violated(Rule::LedgerIsLevel, format!("{}: {counters:?}, and its ledger {ledger:?}", level.key));
    }
    if (Counters { on_hand: counters.on_hand, ..*claims }) != counters {
        world.violated(Rule::ClaimsAreReserved, format!("{}: {counters:?}, and claims {claims:?}", level.key));
    }
}

/// Somebody has read a level.
pub(in crate::sim) fn read_level(world: &World, level: &StockLevel) {
    let newest = {
        let mut history = world.history();
        let newest = history.stock.levels.entry(level.key.clone()).or_default();
        let before = *newest;
        *newest = before.max(level.version);
        before
    };
    if level.version < newest {
        let what = format!("{}: version {} was read after {newest}", level.key, level.version);
        world.violated(Rule::VersionsGoUp, what);
    }
}

/// Somebody has read a reservation.
pub(in crate::sim) fn read_reservation(world: &World, reservation: &Reservation) {
    follow(world, reservation, false);
}

fn follow(world: &World, reservation: &Reservation, replaced: bool) {
    let Reservation { id, version, state, expires_at, .. } = *reservation;
    let now = Seen { version, state, expires_at };
    let Some(before) = world.history().stock.reservations.insert(id, now) else { return };
    if version < before.version || (version == before.version && state != before.state) {
        world.violated(Rule::VersionsGoUp, format!("reservation {id} was {before:?}, and is {now:?}"));
    }
    let revived = replaced && before.state != ReservationState::Fulfilled;
    if !before.state.is_live() && state != before.state && !revived {
        world.violated(Rule::ReservationEndsOnce, format!("reservation {id} was {before:?}, and is {now:?}"));
    }
}

/// What expired had come to its end, as far as nothing else in the batch changed that.
fn in_time(world: &World, batch: &[StockCommand], command: &StockCommand, outcome: &StockOutcome) {
    let (StockAction::Expire { reservation }, StockOutcome::Expired(ended)) = (&command.action, outcome) else {
        return;
    };
    let same = batch.iter().filter(|other| other.action.reservation() == Some(*reservation));
    let before = world.history().stock.reservations.get(reservation).copied();
    if let Some(before) = before
        && before.state == ReservationState::Held
        && !ended.lines.is_empty()
        && same.count() == 1
        && before.expires_at.is_none_or(|end| end > command.at)
    {
        world.violated(Rule::HoldsEnd, format!("reservation {reservation} was {before:?}, expired at {}", command.at));
    }
}
