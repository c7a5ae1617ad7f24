//! Loading what a batch needs, under lock.

use std::collections::BTreeSet;

use stockpulse_core::engine::order::{OrderCommand, OrderLoadPlan, OrderWorkingSet, PurchaseKey};

use super::rows;
use super::tables::{ORDER, PURCHASE};
use crate::database::{Select, Session};
use crate::failure::Failure;
use crate::frame::{ORDER_COMMAND, read_outcome};
use crate::table::Rows;

/// A loaded working set, and the purchases that were counted in it before anything was decided.
#[derive(Debug, Default)]
pub(crate) struct Loaded {
    pub(crate) set: OrderWorkingSet,
    pub(crate) purchases: BTreeSet<PurchaseKey>,
}

/// Loads in the order of the plan: outcomes; orders by id; purchases by customer and SKU.
pub(crate) async fn load<S: Session>(session: &mut S, batch: &[OrderCommand]) -> Result<Loaded, Failure> {
    let mut plan = OrderLoadPlan::of(batch);
    let mut loaded = Loaded::default();
    let commands = Rows::single(plan.commands.iter().map(|id| id.as_uuid()));
    for row in session.select(Select { table: &ORDER_COMMAND, lock: false }, &commands).await? {
        let (id, decided) = read_outcome(&row)?;
        loaded.set.insert_outcome(id, decided);
    }
    let ids = Rows::single(plan.orders.iter().map(|id| id.as_uuid()));
    for row in session.select(Select { table: &ORDER, lock: true }, &ids).await? {
        let order = rows::read_order(&row)?;
        plan.add_purchases_of(&order);
        loaded.set.insert_order(order);
    }
    if plan.purchases.is_empty() {
        return Ok(loaded);
    }
    let mut keys = Rows::new(PURCHASE.key);
    for (customer, sku) in &plan.purchases {
        keys.push(rows::purchase_key(*customer, sku));
    }
    for row in session.select(Select { table: &PURCHASE, lock: true }, &keys).await? {
        let (key, units) = rows::read_purchase(&row)?;
        loaded.purchases.insert(key.clone());
        loaded.set.insert_purchases(key, units);
    }
    Ok(loaded)
}
