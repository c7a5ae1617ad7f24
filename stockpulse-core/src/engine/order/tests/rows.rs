//! The rows of a working set: what was loaded, and what was decided since.

use super::desk::{CUSTOMER, Desk, ORDER, cancel, place, sku};
use crate::engine::Engine;
use crate::engine::order::{OrderAction, OrderWorkingSet, Place, PurchaseLimit};
use crate::model::{Command, CommandId, Order, OrderId, Quantity};

/// A request for one cup, of which a customer may have five.
fn limited(order: OrderId) -> Place {
    let limits = vec![PurchaseLimit { sku: sku("CUP"), limit: 5.into() }];
    Place { order, limits, ..place(&[("CUP", 1)]) }
}

#[test]
fn a_set_shows_what_was_loaded_and_what_was_decided() {
    let desk = Desk::placed(limited(ORDER));
    let (cup, saucer) = ((CUSTOMER, sku("CUP")), (CUSTOMER, sku("SAUCER")));
    let mut set = OrderWorkingSet::new();
    set.insert_order(desk.order().clone());
    set.insert_purchases(cup.clone(), Quantity::ONE);
    set.insert_purchases(saucer.clone(), 4.into());
    let other = OrderId::from_u128(8);
    let actions = [OrderAction::Place(limited(other)), cancel(OrderId::from_u128(9))];
    let ids = [CommandId::from_u128(1), CommandId::from_u128(2)];
    let batch = [0, 1].map(|index: usize| Command::new(ids[index], desk.now, actions[index].clone()));
    let answers = Engine::new().execute_orders(&mut set, &batch);
    let mut orders: Vec<_> = set.orders().map(|order: &Order| order.id).collect();
    orders.sort_unstable();
    assert_eq!(orders, [ORDER, other, OrderId::from_u128(9)]);
    let mut purchases: Vec<_> = set.all_purchases().map(|(key, units)| (key.clone(), units)).collect();
    purchases.sort_unstable();
    assert_eq!(purchases, [(cup, 2.into()), (saucer, 4.into())]);
    let mut outcomes: Vec<_> = set.outcomes().map(|(id, decided)| (id, decided.outcome.clone())).collect();
    outcomes.sort_unstable_by_key(|(id, _)| *id);
    assert_eq!(outcomes, ids.into_iter().zip(answers).collect::<Vec<_>>());
}
