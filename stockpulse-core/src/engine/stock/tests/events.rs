//! Events: which, in which order, with which sequence and ids.

use std::collections::BTreeSet;

use super::*;
use crate::model::{Availability, EventKey, OrderId, Policy, TraceContext};

fn low_at(units: u32) -> LevelSettings {
    LevelSettings { low_stock_at: Some(Some(units.into())), ..LevelSettings::default() }
}

/// What the last command said about availability.
fn availability(shop: &Shop) -> Vec<(&'static str, i64, u64)> {
    let news = shop.news().into_iter().filter_map(|event| {
        let (name, Availability { available, version, .. }) = match event {
            StockEvent::Low(availability) => ("low", availability),
            StockEvent::Out(availability) => ("out", availability),
            StockEvent::Back(availability) => ("back", availability),
            _ => return None,
        };
        Some((name, *available, *version))
    });
    news.collect()
}

#[test]
fn each_command_says_what_it_did() {
    let mut shop = Shop::with(&[("A", 9)]);
    assert_eq!(shop.told(), ["stock.back", "stock.adjusted", "stock.updated"]);
    shop.reserve(request(1, &[("A", 4)]));
    assert_eq!(shop.told(), ["stock.reserved", "stock.updated"]);
    shop.allocate(1);
    assert_eq!(shop.told(), Vec::<&str>::new());
    shop.fulfil(1, skus(&[("A", 1)]));
    assert_eq!(shop.told(), ["stock.fulfilled", "stock.updated"]);
    shop.release(1, Parts::All);
    assert_eq!(shop.told(), ["stock.released", "stock.updated"]);
    shop.reserve(request(2, &[("A", 4)]).with_hold(std::time::Duration::from_secs(1)));
    shop.wait(1);
    shop.expire(2);
    assert_eq!(shop.told(), ["stock.expired", "stock.updated"]);
    shop.configure("A", LevelSettings::default());
    assert_eq!(shop.told(), ["stock.updated"]);
    shop.act(StockAction::Retire { sku: sku("A") });
    assert_eq!(shop.told(), ["stock.updated"]);
}

#[test]
fn an_allocation_is_told_once_and_only_of_a_hold_that_could_have_ended() {
    let mut shop = Shop::with(&[("A", 9), ("B", 9)]);
    let minute = std::time::Duration::from_secs(60);
    shop.reserve(request(1, &[("A", 4), ("B", 1)]).with_hold(minute));
    shop.release(1, skus(&[("A", 1), ("B", 1)]));
    shop.allocate(1);
    assert_eq!(shop.told(), ["stock.allocated"]);
    let StockEvent::Allocated(allocated) = shop.news()[0] else { panic!("{:?}", shop.news()) };
    assert_eq!((allocated.reservation, plain(&allocated.lines)), (id(1), pairs(&[("A", 3)])));
    assert_eq!(shop.events[0].sequence, 3);
    shop.allocate(1);
    assert_eq!(shop.told(), Vec::<&str>::new());
    shop.reserve(request(2, &[("A", 1)]).with_hold(minute));
    shop.act(StockAction::Extend { reservation: id(2), hold: super::super::Hold::Forever });
    shop.allocate(2);
    assert_eq!(shop.told(), ["stock.allocated"], "it had an end before it was extended");
}

#[test]
fn reservations_speak_with_their_version_and_levels_with_theirs() {
    let mut shop = Shop::with(&[("A", 9)]);
    let order = OrderId::from_u128(7);
    shop.reserve(request(1, &[("A", 4)]).with_order(order));
    let of = |shop: &Shop| shop.events.iter().map(|event| (event.sequence, event.key())).collect::<Vec<_>>();
    let (about_order, about_sku) = (EventKey::Order(order), EventKey::Sku(sku("A")));
    assert_eq!(of(&shop), [(1, about_order.clone()), (2, about_sku.clone())]);
    shop.allocate(1);
    shop.fulfil(1, Parts::All);
    assert_eq!(of(&shop), [(3, about_order), (3, about_sku)]);
    shop.reserve(request(2, &[("A", 1)]));
    assert_eq!(shop.events[0].key(), EventKey::Reservation(id(2)));
}

#[test]
fn a_filled_backorder_is_told_to_its_order() {
    let mut shop = Shop::with(&[("A", 0)]);
    shop.configure("A", backorders(9_u32));
    let order = OrderId::from_u128(7);
    shop.reserve(request(1, &[("A", 2)]).with_order(order).with_policy(Policy::Backorder));
    shop.receive(&[("A", 1)]);
    assert_eq!(shop.told(), ["stock.adjusted", "stock.filled", "stock.updated"]);
    assert_eq!(shop.events[1].key(), EventKey::Order(order));
    let StockEvent::Filled(filled) = shop.news()[1] else { panic!("{:?}", shop.news()) };
    assert_eq!((filled.reservation, plain(&filled.lines)), (id(1), pairs(&[("A", 1)])));
}

#[test]
fn what_waits_is_told_by_the_sku_that_is_missing() {
    let mut shop = Shop::with(&[("A", 2), ("B", 9)]);
    shop.configure("A", backorders(9_u32));
    shop.reserve(request(1, &[("B", 1), ("A", 5)]).with_policy(Policy::Backorder));
    assert_eq!(shop.told(), ["stock.out", "stock.reserved", "stock.updated", "stock.updated"]);
    let StockEvent::Reserved(reserved) = shop.news()[1] else { panic!("{:?}", shop.news()) };
    assert_eq!(reserved.waiting, [SkuQuantity::new(sku("A"), 3.into())]);
}

#[test]
fn only_an_order_is_told_that_it_gets_nothing() {
    let mut shop = Shop::with(&[("A", 1)]);
    shop.refused(StockAction::Reserve(request(1, &[("A", 2)])));
    assert_eq!(shop.told(), Vec::<&str>::new());
    let order = OrderId::from_u128(1);
    shop.refused(StockAction::Reserve(request(1, &[("A", 2), ("A", 1)]).with_order(order)));
    let StockEvent::Rejected(rejected) = shop.news()[0] else { panic!("{:?}", shop.news()) };
    assert_eq!((rejected.lines.len(), rejected.lines[0].requested), (1, 2.into()));
    for (lines, why) in [([("X", 1)], "unknown"), ([("A", 0)], "makes no sense")] {
        shop.refused(StockAction::Reserve(request(1, &lines).with_order(order)));
        assert_eq!(shop.told(), ["stock.rejected"], "{why}");
    }
}

#[test]
fn an_order_that_has_a_reservation_is_not_told_that_it_gets_nothing() {
    let mut shop = Shop::with(&[("A", 5)]);
    let order = OrderId::from_u128(1);
    shop.reserve(request(1, &[("A", 2)]).with_order(order));
    let mut late = request(1, &[("A", 2)]).with_order(order);
    late.hold = super::super::Hold::Until(shop.now);
    for again in [request(1, &[("A", 2)]).with_order(order), late, request(1, &[("A", 0)]).with_order(order)] {
        shop.refused(StockAction::Reserve(again));
        assert_eq!(shop.told(), Vec::<&str>::new());
    }
}

#[test]
fn low_out_and_back_are_told_when_the_line_is_crossed() {
    let mut shop = Shop::with(&[("A", 10)]);
    assert_eq!(availability(&shop), [("back", 10, 1)]);
    shop.configure("A", low_at(3));
    let mut take = |reservation, units| {
        shop.reserve(request(reservation, &[("A", units)]));
        availability(&shop)
    };
    assert_eq!(take(1, 6), []);
    assert_eq!(take(2, 1), [("low", 3, 4)]);
    assert_eq!(take(3, 1), [], "it was low before");
    assert_eq!(take(4, 2), [("out", 0, 6)]);
    shop.release(3, Parts::All);
    assert_eq!(availability(&shop), [("back", 1, 7)]);
    shop.release(1, Parts::All);
    assert_eq!(availability(&shop), []);
    shop.reserve(request(5, &[("A", 7)]));
    assert_eq!(availability(&shop), [("out", 0, 9)], "out, not low as well");
}

#[test]
fn shipping_makes_nothing_more_or_less_available() {
    let mut shop = Shop::with(&[("A", 1)]);
    shop.reserve(request(1, &[("A", 1)]));
    assert_eq!(availability(&shop), [("out", 0, 2)]);
    shop.allocate(1);
    shop.fulfil(1, Parts::All);
    assert_eq!(availability(&shop), []);
}

#[test]
fn safety_stock_is_not_available_and_a_service_is_never_out() {
    let mut shop = Shop::with(&[("A", 5), ("S", 5)]);
    shop.configure("A", LevelSettings { safety_stock: Some(5.into()), ..LevelSettings::default() });
    assert_eq!(availability(&shop), [("out", 0, 2)]);
    shop.configure("S", LevelSettings { tracked: Some(false), ..low_at(3) });
    shop.reserve(request(1, &[("S", 50)]));
    assert_eq!(availability(&shop), []);
}

#[test]
fn goods_that_only_cover_who_waits_are_not_back() {
    let mut shop = Shop::with(&[("A", 0)]);
    shop.configure("A", backorders(9_u32));
    shop.reserve(request(1, &[("A", 3)]).with_policy(Policy::Backorder));
    assert_eq!(availability(&shop), [], "it was out before");
    shop.receive(&[("A", 3)]);
    assert_eq!(availability(&shop), []);
    shop.receive(&[("A", 1)]);
    assert_eq!(availability(&shop).len(), 1);
}

#[test]
fn events_carry_the_commands_time_and_trace_and_an_id_of_their_own() {
    let mut shop = Shop::with(&[("A", 9), ("B", 9)]);
    let trace = TraceContext { trace_id: [1; 16], span_id: [2; 8], flags: 1 };
    let lines = units_at(&[("A", 1), ("B", 1), ("A", 1)]);
    let command = shop.command(StockAction::Receive { lines }).with_trace(Some(trace));
    shop.run(&command);
    assert!(shop.events.iter().all(|event| event.at == shop.now && event.command == command.id));
    let told: Vec<_> = shop.events.iter().filter(|event| event.trace == Some(trace)).map(|event| event.index).collect();
    assert_eq!(told, [0, 1, 2]);
    let ids: BTreeSet<_> = shop.events.iter().map(Event::id).collect();
    assert_eq!(ids.len(), shop.events.len());
}
