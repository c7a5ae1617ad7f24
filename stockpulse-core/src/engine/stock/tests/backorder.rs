//! Waiting claims are covered first in, first out, by whatever frees stock.

use std::time::Duration;

use super::super::{BackorderChange, Filled};
use super::*;
use crate::model::{MovementKind, OrderId, Policy};

/// No stock, and reservations 1, 2 and 3 wait for two, three and one.
fn shop() -> Shop {
    let mut shop = Shop::with(&[("A", 0)]);
    shop.configure("A", backorders(Quantity::MAX));
    for (reservation, units) in [(1, 2), (2, 3), (3, 1)] {
        let request = request(reservation, &[("A", units)]).with_policy(Policy::Backorder);
        shop.reserve(request.with_order(OrderId::from_u128(reservation)).with_hold(Duration::from_secs(60)));
    }
    shop
}

fn filled(moved: &Moved) -> Vec<(ReservationId, i64)> {
    moved.filled.iter().map(|filled| (filled.reservation, filled.quantity.get())).collect()
}

/// Who waits, and for how many.
fn queue(shop: &Shop) -> Vec<(ReservationId, i64)> {
    shop.set.backorders(&key("A")).map(|entry| (entry.reservation, entry.quantity.get())).collect()
}

#[test]
fn goods_that_come_in_fill_first_in_first_out() {
    let mut shop = shop();
    assert_eq!(shop.stand("A"), (0, 6, 6, -6));
    let first = shop.receive(&[("A", 4)]);
    assert_eq!(filled(&first), [(id(1), 2), (id(2), 2)]);
    let expected = (id(1), Some(OrderId::from_u128(1)), key("A"), Quantity::from(2));
    let Filled { reservation, order, key, quantity } = first.filled[0].clone();
    assert_eq!((reservation, order, key, quantity), expected);
    assert_eq!(queue(&shop), [(id(2), 1), (id(3), 1)]);
    assert_eq!(shop.stand("A"), (4, 6, 2, -2));
    let kinds: Vec<_> = shop.movements.iter().map(|movement| (movement.kind, movement.reservation)).collect();
    let of = |reservation| (MovementKind::Filled, Some(id(reservation)));
    assert_eq!(kinds, [(MovementKind::Received, None), of(1), of(2)]);
    assert_eq!(filled(&shop.receive(&[("A", 9)])), [(id(2), 1), (id(3), 1)]);
    assert_eq!(shop.stand("A"), (13, 6, 0, 7));
}

#[test]
fn nobody_jumps_the_queue() {
    let mut shop = shop();
    shop.receive(&[("A", 5)]);
    let small = request(4, &[("A", 1)]).with_policy(Policy::Partial);
    assert_eq!(short(shop.refused(StockAction::Reserve(small))), [("A".to_owned(), 1, 0)]);
    assert_eq!(filled(&shop.receive(&[("A", 1)])), [(id(3), 1)]);
}

#[test]
fn returns_adjustments_counts_and_transfers_fill_too() {
    let one = || units_at(&[("A", 1)]);
    let mut shop = shop();
    shop.receive(&[("A@east", 9)]);
    let outcome = moved(shop.act(StockAction::Return { lines: one(), order: None }));
    assert_eq!(filled(&outcome), [(id(1), 1)]);
    let outcome = moved(shop.act(StockAction::Adjust { key: key("A"), change: 1, reason: None }));
    assert_eq!(filled(&outcome), [(id(1), 1)]);
    let outcome = moved(shop.act(StockAction::Count { key: key("A"), counted: 3.into(), reason: None }));
    assert_eq!(filled(&outcome), [(id(2), 1)]);
    let (from, to) = (place("east"), place("main"));
    let transfer = StockAction::Transfer { sku: sku("A"), from, to, quantity: 3.into() };
    assert_eq!(filled(&moved(shop.act(transfer))), [(id(2), 2), (id(3), 1)]);
}

#[test]
fn what_others_give_back_fills_the_next() {
    let mut shop = shop();
    shop.receive(&[("A", 5)]);
    shop.release(1, skus(&[("A", 1)]));
    assert_eq!(queue(&shop), []);
    assert_eq!(shop.stand("A"), (5, 5, 0, 0));

    let mut shop = self::shop();
    shop.receive(&[("A", 2)]);
    shop.wait(60);
    shop.expire(1);
    assert_eq!(queue(&shop), [(id(2), 1), (id(3), 1)]);
}

#[test]
fn a_claim_that_ends_leaves_the_queue_and_the_rest_move_up() {
    let mut shop = shop();
    shop.release(2, Parts::All);
    assert_eq!(queue(&shop), [(id(1), 2), (id(3), 1)]);
    shop.wait(60);
    shop.expire(1);
    assert_eq!(filled(&shop.receive(&[("A", 1)])), [(id(3), 1)]);
}

#[test]
fn safety_stock_is_not_given_to_those_who_wait_until_it_is_lowered() {
    let mut shop = shop();
    let safety = |units: u32| LevelSettings { safety_stock: Some(units.into()), ..LevelSettings::default() };
    shop.configure("A", safety(4));
    assert_eq!(filled(&shop.receive(&[("A", 5)])), [(id(1), 1)]);
    assert_eq!(filled(&shop.configure("A", safety(2))), [(id(1), 1), (id(2), 1)]);
}

#[test]
fn a_place_in_the_queue_outlives_allocation_and_shipping_of_what_there_is() {
    let mut shop = shop();
    shop.receive(&[("A", 1)]);
    shop.allocate(1);
    shop.fulfil(1, Parts::All);
    assert_eq!(queue(&shop), [(id(1), 1), (id(2), 3), (id(3), 1)]);
    assert_eq!(filled(&shop.receive(&[("A", 1)])), [(id(1), 1)]);
    assert_eq!(shop.fulfil(1, Parts::All).state, crate::model::ReservationState::Fulfilled);
}

#[test]
fn stores_are_told_how_the_queue_changed() {
    let mut shop = shop();
    let engine = shop.engine.clone();
    let receive = shop.command(StockAction::Receive { lines: units_at(&[("A", 3)]) });
    let request = request(4, &[("A", 1)]).with_policy(Policy::Backorder);
    let reserve = shop.command(StockAction::Reserve(request));
    engine.execute_stock(&mut shop.set, &[receive, reserve]);
    let left = |position, units: u32| BackorderChange::Left { key: key("A"), position, quantity: units.into() };
    let BackorderChange::Added(added) = &shop.set.backorder_changes()[2] else { panic!("no entry was added") };
    assert_eq!((added.reservation, added.quantity), (id(4), Quantity::ONE));
    let positions: Vec<_> = [1, 2].map(|n| shop.reservation(n).lines[0].queued_at.unwrap()).into();
    assert_eq!(shop.set.backorder_changes()[..2], [left(positions[0], 0), left(positions[1], 2)]);
}
