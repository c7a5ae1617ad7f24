//! Which shard a command goes through.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Mutex, PoisonError};

use crate::engine::fingerprint;
use crate::engine::stock::{StockAction, StockCommand, StockOutcome};
use crate::error::Result;
use crate::model::ReservationId;

/// Routes commands that name the same SKU first to the same shard, and those about a reservation that is under
/// way to where it is, so that they keep their order.
#[derive(Debug)]
pub(super) struct Router {
    shards: usize,
    under_way: Mutex<HashMap<ReservationId, (usize, usize)>>,
}

/// A command's way through a shard; dropping it says that the command was answered.
#[derive(Debug)]
pub(super) struct Route<'a> {
    router: &'a Router,
    reservation: Option<ReservationId>,
    shard: usize,
}

impl Route<'_> {
    pub(super) const fn shard(&self) -> usize {
        self.shard
    }
}

impl Drop for Route<'_> {
    fn drop(&mut self) {
        let Some(id) = self.reservation else { return };
        let mut under_way = self.router.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, commands)) = under_way.get_mut(&id) {
            *commands -= 1;
            if *commands == 0 {
                under_way.remove(&id);
            }
        }
    }
}

impl Router {
    pub(super) fn new(shards: usize) -> Self {
        Self { shards: shards.max(1), under_way: Mutex::default() }
    }

    pub(super) fn route(&self, action: &StockAction) -> Route<'_> {
        if self.shards == 1 {
            return Route { router: self, reservation: None, shard: 0 };
        }
        let own = match (action.first_sku(), action.reservation()) {
            (Some(sku), _) => self.pick(fingerprint(sku)),
            (None, Some(id)) => self.pick(fingerprint(&id)),
            (None, None) => 0,
        };
        let reservation = action.reservation();
        let shard = reservation.map_or(own, |id| {
            let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
            let (shard, commands) = under_way.entry(id).or_insert((own, 0));
            *commands += 1;
            *shard
        });
        Route { router: self, reservation, shard }
    }

    /// Sends a batch through its shards side by side and puts the answers back into order.
    pub(super) async fn split<F, Fut>(&self, batch: Vec<StockCommand>, commit: F) -> Result<Vec<StockOutcome>>
    where
        F: Fn(usize, Vec<StockCommand>) -> Fut,
        Fut: Future<Output = Result<Vec<StockOutcome>>>,
    {
        if self.shards == 1 {
            return commit(0, batch).await;
        }
        let total = batch.len();
        let routes: Vec<Route<'_>> = batch.iter().map(|command| self.route(&command.action)).collect();
        let mut parts: Vec<(Vec<usize>, Vec<StockCommand>)> = vec![Default::default(); self.shards];
        for (index, (command, route)) in batch.into_iter().zip(&routes).enumerate() {
            if let Some((places, commands)) = parts.get_mut(route.shard()) {
                places.push(index);
                commands.push(command);
            }
        }
        let busy = parts.into_iter().enumerate().filter(|(_, (places, _))| !places.is_empty());
        let commits = busy.map(|(shard, (places, commands))| {
            let answers = commit(shard, commands);
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
