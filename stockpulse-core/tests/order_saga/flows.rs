//! Orders that are delivered, by every policy; kits, parts, locations, services.

use stockpulse_core::engine::order::{OrderParts, OrderRefusal};
use stockpulse_core::engine::stock::{LevelSettings, StockAction};
use stockpulse_core::model::{
    LocationId, OrderId, OrderStatus, Policy, Quantity, ReservationState, Sourcing, StockQuantity, Strategy,
};

use crate::world::{ORDER, World, at, cancel, check, key, place, record, ship, ship_parts, sku, take_back, units};

const OTHER: OrderId = OrderId::from_u128(8);

/// Delivers everything once more, and checks that it changes nothing.
fn done(world: &mut World) {
    world.settle();
    check::at_rest(world);
    let before = world.snapshot();
    for _ in 0..3 {
        world.redeliver_everything();
    }
    assert_eq!(world.snapshot(), before);
}

#[test]
fn all_or_nothing_is_all() {
    let mut world = World::with_stock(&[("CUP", 5), ("SAUCER", 2)]);
    world.place(place(ORDER, &[("CUP", 3), ("SAUCER", 2)]));
    world.settle();
    assert_eq!(world.order().status, OrderStatus::Confirmed);
    assert_eq!(world.claim().unwrap().state, ReservationState::Allocated);
    assert_eq!(world.accepted(ship(ORDER, OrderParts::All)).status, OrderStatus::Shipped);
    done(&mut world);
    assert_eq!((world.stock_of("CUP"), world.stock_of("SAUCER")), ((2, 0, 2), (0, 0, 0)));
    assert_eq!(world.refused.len(), 0);
    let told = ["order.placed", "stock.reserved", "order.confirmed", "order.shipped", "stock.fulfilled"];
    assert_eq!(told.map(|name| world.told(name)), [1; 5]);
    assert_eq!(world.told("stock.allocated"), 0, "it had no end, and nobody waits to hear");
}

#[test]
fn all_or_nothing_is_nothing() {
    let mut world = World::with_stock(&[("CUP", 5), ("SAUCER", 1)]);
    world.place(place(ORDER, &[("CUP", 3), ("SAUCER", 2)]));
    done(&mut world);
    assert_eq!((world.order().status, world.claim()), (OrderStatus::Rejected, None));
    assert_eq!(world.stock_of("CUP"), (5, 0, 5));
}

#[test]
fn what_is_unknown_or_makes_no_sense_to_inventory_is_rejected() {
    let mut world = World::with_stock(&[("CUP", 5)]);
    world.place(place(ORDER, &[("NOWHERE", 1)]));
    let mut broken = place(OTHER, &[("SET", 1)]);
    broken.kits[0].components.clear();
    world.place(broken);
    done(&mut world);
    assert_eq!(world.order().status, OrderStatus::Rejected);
    assert_eq!(world.find(OTHER).unwrap().status, OrderStatus::Rejected);
}

#[test]
fn partial_is_what_there_is() {
    let mut world = World::with_stock(&[("CUP", 2), ("SAUCER", 5)]);
    world.receive("SPOON", 1);
    world.ask_stock(StockAction::Adjust { key: key("SPOON"), change: -1, reason: None });
    world.place(place(ORDER, &[("CUP", 3), ("SAUCER", 4), ("SPOON", 1)]).with_policy(Policy::Partial));
    world.settle();
    let granted: Vec<_> = world.order().lines.iter().map(|line| line.granted.get()).collect();
    assert_eq!((granted, world.order().is_adjusted()), (vec![2, 4, 0], true));
    world.accepted(ship(ORDER, OrderParts::All));
    done(&mut world);
    assert_eq!(world.order().status, OrderStatus::Shipped);
    assert_eq!((world.stock_of("CUP"), world.stock_of("SAUCER")), ((0, 0, 0), (1, 0, 1)));
    assert_eq!(world.told("order.adjusted"), 1);
}

#[test]
fn partial_with_nothing_there_is_rejected() {
    let mut world = World::with_stock(&[("CUP", 1)]);
    world.place(place(ORDER, &[("CUP", 1)]).with_policy(Policy::Partial));
    world.place(place(OTHER, &[("CUP", 1)]).with_policy(Policy::Partial));
    done(&mut world);
    let statuses = [ORDER, OTHER].map(|id| world.find(id).unwrap().status);
    assert_eq!(statuses, [OrderStatus::Confirmed, OrderStatus::Rejected]);
}

#[test]
fn backorders_ship_as_they_come_in_first_in_first_out() {
    let mut world = World::with_stock(&[("CUP", 2)]);
    world.backorder_up_to("CUP", Quantity::MAX);
    world.place(place(ORDER, &[("CUP", 5)]).with_policy(Policy::Backorder));
    world.place(place(OTHER, &[("CUP", 1)]).with_policy(Policy::Backorder));
    world.settle();
    check::at_rest(&world);
    assert_eq!(world.order().waiting, units(&[("CUP", 3)]));
    assert_eq!(world.accepted(ship(ORDER, OrderParts::All)).status, OrderStatus::PartlyShipped);
    assert!(matches!(world.refusal(ship_parts(ORDER, &[("CUP", 1)])), OrderRefusal::NotEnough { .. }));
    world.settle().receive("CUP", 2);
    world.settle();
    check::at_rest(&world);
    assert_eq!(world.order().waiting, units(&[("CUP", 1)]));
    assert!(!world.accepted(ship(OTHER, OrderParts::All)).changed, "it came second");
    world.receive("CUP", 9);
    world.settle();
    for order in [ORDER, OTHER] {
        assert_eq!(world.accepted(ship(order, OrderParts::All)).status, OrderStatus::Shipped);
    }
    done(&mut world);
    assert_eq!((world.stock_of("CUP"), world.refused.len()), ((7, 0, 7), 0));
}

#[test]
fn more_than_may_be_backordered_is_rejected() {
    let mut world = World::with_stock(&[("CUP", 2)]);
    world.backorder_up_to("CUP", 2.into());
    world.place(place(ORDER, &[("CUP", 5)]).with_policy(Policy::Backorder));
    done(&mut world);
    assert_eq!(world.order().status, OrderStatus::Rejected);
}

#[test]
fn kits_ship_and_come_back_as_their_components() {
    let mut world = World::with_stock(&[("CUP", 3), ("SAUCER", 5)]);
    world.place(place(ORDER, &[("SET", 2), ("CUP", 1)]));
    world.settle();
    assert_eq!(world.accepted(ship_parts(ORDER, &[("SET", 1)])).status, OrderStatus::PartlyShipped);
    world.settle();
    assert_eq!((world.stock_of("CUP"), world.stock_of("SAUCER")), ((2, 2, 0), (3, 2, 1)));
    world.accepted(ship(ORDER, OrderParts::All));
    world.accepted(take_back(ORDER, OrderParts::Lines(units(&[("SET", 1)]))));
    done(&mut world);
    assert_eq!((world.stock_of("CUP"), world.stock_of("SAUCER")), ((1, 0, 1), (3, 0, 3)));
    world.accepted(take_back(ORDER, OrderParts::All));
    done(&mut world);
    assert_eq!((world.stock_of("CUP"), world.stock_of("SAUCER")), ((3, 0, 3), (5, 0, 5)));
    assert_eq!((world.order().status, world.refused.len()), (OrderStatus::Returned, 0));
}

#[test]
fn kits_that_wait_ship_when_their_last_component_is_there() {
    let mut world = World::with_stock(&[("CUP", 3), ("SAUCER", 1)]);
    world.backorder_up_to("SAUCER", 9.into());
    world.place(place(ORDER, &[("SET", 2), ("SAUCER", 1)]).with_policy(Policy::Backorder));
    world.settle();
    assert_eq!(world.order().waiting, units(&[("SAUCER", 4)]));
    assert!(!world.accepted(ship(ORDER, OrderParts::All)).changed);
    world.receive("SAUCER", 3);
    world.settle();
    check::at_rest(&world);
    assert_eq!(world.accepted(ship(ORDER, OrderParts::All)).status, OrderStatus::PartlyShipped);
    world.receive("SAUCER", 3);
    world.settle();
    assert_eq!(world.accepted(ship(ORDER, OrderParts::All)).status, OrderStatus::Shipped);
    done(&mut world);
    assert_eq!((world.stock_of("CUP"), world.stock_of("SAUCER")), ((1, 0, 1), (2, 0, 2)));
    assert_eq!(world.refused.len(), 0);
}

#[test]
fn locations_share_an_order() {
    let mut world = World::with_stock(&[("CUP", 2)]);
    let east = [StockQuantity::new(at("CUP", "east"), 2.into())].into();
    world.ask_stock(StockAction::Receive { lines: east });
    let locations = ["east", "main"].map(|name| LocationId::new(name).unwrap()).to_vec();
    let sourcing = Sourcing { strategy: Strategy::Priority, locations };
    world.place(place(ORDER, &[("CUP", 3)]).with_sourcing(sourcing));
    world.settle();
    world.accepted(ship_parts(ORDER, &[("CUP", 1)]));
    world.settle();
    assert_eq!((world.stock_of("CUP"), world.stock.level(&at("CUP", "east")).unwrap().on_hand), ((2, 1, 1), 1.into()));
    world.accepted(cancel(ORDER));
    done(&mut world);
    assert_eq!((world.stock_of("CUP"), world.stock.level(&at("CUP", "east")).unwrap().reserved), ((2, 0, 2), 0.into()));
}

#[test]
fn services_are_always_there() {
    let mut world = World::new();
    world.configure(key("HELP"), LevelSettings { tracked: Some(false), ..LevelSettings::default() });
    world.place(place(ORDER, &[("HELP", 1_000)]));
    world.settle();
    world.accepted(ship(ORDER, OrderParts::All));
    done(&mut world);
    assert_eq!((world.order().status, world.refused.len()), (OrderStatus::Shipped, 0));
}

#[test]
fn two_orders_for_the_last_unit_are_one_sale() {
    let mut world = World::with_stock(&[("CUP", 1)]);
    for order in (0..10).map(|n| OrderId::from_u128(100 + n)) {
        world.place(place(order, &[("CUP", 1)]));
    }
    done(&mut world);
    let confirmed = world.orders.orders().filter(|order| order.status == OrderStatus::Confirmed).count();
    assert_eq!((confirmed, world.stock_of("CUP")), (1, (1, 1, 0)));
}

#[test]
fn reservations_of_carts_are_no_orders_matter() {
    use stockpulse_core::engine::stock::Reserve;
    use stockpulse_core::model::ReservationId;
    let mut world = World::with_stock(&[("CUP", 1)]);
    let cart = Reserve::new(ReservationId::from_u128(1)).with_line(sku("CUP"), 1);
    world.ask_stock(StockAction::Reserve(cart));
    let before = world.orders.outcomes().count();
    world.settle();
    assert_eq!(world.orders.outcomes().count(), before);
    let answer = stockpulse_core::engine::order::StockAnswer::Rejected;
    let unknown = record(ORDER, ORDER.reservation(1), answer);
    assert_eq!(world.refusal(unknown), OrderRefusal::UnknownOrder(ORDER));
}
