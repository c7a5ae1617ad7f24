//! Which location serves a line.

use std::fmt::Debug;

use crate::model::{LocationId, Quantity, Sku};

/// A location that keeps a SKU.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Where.
    pub location: LocationId,
    /// Units that can be had there, from stock.
    pub available: Quantity,
    /// Whether an earlier line of the same request is served from there.
    pub used: bool,
    pub(super) row: usize,
}

/// An application's own sourcing strategy, registered with
/// [`Engine::with_sourcing`](crate::engine::Engine::with_sourcing).
///
/// It only says which location comes first; the engine draws from them in that order and takes no more than
/// there is, so that no strategy can oversell. It must be a pure function of its arguments.
pub trait SourcingStrategy: Debug + Send + Sync {
    /// Puts the candidates for `quantity` units of `sku` into the order in which they are to be drawn from. They
    /// come in the request's order of priority.
    fn rank(&self, sku: &Sku, quantity: Quantity, candidates: &mut [Candidate]);
}

/// As few splits as possible for one line: a location that can serve it whole first, then those already used,
/// then those with the most. Taking the largest first uses the fewest locations for a line.
pub(super) fn rank_fewest_splits(quantity: Quantity, candidates: &mut [Candidate]) {
    candidates.sort_by_key(|candidate| {
        let whole = candidate.available >= quantity;
        let smaller_first = if whole { 0 } else { -candidate.available.get() };
        (!whole, !candidate.used, smaller_first)
    });
}
