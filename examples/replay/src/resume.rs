//! Where a replay goes on that was ended before its end.

use std::num::NonZeroUsize;

use stockpulse_core::Result;
use stockpulse_core::model::OrderId;
use stockpulse_core::port::OrderQuery;

use crate::args::Args;
use crate::backends::Backends;
use crate::commands;
use crate::counting::on_the_bus;
use crate::error::ReplayError;
use crate::invoice::{DocumentKind, Invoices};

/// How many of the last orders a replay that goes on sends again.
const SENT_AGAIN: usize = 64;

/// What an earlier process did.
#[derive(Debug)]
pub struct Behind {
    /// How many documents need not be sent again.
    pub documents: usize,
    /// The orders in the store, in the files' order.
    pub placed: Vec<OrderId>,
    /// The first of them that is sent again.
    pub first_again: usize,
}

/// Whether a replay may begin on these backends, or go on if that is what was asked for.
///
/// # Errors
/// [`ReplayError::Occupied`] and [`ReplayError::AnotherBus`] if it may not; what store and bus report.
pub async fn check(backends: &Backends, args: &Args) -> std::result::Result<(), ReplayError> {
    let another = |reason| Err(ReplayError::AnotherBus { bus: args.shown_bus(), reason });
    match (is_empty(backends).await.map_err(ReplayError::drive)?, backends.bus_is_new) {
        (false, _) if !args.resume => Err(ReplayError::Occupied(args.shown_store())),
        // What waited on the bus for this store's orders is on another one.
        (false, Some(true)) => another("carried nothing of the replay in the store"),
        // It may have been made by a process that was killed before it got any further.
        (true, Some(false)) if on_the_bus(backends).await.map_err(ReplayError::drive)? > 0 => {
            another("carried a replay already, and the store holds none")
        }
        _ => Ok(()),
    }
}

/// Whether nobody has used a store yet.
async fn is_empty(backends: &Backends) -> Result<bool> {
    let levels = backends.inventory.list_levels(None, NonZeroUsize::MIN).await?;
    let orders = backends.orders.list_orders(&OrderQuery::default(), NonZeroUsize::MIN).await?;
    Ok(levels.items.is_empty() && orders.items.is_empty())
}

/// What is behind. All documents before the last order in the store were sent; the last orders of them are sent again
/// all the same, to see that they are the same.
///
/// # Errors
/// What the store reports.
pub async fn behind(backends: &Backends, invoices: &Invoices) -> Result<Behind> {
    let orders: Vec<(usize, OrderId)> = (1..)
        .zip(invoices.documents())
        .enumerate()
        .filter(|(_, (_, document))| matches!(document.kind(), DocumentKind::Order(_)))
        .map(|(index, (place, _))| (index, commands::order_id(place)))
        .collect();
    // Orders were placed in this order, so that the store has the first of them, up to some one.
    let (mut low, mut high) = (0, orders.len());
    while low < high {
        let middle = low.midpoint(high);
        match backends.orders.orders(&[orders[middle].1]).await?.pop().flatten() {
            Some(_) => low = middle + 1,
            None => high = middle,
        }
    }
    let first_again = low.saturating_sub(SENT_AGAIN);
    let documents = if low == 0 { 0 } else { orders[first_again].0 };
    Ok(Behind { documents, placed: orders[..low].iter().map(|(_, order)| *order).collect(), first_again })
}
