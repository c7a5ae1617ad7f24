//! Replacing a hold: a cart that changed, or that is tried once more.

use std::time::Duration;

use super::*;
use crate::model::{OrderId, Policy, ReservationState};

/// Acceptance scenario 10: blocked by one's own hold.
#[test]
fn the_last_unit_is_not_taken_by_ones_own_abandoned_attempt() {
    let mut shop = Shop::with(&[("A", 1)]);
    shop.reserve(request(1, &[("A", 1)]));
    let again = shop.reserve(request(1, &[("A", 1)]).replacing());
    assert_eq!(granted(&again), [("A", 1, 0)]);
    assert_eq!(shop.stand("A"), (1, 1, 0, 0));
    assert_eq!(shop.told(), ["stock.reserved", "stock.updated"], "others were told that it was back");
    assert_eq!(short(shop.refused(StockAction::Reserve(request(2, &[("A", 1)])))), [("A".to_owned(), 1, 0)]);
}

#[test]
fn a_changed_cart_holds_what_it_has_now_and_no_more() {
    let mut shop = Shop::with(&[("A", 5), ("B", 5)]);
    shop.reserve(request(1, &[("A", 4), ("B", 1)]).with_hold(Duration::from_secs(60)));
    shop.wait(30);
    shop.reserve(request(1, &[("A", 5)]).replacing().with_hold(Duration::from_secs(60)));
    assert_eq!((shop.stand("A"), shop.stand("B")), ((5, 5, 0, 0), (5, 0, 0, 5)));
    let reservation = shop.reservation(1);
    assert_eq!(claims(&reservation), [("A@main".to_owned(), 5, 0)]);
    assert_eq!((reservation.state, reservation.version), (ReservationState::Held, 2));
    let end = Timestamp::from_micros(shop.now.as_micros() + 60_000_000);
    assert_eq!(reservation.expires_at, Some(end));
}

#[test]
fn when_the_new_one_is_refused_the_old_one_stands_and_nobody_is_told_otherwise() {
    let mut shop = Shop::with(&[("A", 5)]);
    let order = OrderId::from_u128(1);
    shop.reserve(request(1, &[("A", 4)]).with_order(order));
    let before = shop.reservation(1);
    let more = request(1, &[("A", 6)]).with_order(order).replacing();
    assert_eq!(short(shop.refused(StockAction::Reserve(more))), [("A".to_owned(), 6, 5)]);
    assert_eq!(shop.reservation(1), before);
    assert_eq!(shop.told(), Vec::<&str>::new(), "the order still has its hold");
    let mut late = request(1, &[("A", 1)]).with_order(order).replacing();
    late.hold = super::super::Hold::Until(shop.now);
    assert_eq!(shop.refused(StockAction::Reserve(late)), Refusal::HoldEnded(shop.now));
    assert_eq!(shop.told(), Vec::<&str>::new());
}

#[test]
fn what_is_allocated_or_has_shipped_is_not_replaced_and_what_ended_unused_is() {
    let mut shop = Shop::with(&[("A", 5)]);
    let replacing = || StockAction::Reserve(request(1, &[("A", 1)]).replacing());
    shop.act(replacing());
    shop.release(1, Parts::All);
    shop.reserve(request(1, &[("A", 2)]).with_hold(Duration::from_secs(1)).replacing());
    shop.wait(1);
    shop.expire(1);
    shop.act(replacing());
    assert_eq!(shop.reservation(1).version, 5, "versions never begin anew");
    shop.allocate(1);
    assert_eq!(shop.refused(replacing()), Refusal::ReservationExists(ReservationState::Allocated));
    shop.fulfil(1, Parts::All);
    assert_eq!(shop.refused(replacing()), Refusal::ReservationExists(ReservationState::Fulfilled));
}

#[test]
fn a_replaced_hold_keeps_its_covered_units_while_others_wait() {
    let mut shop = Shop::with(&[("A", 3)]);
    shop.configure("A", backorders(10_u32));
    shop.reserve(request(1, &[("A", 3)]));
    shop.reserve(request(2, &[("A", 2)]).with_policy(Policy::Backorder));
    shop.reserve(request(1, &[("A", 3)]).replacing());
    assert_eq!(claims(&shop.reservation(1)), [("A@main".to_owned(), 3, 0)]);
    assert_eq!(claims(&shop.reservation(2)), [("A@main".to_owned(), 2, 2)]);
    shop.reserve(request(1, &[("A", 2)]).replacing());
    assert_eq!(claims(&shop.reservation(2)), [("A@main".to_owned(), 2, 1)], "what was freed fills the next");
    let more = request(1, &[("A", 3)]).replacing();
    assert_eq!(short(shop.refused(StockAction::Reserve(more))), [("A".to_owned(), 3, 2)]);
}

#[test]
fn a_replaced_hold_that_waits_does_not_count_twice_against_the_limit() {
    let mut shop = Shop::with(&[("A", 1)]);
    shop.configure("A", backorders(4_u32));
    let cart = |units| request(1, &[("A", units)]).with_policy(Policy::Backorder).replacing();
    shop.reserve(cart(5));
    shop.reserve(cart(5));
    assert_eq!(shop.stand("A"), (1, 5, 4, -4));
    assert_eq!(short(shop.refused(StockAction::Reserve(cart(6)))), [("A".to_owned(), 6, 5)]);
    shop.reserve(cart(2));
    assert_eq!(claims(&shop.reservation(1)), [("A@main".to_owned(), 2, 1)]);
    assert_eq!(shop.set.backorders(&key("A")).count(), 1);
}

#[test]
fn whether_a_level_ran_out_or_came_back_is_told_of_the_replacement_as_a_whole() {
    let mut shop = Shop::with(&[("A", 5), ("B", 5)]);
    shop.reserve(request(1, &[("A", 5)]));
    shop.reserve(request(1, &[("B", 5)]).replacing());
    let mut told = shop.told();
    told.sort_unstable();
    assert_eq!(told, ["stock.back", "stock.out", "stock.reserved", "stock.updated", "stock.updated"]);
}

#[test]
fn the_largest_claim_can_be_replaced_too() {
    let mut shop = Shop::with(&[("A", 2), ("S", 0)]);
    shop.configure("A", backorders(Quantity::MAX));
    shop.configure("S", LevelSettings { tracked: Some(false), ..LevelSettings::default() });
    let all = || {
        let request = Reserve::new(id(1)).with_line(sku("A"), Quantity::MAX).with_line(sku("S"), Quantity::MAX);
        request.with_policy(Policy::Backorder).replacing()
    };
    shop.reserve(all());
    shop.reserve(all());
    assert_eq!((shop.level("A").reserved, shop.level("S").reserved), (Quantity::MAX, Quantity::MAX));
}
