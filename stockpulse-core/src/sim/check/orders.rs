//! Orders, after every commit and for every reader.

use std::collections::{BTreeMap, BTreeSet};

use super::super::violation::Rule;
use super::super::world::World;
use crate::engine::order::{OrderCommand, OrderOutcome};
use crate::error::Result;
use crate::model::{Order, OrderId, OrderStatus};
use crate::port::OrderStore;

/// The newest that was seen of every order.
#[derive(Debug, Default)]
pub(in crate::sim) struct OrderHistory {
    newest: BTreeMap<OrderId, (u64, OrderStatus)>,
}

/// Looks at the orders that a batch was about.
pub(in crate::sim) async fn committed(
    world: &World,
    store: &dyn OrderStore,
    batch: &[OrderCommand],
    outcomes: &[OrderOutcome],
) -> Result<()> {
    let mut accepted = BTreeMap::new();
    for (command, outcome) in batch.iter().zip(outcomes) {
        world.say(format_args!("  {} {:?} -> {outcome:?}", command.id, command.action));
        if let OrderOutcome::Accepted(state) = outcome {
            accepted.insert(state.order, state.version);
        }
    }
    let ids: BTreeSet<OrderId> = batch.iter().map(|command| command.action.order()).collect();
    let ids: Vec<OrderId> = ids.into_iter().collect();
    for (id, order) in ids.iter().zip(store.orders(&ids).await?) {
        if let Some(order) = &order {
            read_order(world, order);
        }
        let version = order.map_or(0, |order| order.version);
        if let Some(told) = accepted.get(id).filter(|told| version < **told) {
            world.violated(Rule::AcceptedIsThere, format!("order {id} has version {version}, the answer said {told}"));
        }
    }
    Ok(())
}

/// Somebody has read an order.
pub(in crate::sim) fn read_order(world: &World, order: &Order) {
    let (id, now) = (order.id, (order.version, order.status));
    let Some((version, status)) = world.history().orders.newest.insert(id, now) else { return };
    if now.0 < version || (now.0 == version && now.1 != status) {
        world.violated(Rule::VersionsGoUp, format!("order {id} was {:?}, and is {now:?}", (version, status)));
    }
    let come_back = status == OrderStatus::Shipped && now.1 == OrderStatus::Returned;
    if status.is_terminal() && now.1 != status && !come_back {
        world.violated(Rule::OrderEndsOnce, format!("order {id} was {status:?}, and is {:?}", now.1));
    }
}
