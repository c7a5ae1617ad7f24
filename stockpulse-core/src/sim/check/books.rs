//! The books at the end: what orders count and what stock counts is the same.

use std::collections::BTreeMap;

use super::super::goods::{LIMIT, LIMITED};
use super::super::shop::Shop;
use super::super::violation::Rule;
use super::ALL;
use crate::engine::Engine;
use crate::engine::order::{OrderAction, OrderOutcome, OrderRefusal, Place, PurchaseLimit};
use crate::error::Result;
use crate::model::{
    Command, CommandId, Currency, CustomerId, Money, MovementKind, Order, OrderId, OrderStatus, Sku, derive,
};

/// No customer has more of a product on order, or keeps more of it, than its limit; and what counts against the limit
/// is that and nothing else.
pub(super) async fn purchases(shop: &Shop, orders: &[Order]) -> Result<()> {
    let mut units: BTreeMap<CustomerId, i64> = BTreeMap::new();
    for order in orders.iter().filter(|order| order.status != OrderStatus::Rejected) {
        let Some(customer) = order.customer else { continue };
        for line in order.lines.iter().filter(|line| line.sku.as_str() == LIMITED) {
            let promised = if order.status.is_dead() { line.shipped } else { line.granted };
            *units.entry(customer).or_default() += promised.saturating_sub(line.returned).get();
        }
    }
    for (customer, units) in units {
        // The count is nowhere to be read, but a refusal names it.
        let sku = Sku::new(LIMITED)?;
        let id = derive(customer.as_uuid(), "probe", 0);
        let mut place = Place::new(OrderId::new(id)).with_customer(customer);
        place = place.with_line(sku.clone(), LIMIT + 1, Money::new(1, Currency::EUR));
        place.limits.push(PurchaseLimit { sku, limit: LIMIT.into() });
        let probe = Command::new(CommandId::new(id), shop.world.now(), OrderAction::Place(place));
        let answer = shop.stores.orders.execute(&Engine::new(), vec![probe]).await?.pop();
        let counted = match &answer {
            Some(OrderOutcome::Refused(OrderRefusal::PurchaseLimit { ordered, .. })) => Some(ordered.get()),
            _ => None,
        };
        if units > i64::from(LIMIT) || counted != Some(units) {
            let what = format!("{customer} has {units} of {LIMITED} and may have {LIMIT}; counted are {counted:?}");
            shop.world.violated(Rule::PurchaseLimits, what);
        }
    }
    Ok(())
}

/// Units by reservation, or by nobody, and SKU.
type Units = BTreeMap<(Option<OrderId>, Sku), i64>;

/// What left and what came back, as orders count it and as stock does.
pub(super) async fn goods(shop: &Shop, orders: &[Order]) -> Result<()> {
    let (mut left, mut back, mut gone, mut returned) = <(Units, Units, Units, Units)>::default();
    for order in orders {
        for line in &order.lines {
            let parts = match order.kits.iter().find(|kit| kit.sku == line.sku) {
                Some(kit) => kit.components.iter().map(|part| (part.sku.clone(), part.quantity.get())).collect(),
                None => vec![(line.sku.clone(), 1)],
            };
            for (sku, each) in parts {
                *left.entry((Some(order.id), sku.clone())).or_default() += line.shipped.get() * each;
                *back.entry((None, sku)).or_default() += line.returned.get() * each;
            }
        }
        let ids: Vec<_> = (1..=order.attempt).map(|attempt| order.id.reservation(attempt)).collect();
        for reservation in shop.stores.inventory.reservations(&ids).await?.into_iter().flatten() {
            for line in reservation.lines {
                *gone.entry((Some(order.id), line.key.sku)).or_default() += line.fulfilled.get();
            }
        }
    }
    for level in shop.stores.inventory.list_levels(None, ALL).await?.items {
        for movement in shop.stores.inventory.movements(&level.key, 0, ALL).await?.items {
            if movement.kind == MovementKind::Returned && level.tracked {
                *returned.entry((None, level.key.sku.clone())).or_default() += movement.change.on_hand;
            }
        }
        if !level.tracked {
            // Nothing lies there, so nothing comes back to it.
            back.remove(&(None, level.key.sku));
        }
    }
    for (orders, stock) in [(left, gone), (back, returned)] {
        let some = |units: Units| units.into_iter().filter(|(_, units)| *units != 0).collect::<Units>();
        let (orders, stock) = (some(orders), some(stock));
        if orders != stock {
            let what = format!("orders say {:?}, stock says {:?}", without(&orders, &stock), without(&stock, &orders));
            shop.world.violated(Rule::GoodsAreConserved, what);
        }
    }
    Ok(())
}

/// What one side says and the other does not.
fn without(these: &Units, those: &Units) -> Units {
    let only = these.iter().filter(|(what, units)| those.get(*what) != Some(*units));
    only.map(|(what, units)| (what.clone(), *units)).collect()
}
