//! What a store has to load before the engine can decide a batch.

use super::command::{Parts, Reserve, StockAction, StockCommand};
use crate::model::{CommandId, LocationId, Reservation, ReservationId, Sku, StockKey};

/// The rows that a batch needs, each list sorted and without duplicates: the order in which a store locks them.
///
/// 1. `commands`: outcomes that are stored already;
/// 2. `reservations`: under lock; after loading them, [`LoadPlan::add_lines_of`] each;
/// 3. `levels`, and all levels of `skus`: under lock;
/// 4. the queue of every loaded level whose `backordered` is not zero.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoadPlan {
    /// Commands whose outcome may be stored.
    pub commands: Vec<CommandId>,
    /// Reservations.
    pub reservations: Vec<ReservationId>,
    /// Stock levels.
    pub levels: Vec<StockKey>,
    /// SKUs of which all levels are needed.
    pub skus: Vec<Sku>,
}

impl LoadPlan {
    /// What a batch needs.
    #[must_use]
    pub fn of(batch: &[StockCommand]) -> Self {
        let mut plan = Self::default();
        for command in batch {
            plan.commands.push(command.id);
            plan.reservations.extend(command.action.reservation());
            plan.add_levels(&command.action);
        }
        plan.commands.sort_unstable();
        plan.commands.dedup();
        plan.reservations.sort_unstable();
        plan.reservations.dedup();
        plan.skus.sort_unstable();
        plan.skus.dedup();
        plan.sort_levels();
        plan
    }

    /// Adds the levels that a loaded reservation has lines on.
    pub fn add_lines_of(&mut self, reservation: &Reservation) {
        self.levels.extend(reservation.lines.iter().map(|line| line.key.clone()));
        self.sort_levels();
    }

    fn sort_levels(&mut self) {
        self.levels.sort_unstable();
        self.levels.dedup();
    }

    fn add_levels(&mut self, action: &StockAction) {
        match action {
            StockAction::Receive { lines } | StockAction::Return { lines, .. } => {
                self.levels.extend(lines.iter().map(|line| line.key.clone()));
            }
            StockAction::Adjust { key, .. }
            | StockAction::Count { key, .. }
            | StockAction::Configure { key, .. }
            | StockAction::Reconcile { key, .. } => self.levels.push(key.clone()),
            StockAction::Transfer { sku, from, to, .. } => {
                self.levels.push(StockKey::new(sku.clone(), from.clone()));
                self.levels.push(StockKey::new(sku.clone(), to.clone()));
            }
            StockAction::Reserve(reserve) => self.add_candidates(reserve),
            StockAction::Retire { sku } => self.skus.push(sku.clone()),
            StockAction::Fulfil { parts, .. } | StockAction::Release { parts, .. } => {
                if let Parts::Levels(lines) = parts {
                    self.levels.extend(lines.iter().map(|line| line.key.clone()));
                }
            }
            StockAction::Extend { .. } | StockAction::Allocate { .. } | StockAction::Expire { .. } => {}
        }
    }

    fn add_candidates(&mut self, reserve: &Reserve) {
        let main = [LocationId::main()];
        let anywhere = match reserve.sourcing.locations.as_slice() {
            [] => main.as_slice(),
            named => named,
        };
        for line in &reserve.lines {
            let locations = line.location.as_ref().map_or(anywhere, std::slice::from_ref);
            let mut add = |sku: &Sku| {
                self.levels.extend(locations.iter().map(|location| StockKey::new(sku.clone(), location.clone())));
            };
            match reserve.kit(&line.sku) {
                Some(kit) => kit.components.iter().for_each(|component| add(&component.sku)),
                None => add(&line.sku),
            }
        }
    }
}
