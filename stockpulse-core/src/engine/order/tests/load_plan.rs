//! What a store has to load.

use super::desk::{CUSTOMER, Desk, ORDER, cancel, place, sku};
use crate::engine::order::{OrderAction, OrderCommand, OrderLoadPlan, Place, PurchaseLimit};
use crate::model::{Command, CommandId, OrderId, Timestamp};

/// A request for one unit each of what is limited.
fn limited(order: u128, names: &[&str]) -> Place {
    let lines: Vec<_> = names.iter().map(|name| (*name, 1)).collect();
    let limits = names.iter().map(|name| PurchaseLimit { sku: sku(name), limit: 5.into() }).collect();
    Place { order: OrderId::from_u128(order), limits, ..place(&lines) }
}

fn command(id: u128, action: OrderAction) -> OrderCommand {
    Command::new(CommandId::from_u128(id), Timestamp::from_secs(1), action)
}

#[test]
fn each_list_is_sorted_and_without_duplicates() {
    let plan = OrderLoadPlan::of(&[
        command(3, OrderAction::Place(limited(8, &["SAUCER", "CUP"]))),
        command(1, OrderAction::Place(limited(7, &["SET", "CUP"]))),
        command(3, cancel(ORDER)),
    ]);
    assert_eq!(plan.commands, [CommandId::from_u128(1), CommandId::from_u128(3)]);
    assert_eq!(plan.orders, [ORDER, OrderId::from_u128(8)]);
    assert_eq!(plan.purchases, ["CUP", "SAUCER", "SET"].map(|name| (CUSTOMER, sku(name))));
}

#[test]
fn a_loaded_order_adds_what_it_counts_in() {
    let mut place = limited(7, &["SAUCER", "CUP", "SET"]);
    place.limits.pop();
    let desk = Desk::placed(place);
    let mut plan = OrderLoadPlan::of(&[command(2, cancel(ORDER))]);
    assert_eq!(plan.purchases, []);
    plan.add_purchases_of(desk.order());
    plan.add_purchases_of(desk.order());
    assert_eq!(plan.purchases, ["CUP", "SAUCER"].map(|name| (CUSTOMER, sku(name))), "one is not limited");
}
