//! What must hold when nothing goes wrong any more and everything has come to rest.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::super::shop::{INVENTORY, ORDERS, Shop};
use super::super::violation::Rule;
use super::super::world::WorldClock;
use super::{ALL, Answer, books};
use crate::error::Result;
use crate::model::{
    NotificationId, Order, OrderChange, OrderStatus, PaymentStatus, Reservation, ReservationState, Sku, Timestamp,
};
use crate::port::{Clock, OrderQuery};
use crate::service::{Inventory, Orders};

/// Whether nothing is under way, and nothing is left to happen of itself.
pub(in crate::sim) async fn is_idle(shop: &Shop) -> Result<bool> {
    for outbox in shop.outboxes() {
        if outbox.stats().await?.pending > 0 {
            return Ok(false);
        }
    }
    let busy = shop.groups().iter().any(|(group, _)| shop.bus.lag(group).is_none_or(|lag| lag > 0));
    let holds = shop.stores.inventory.expiring(Timestamp::MAX, ALL).await?;
    let unpaid = shop.stores.orders.overdue(Timestamp::MAX, ALL).await?;
    Ok(!busy && holds.is_empty() && unpaid.is_empty())
}

/// Looks at everything, when the nodes have shut down and every time to live is over.
pub(in crate::sim) async fn look(shop: &Shop) -> Result<()> {
    let world = &shop.world;
    let orders = shop.stores.orders.list_orders(&OrderQuery::default(), ALL).await?.items;
    books::purchases(shop, &orders).await?;
    books::goods(shop, &orders).await?;
    for order in orders {
        world.count(status_name(order.status), 1);
        world.count("stock asked for again", u64::from(order.attempt.saturating_sub(1)));
        order_has_ended(shop, &order).await?;
        history(shop, &order).await?;
    }
    holds(shop).await?;
    levels(shop).await?;
    events(shop).await?;
    told(shop);
    answers(shop).await
}

const fn status_name(status: OrderStatus) -> &'static str {
    match status {
        OrderStatus::Placed => "orders left placed",
        OrderStatus::Confirmed => "orders left confirmed",
        OrderStatus::PartlyShipped => "orders left partly shipped",
        OrderStatus::Shipped => "orders shipped",
        OrderStatus::Rejected => "orders rejected",
        OrderStatus::Cancelled => "orders cancelled",
        OrderStatus::Expired => "orders expired",
        OrderStatus::Returned => "orders returned",
    }
}

/// The order has ended, or waits for somebody to ship it, and its reservations say the same.
async fn order_has_ended(shop: &Shop, order: &Order) -> Result<()> {
    let world = &shop.world;
    let ids: Vec<_> = (1..=order.attempt).map(|attempt| order.id.reservation(attempt)).collect();
    let mut reservations = shop.stores.inventory.reservations(&ids).await?;
    let current: Option<Reservation> = reservations.pop().flatten();
    let state = current.as_ref().map(|reservation| reservation.state);
    let open = current.as_ref().map_or(0, Reservation::open);
    let fits = match order.status {
        OrderStatus::Placed => {
            world.violated(Rule::OrderEnds, format!("never answered: {order:?}, {current:?}"));
            true
        }
        OrderStatus::Confirmed | OrderStatus::PartlyShipped => {
            if !order.payment.is_settled() {
                world.violated(Rule::OrderEnds, format!("neither paid nor expired: {order:?}"));
            }
            state == Some(ReservationState::Allocated)
                && order.held_until.is_none()
                && waiting(order) == current.as_ref().map_or_else(BTreeMap::new, backordered)
        }
        OrderStatus::Shipped | OrderStatus::Returned => state == Some(ReservationState::Fulfilled) && open == 0,
        OrderStatus::Rejected | OrderStatus::Cancelled | OrderStatus::Expired => {
            state.is_none_or(|state| !state.is_live()) && order.payment != PaymentStatus::Paid
        }
    };
    if !fits {
        world.violated(Rule::OrderFitsReservation, format!("{order:?}, and {current:?}"));
    }
    for earlier in reservations.iter().flatten().filter(|reservation| reservation.state.is_live()) {
        world.violated(Rule::OrderFitsReservation, format!("{order:?}, and from before {earlier:?}"));
    }
    Ok(())
}

/// Units that an order waits for.
fn waiting(order: &Order) -> BTreeMap<&Sku, i64> {
    order.waiting.iter().map(|line| (&line.sku, line.quantity.get())).collect()
}

/// Units that a reservation waits for.
fn backordered(reservation: &Reservation) -> BTreeMap<&Sku, i64> {
    let mut units = BTreeMap::new();
    for line in reservation.lines.iter().filter(|line| !line.backordered.is_zero()) {
        *units.entry(&line.key.sku).or_default() += line.backordered.get();
    }
    units
}

/// The history is complete, ends once, and was told.
async fn history(shop: &Shop, order: &Order) -> Result<()> {
    let world = &shop.world;
    let entries = shop.stores.orders.history(order.id).await?;
    if !entries.iter().map(|entry| entry.version).eq(1..=order.version) {
        world.violated(Rule::VersionsGoUp, format!("the history of {order:?} has not all its versions: {entries:?}"));
    }
    let ended = entries.iter().map(|entry| entry.status).filter(|status| status.is_terminal());
    let ends: BTreeSet<&str> = ended.filter(|status| *status != OrderStatus::Returned).map(status_name).collect();
    if ends.len() > 1 {
        world.violated(Rule::OrderEndsOnce, format!("{order:?} ended so: {ends:?}"));
    }
    let key = order.id.to_string();
    for entry in entries.iter().filter(|entry| entry.change != OrderChange::PaidAgain) {
        if !world.history().events.was_committed(ORDERS, &key, entry.version) {
            world.violated(Rule::EventsArrive, format!("nobody was told of {entry:?}"));
        }
    }
    Ok(())
}

/// Every hold that has run out was given back.
async fn holds(shop: &Shop) -> Result<()> {
    let ids = shop.world.history().stock.all_reservations();
    let now = shop.world.now();
    for reservation in shop.stores.inventory.reservations(&ids).await?.into_iter().flatten() {
        if reservation.is_overdue(now) {
            shop.world.violated(Rule::HoldsEnd, format!("nobody ended {reservation:?}"));
        }
    }
    Ok(())
}

/// Cache and gate say what the store says, and the newest version of each level was told.
async fn levels(shop: &Shop) -> Result<()> {
    let world = &shop.world;
    let clock: Arc<dyn Clock> = Arc::new(WorldClock(Arc::clone(world)));
    let reader = Inventory::builder(Arc::clone(&shop.stores.inventory)).with_cache(Arc::new(shop.cache.now()));
    let reader = reader.with_clock(clock).start();
    for level in shop.stores.inventory.list_levels(None, ALL).await?.items {
        let cached = reader.availability(std::slice::from_ref(&level.key)).await?.pop().flatten();
        if cached.as_ref() != Some(&level) {
            world.violated(Rule::CacheConverges, format!("{level:?} is cached as {cached:?}"));
        }
        let free = shop.gate.now().free(&level.key);
        if free.is_some_and(|free| free != level.sellable().get()) {
            world.violated(Rule::GateConverges, format!("the gate lets {free:?} through of {level:?}"));
        }
        if !world.history().events.was_committed(INVENTORY, level.key.sku.as_str(), level.version) {
            world.violated(Rule::EventsArrive, format!("nobody was told of {level:?}"));
        }
    }
    Ok(())
}

/// Every event has arrived, and nothing was put aside.
async fn events(shop: &Shop) -> Result<()> {
    let world = &shop.world;
    let count = world.history().events.len();
    world.count("events", count);
    let superseded = world.history().events.superseded();
    world.count("superseded", superseded);
    for (group, types) in shop.groups() {
        for missed in world.history().events.missed(&group, &types) {
            world.violated(Rule::EventsArrive, format!("{group} never got {missed}"));
        }
        for letter in shop.bus.dead_letters(&group) {
            world.violated(Rule::NothingAside, format!("{group} put {:?} aside: {}", letter.envelope, letter.reason));
        }
    }
    for outbox in shop.outboxes() {
        for (row, reason) in outbox.quarantined(ALL).await? {
            world.violated(Rule::NothingAside, format!("{row:?} was set aside: {reason}"));
        }
    }
    Ok(())
}

/// Customers were told everything that they have to be told, and nothing else.
fn told(shop: &Shop) {
    let sent = shop.notifier.sent();
    shop.world.count("notifications", sent.len() as u64);
    let told: BTreeSet<NotificationId> = sent.iter().map(|notification| notification.id).collect();
    let to_tell = shop.world.history().events.to_tell.clone();
    if told != to_tell {
        let missing: Vec<_> = to_tell.difference(&told).collect();
        let surplus: Vec<_> = told.difference(&to_tell).collect();
        shop.world.violated(Rule::CustomersAreTold, format!("not told: {missing:?}; told for nothing: {surplus:?}"));
    }
}

/// Every command that was answered is asked once more, of services that never fail.
async fn answers(shop: &Shop) -> Result<()> {
    let world = &shop.world;
    let clock: Arc<dyn Clock> = Arc::new(WorldClock(Arc::clone(world)));
    let inventory = Inventory::builder(Arc::clone(&shop.stores.inventory)).with_clock(Arc::clone(&clock)).start();
    let orders = Orders::builder(Arc::clone(&shop.stores.orders)).with_clock(clock).start();
    let all = world.history().answers.all();
    world.count("commands answered", all.len() as u64);
    for answer in all {
        let again = match answer {
            Answer::Order(command, _) => Answer::Order(command.clone(), orders.execute(command).await?),
            Answer::Stock(command, _) => Answer::Stock(command.clone(), inventory.execute(command).await?),
        };
        world.answered(&again);
    }
    Ok(())
}
