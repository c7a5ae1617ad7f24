//! What inventory's answers mean for an order.

use super::desk::{Desk, HALF_HOUR, ORDER, filled, parts, place, reserved, set, sku, units};
use crate::engine::order::{OrderAction, OrderParts, OrderRefusal, Place, StockAnswer};
use crate::model::{OrderChange, OrderDetail, OrderId, OrderStatus, PaymentStatus, Policy, Quantity};

fn line(desk: &Desk, name: &str) -> (i64, i64, i64) {
    let line = desk.order().lines.iter().find(|line| line.sku == sku(name)).unwrap();
    (line.granted.get(), line.backordered.get(), line.shippable().get())
}

fn backorder(lines: &[(&str, u32)]) -> Place {
    let mut place = place(lines).with_policy(Policy::Backorder);
    place.kits = vec![set()];
    place
}

#[test]
fn stock_for_all_of_it_confirms_the_order() {
    let mut desk = Desk::placed(place(&[("CUP", 3), ("SAUCER", 2)]));
    let state = desk.reserve_all();
    assert_eq!((state.status, state.version), (OrderStatus::Confirmed, 2));
    let event = desk.event();
    assert_eq!(event.change, OrderChange::Confirmed);
    assert_eq!(event.detail, OrderDetail::Lines(desk.order().lines.clone()));
    assert_eq!((line(&desk, "CUP"), line(&desk, "SAUCER")), ((3, 0, 3), (2, 0, 2)));
    assert_eq!(desk.order().total().unwrap().minor, 5 * 250);
}

#[test]
fn stock_for_part_of_it_adjusts_the_order() {
    let mut desk = Desk::placed(place(&[("CUP", 3), ("SAUCER", 2)]).with_policy(Policy::Partial));
    desk.answer(reserved(&[("CUP", 3, 2), ("SAUCER", 2, 0)], &[]));
    assert_eq!((desk.order().status, desk.event().change), (OrderStatus::Confirmed, OrderChange::Adjusted));
    assert_eq!((line(&desk, "CUP"), line(&desk, "SAUCER")), ((2, 0, 2), (0, 0, 0)));
    assert_eq!(desk.order().total().unwrap().minor, 2 * 250);
    assert_eq!(desk.ship(OrderParts::All).status, OrderStatus::Shipped);
}

#[test]
fn an_answer_never_grants_more_than_was_asked_for() {
    let mut desk = Desk::placed(place(&[("CUP", 3)]));
    desk.answer(reserved(&[("CUP", 3, 9), ("OTHER", 1, 1)], &[]));
    assert_eq!(line(&desk, "CUP"), (3, 0, 3));
}

#[test]
fn no_stock_rejects_the_order() {
    let mut desk = Desk::placed(place(&[("CUP", 3)]).prepaid(HALF_HOUR));
    let state = desk.answer(StockAnswer::Rejected);
    assert_eq!((state.status, state.payment), (OrderStatus::Rejected, PaymentStatus::Due));
    assert_eq!(desk.event().change, OrderChange::Rejected);
}

#[test]
fn answers_about_an_unknown_order_are_refused() {
    let order = OrderId::from_u128(404);
    let answer = StockAnswer::Rejected;
    let action = OrderAction::RecordReservation { order, reservation: order.reservation(1), answer };
    assert_eq!(Desk::new().refused(action), OrderRefusal::UnknownOrder(order));
}

#[test]
fn late_answers_change_nothing() {
    let answers = || {
        let reserved = reserved(&[("CUP", 3, 3)], &[]);
        [reserved, StockAnswer::Rejected, StockAnswer::Expired, StockAnswer::Allocated, filled(&[("CUP", 1)])]
    };
    let ends: [fn(&mut Desk); 4] = [
        |desk| {
            desk.cancel();
        },
        |desk| {
            desk.answer(StockAnswer::Rejected);
        },
        |desk| {
            desk.after(HALF_HOUR).accepted(OrderAction::Expire { order: ORDER });
        },
        |desk| {
            desk.reserve_all();
            desk.pay();
            desk.answer(StockAnswer::Allocated);
            desk.ship(OrderParts::All);
        },
    ];
    for end in ends {
        let mut desk = Desk::placed(place(&[("CUP", 3)]).prepaid(HALF_HOUR));
        end(&mut desk);
        for answer in answers() {
            assert!(!desk.answer(answer.clone()).changed, "{answer:?} on {:?}", desk.order());
        }
    }
}

#[test]
fn a_second_answer_does_not_undo_the_first() {
    let mut desk = Desk::confirmed(place(&[("CUP", 3)]));
    assert!(!desk.answer(StockAnswer::Rejected).changed);
    assert!(!desk.answer(reserved(&[("CUP", 3, 1)], &[])).changed);
    assert!(!desk.answer(StockAnswer::Allocated).changed, "nothing could have taken it away");
}

#[test]
fn answers_about_an_earlier_attempt_change_nothing() {
    let mut desk = Desk::confirmed(place(&[("CUP", 3)]).prepaid(HALF_HOUR));
    desk.begin_payment(HALF_HOUR);
    desk.answer(StockAnswer::Expired);
    assert_eq!((desk.order().status, desk.order().attempt), (OrderStatus::Placed, 2));
    for answer in [reserved(&[("CUP", 3, 3)], &[]), StockAnswer::Rejected, StockAnswer::Expired] {
        let reservation = ORDER.reservation(1);
        assert!(!desk.accepted(OrderAction::RecordReservation { order: ORDER, reservation, answer }).changed);
    }
}

#[test]
fn what_waits_does_not_ship_until_it_is_filled() {
    let mut desk = Desk::placed(backorder(&[("CUP", 5)]));
    desk.answer(reserved(&[("CUP", 5, 5)], &[("CUP", 2), ("CUP", 1)]));
    assert_eq!((desk.event().change, line(&desk, "CUP")), (OrderChange::Confirmed, (5, 3, 2)));
    assert_eq!(desk.order().waiting, units(&[("CUP", 3)]));
    assert_eq!(desk.ship(OrderParts::All).status, OrderStatus::PartlyShipped);
    assert!(!desk.ship(OrderParts::All).changed);
    desk.answer(filled(&[("CUP", 1)]));
    assert_eq!((desk.event().change, line(&desk, "CUP")), (OrderChange::Filled, (5, 2, 1)));
    assert!(!desk.answer(filled(&[("SAUCER", 1)])).changed, "it waits for no saucers");
    desk.answer(filled(&[("CUP", 2)]));
    assert_eq!((line(&desk, "CUP"), desk.order().waiting.len()), ((5, 0, 3), 0));
    assert!(!desk.answer(filled(&[("CUP", 1)])).changed, "nothing waits any more");
    assert_eq!(desk.ship(OrderParts::All).status, OrderStatus::Shipped);
}

#[test]
fn a_kit_waits_for_the_component_that_is_missing_most() {
    let mut desk = Desk::placed(backorder(&[("SET", 4)]));
    desk.answer(reserved(&[("SET", 4, 4)], &[("CUP", 1), ("SAUCER", 5)]));
    assert_eq!(line(&desk, "SET"), (4, 3, 1), "5 saucers are missing in 3 sets");
    desk.answer(filled(&[("SAUCER", 1)]));
    assert_eq!(line(&desk, "SET"), (4, 2, 2));
    desk.answer(filled(&[("SAUCER", 4)]));
    assert_eq!(line(&desk, "SET"), (4, 1, 3), "the cup is still missing");
    desk.answer(filled(&[("CUP", 1)]));
    assert_eq!(line(&desk, "SET"), (4, 0, 4));
}

#[test]
fn what_a_kit_and_a_line_share_holds_both_back() {
    let mut desk = Desk::placed(backorder(&[("SET", 2), ("CUP", 3)]));
    desk.answer(reserved(&[("SET", 2, 2), ("CUP", 3, 3)], &[("CUP", 1)]));
    assert_eq!((line(&desk, "SET"), line(&desk, "CUP")), ((2, 1, 1), (3, 1, 2)));
    desk.ship(parts(&[("CUP", 2), ("SET", 1)]));
    desk.answer(filled(&[("CUP", 1)]));
    assert_eq!(desk.ship(OrderParts::All).status, OrderStatus::Shipped);
}

#[test]
fn a_dead_order_waits_for_nothing() {
    let mut desk = Desk::placed(backorder(&[("CUP", 5)]));
    desk.answer(reserved(&[("CUP", 5, 5)], &[("CUP", 3)]));
    desk.ship(OrderParts::All);
    desk.cancel();
    assert_eq!((desk.order().waiting.len(), line(&desk, "CUP").1), (0, 0));
    assert_eq!(desk.order().lines[0].backordered, Quantity::ZERO);
}
