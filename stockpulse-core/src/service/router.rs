//! Which shard a command goes through.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use smallvec::SmallVec;

use crate::engine::fingerprint;
use crate::engine::stock::{StockAction, StockCommand, StockOutcome};
use crate::error::Result;
use crate::model::ReservationId;

/// Routes commands that name the same SKU first to the same shard, and those about a reservation that is under
/// way to where it is, so that they keep their order.
#[derive(Debug)]
pub(super) struct Router {
    shards: usize,
    under_way: Arc<UnderWay>,
}

/// Where reservations are under way, and in how many commands.
#[derive(Debug, Default)]
struct UnderWay {
    reservations: Mutex<HashMap<ReservationId, (usize, usize)>>,
}

/// The ways of commands that go through a shard together.
pub(super) type Routes = SmallVec<[Route; 1]>;

/// What of a batch goes through one shard, with the places of the answers.
#[derive(Default)]
struct Part {
    places: Vec<usize>,
    commands: Vec<StockCommand>,
    routes: Routes,
}

/// A command's way through a shard. It goes with the command, not with the caller, who may be gone before the command
/// was decided; dropping it says that it was.
#[derive(Debug)]
pub(super) struct Route {
    under_way: Option<(Arc<UnderWay>, ReservationId)>,
    shard: usize,
}

impl Route {
    pub(super) const fn shard(&self) -> usize {
        self.shard
    }
}

impl Drop for Route {
    fn drop(&mut self) {
        let Some((under_way, id)) = &self.under_way else { return };
        let mut reservations = under_way.lock();
        if let Some((_, commands)) = reservations.get_mut(id) {
            *commands -= 1;
            if *commands == 0 {
                reservations.remove(id);
            }
        }
    }
}

impl UnderWay {
    fn lock(&self) -> MutexGuard<'_, HashMap<ReservationId, (usize, usize)>> {
        self.reservations.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Router {
    pub(super) fn new(shards: usize) -> Self {
        Self { shards: shards.max(1), under_way: Arc::default() }
    }

    pub(super) fn route(&self, action: &StockAction) -> Route {
        if self.shards == 1 {
            return Route { under_way: None, shard: 0 };
        }
        let own = match (action.first_sku(), action.reservation()) {
            (Some(sku), _) => self.pick(fingerprint(sku)),
            (None, Some(id)) => self.pick(fingerprint(&id)),
            (None, None) => 0,
        };
        let Some(id) = action.reservation() else { return Route { under_way: None, shard: own } };
        let mut reservations = self.under_way.lock();
        let (shard, commands) = reservations.entry(id).or_insert((own, 0));
        *commands += 1;
        Route { under_way: Some((Arc::clone(&self.under_way), id)), shard: *shard }
    }

    /// Sends a batch through its shards side by side and puts the answers back into order.
    pub(super) async fn split<F, Fut>(&self, batch: Vec<StockCommand>, commit: F) -> Result<Vec<StockOutcome>>
    where
        F: Fn(usize, Vec<StockCommand>, Routes) -> Fut,
        Fut: Future<Output = Result<Vec<StockOutcome>>>,
    {
        if self.shards == 1 {
            return commit(0, batch, Routes::new()).await;
        }
        let total = batch.len();
        let mut parts: Vec<Part> = std::iter::repeat_with(Part::default).take(self.shards).collect();
        for (place, command) in batch.into_iter().enumerate() {
            let route = self.route(&command.action);
            if let Some(part) = parts.get_mut(route.shard()) {
                part.places.push(place);
                part.commands.push(command);
                part.routes.push(route);
            }
        }
        let busy = parts.into_iter().enumerate().filter(|(_, part)| !part.places.is_empty());
        let commits = busy.map(|(shard, Part { places, commands, routes })| {
            let answers = commit(shard, commands, routes);
            async move { answers.await.map(|answers| places.into_iter().zip(answers)) }
        });
        let mut ordered: Vec<(usize, StockOutcome)> = Vec::with_capacity(total);
        for part in futures::future::join_all(commits).await {
            ordered.extend(part?);
        }
        ordered.sort_unstable_by_key(|(place, _)| *place);
        Ok(ordered.into_iter().map(|(_, outcome)| outcome).collect())
    }

    fn pick(&self, hash: u64) -> usize {
        usize::try_from(hash % self.shards as u64).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::stock::Reserve;
    use crate::model::{Quantity, Sku, StockKey};

    const SHARDS: usize = 8;

    fn reserve(sku: &str, id: ReservationId) -> StockAction {
        StockAction::Reserve(Reserve::new(id).with_line(Sku::new(sku).unwrap(), 1))
    }

    fn count(sku: &str) -> StockAction {
        let key = StockKey::from(Sku::new(sku).unwrap());
        StockAction::Count { key, counted: Quantity::ONE, reason: None }
    }

    #[test]
    fn commands_about_one_sku_go_one_way() {
        let router = Router::new(SHARDS);
        let mut used = std::collections::BTreeSet::new();
        for number in 0..100 {
            let sku = format!("SKU-{number}");
            let shard = router.route(&count(&sku)).shard();
            let other = router.route(&reserve(&sku, ReservationId::from_u128(number))).shard();
            assert_eq!(shard, other);
            used.insert(shard);
        }
        assert_eq!(used.len(), SHARDS, "all shards are used");
    }

    #[test]
    fn a_reservation_keeps_its_way_while_a_command_about_it_is_under_way() {
        let router = Router::new(SHARDS);
        let mut moved = 0;
        for number in 0..100 {
            let id = ReservationId::from_u128(number);
            let allocate = StockAction::Allocate { reservation: id };
            let own = router.route(&allocate).shard();
            let first = router.route(&reserve("CUP", id));
            let (shard, second) = (first.shard(), router.route(&allocate));
            assert_eq!(second.shard(), shard);
            drop(first);
            assert_eq!(router.route(&allocate).shard(), shard, "the second is still under way");
            drop(second);
            assert_eq!(router.route(&allocate).shard(), own);
            moved += usize::from(own != shard);
        }
        assert!(moved > 50, "{moved} of 100 have another way of their own");
        assert!(router.under_way.lock().is_empty());
    }

    #[test]
    fn one_shard_remembers_nothing() {
        let router = Router::new(1);
        let route = router.route(&reserve("CUP", ReservationId::from_u128(1)));
        assert_eq!(route.shard(), 0);
        assert!(router.under_way.lock().is_empty());
    }
}
