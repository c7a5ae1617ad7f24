//! Orders that are cancelled, at every point of their life and before it.

use stockpulse_core::engine::order::{OrderAction, OrderParts, OrderRefusal};
use stockpulse_core::engine::stock::{Parts, StockAction, StockOutcome};
use stockpulse_core::model::{OrderStatus, PaymentStatus, Policy, ReservationState};

use crate::world::{
    HALF_HOUR, ORDER, World, begin_payment, cancel, check, pay, place, ship, ship_parts, take_back, units,
};

type Step = fn(&mut World);

/// The steps of an order's life, and whether it can still be cancelled after each.
const LIFE: [(Step, bool); 14] = [
    (
        |world| {
            world.place(place(ORDER, &[("CUP", 3), ("SET", 2)]).prepaid(HALF_HOUR));
        },
        true,
    ),
    (
        |world| {
            world.all_to_stock();
        },
        true,
    ),
    (
        |world| {
            world.all_to_orders();
        },
        true,
    ),
    (
        |world| {
            world.accepted(begin_payment(ORDER, HALF_HOUR));
        },
        true,
    ),
    (
        |world| {
            world.all_to_stock();
        },
        true,
    ),
    (
        |world| {
            world.accepted(pay(ORDER));
        },
        true,
    ),
    (
        |world| {
            world.all_to_stock();
        },
        true,
    ),
    (
        |world| {
            world.all_to_orders();
        },
        true,
    ),
    (
        |world| {
            world.accepted(ship_parts(ORDER, &[("CUP", 1), ("SET", 1)]));
        },
        true,
    ),
    (
        |world| {
            world.all_to_stock();
        },
        true,
    ),
    (
        |world| {
            world.accepted(take_back(ORDER, OrderParts::Lines(units(&[("SET", 1)]))));
        },
        true,
    ),
    (
        |world| {
            world.accepted(ship(ORDER, OrderParts::All));
        },
        false,
    ),
    (
        |world| {
            world.all_to_stock();
        },
        false,
    ),
    (
        |world| {
            world.settle();
        },
        false,
    ),
];

#[test]
fn an_order_can_be_cancelled_at_every_point_until_it_has_shipped() {
    for steps in 1..=LIFE.len() {
        let mut world = World::with_stock(&[("CUP", 10), ("SAUCER", 10)]);
        for (step, _) in &LIFE[..steps] {
            step(&mut world);
        }
        let cancelled = LIFE[steps - 1].1;
        if cancelled {
            assert_eq!(world.accepted(cancel(ORDER)).status, OrderStatus::Cancelled, "after {steps} steps");
        } else {
            assert_eq!(world.refusal(cancel(ORDER)), OrderRefusal::WrongState(OrderStatus::Shipped));
        }
        check::at_rest(world.settle());
        let gone = |units: fn(&stockpulse_core::model::OrderLine) -> i64| -> i64 {
            world.order().lines.iter().map(units).sum()
        };
        assert_eq!(gone(|line| line.shipped.get()) > 0, steps >= 9);
        assert_eq!(world.level("CUP").reserved, 0.into(), "after {steps} steps");
        assert_eq!(world.told("stock.released"), usize::from(cancelled), "after {steps} steps");
        assert_eq!(world.order().payment == PaymentStatus::RefundDue, cancelled && steps >= 6);
        let before = world.snapshot();
        world.redeliver_everything();
        assert_eq!(world.snapshot(), before);
        world.after(4 * HALF_HOUR);
        assert_eq!((world.sweep_holds(), world.sweep_orders()), (0, 0));
    }
}

#[test]
fn cancelled_before_it_was_placed_at_the_orders_side() {
    let mut world = World::with_stock(&[("CUP", 3)]);
    world.accepted(cancel(ORDER));
    let late = OrderAction::Place(place(ORDER, &[("CUP", 3)]));
    assert_eq!(world.refusal(late), OrderRefusal::OrderExists(OrderStatus::Cancelled));
    check::at_rest(world.settle());
    assert_eq!(world.accepted(pay(ORDER)).payment, PaymentStatus::RefundDue);
    check::at_rest(world.settle());
    assert_eq!((world.stock_of("CUP"), world.told("order.placed")), ((3, 0, 3), 0));
}

#[test]
fn cancelled_before_it_was_placed_at_inventorys_side() {
    let mut world = World::with_stock(&[("CUP", 3)]);
    world.place(place(ORDER, &[("CUP", 3)]));
    world.accepted(cancel(ORDER));
    let [placed, cancelled] = world.order_events.log.clone().try_into().unwrap();
    world.handle_order_event(&cancelled);
    world.handle_order_event(&placed);
    check::at_rest(world.settle());
    assert_eq!((world.stock_of("CUP"), world.claim().unwrap().state), ((3, 0, 3), ReservationState::Released));
    assert_eq!((world.told("stock.reserved"), world.told("stock.rejected")), (0, 0));
}

/// Scenario 7 (a): order 5 of 100, ship 5, cancel: 95 on hand, 95 available.
#[test]
fn cancelled_after_all_has_shipped() {
    let mut world = World::with_stock(&[("CUP", 100)]);
    world.place(place(ORDER, &[("CUP", 5)]));
    world.settle();
    world.accepted(ship(ORDER, OrderParts::All));
    world.settle();
    assert_eq!(world.refusal(cancel(ORDER)), OrderRefusal::WrongState(OrderStatus::Shipped));
    check::at_rest(world.settle());
    assert_eq!(world.stock_of("CUP"), (95, 0, 95));
}

/// Scenario 7 (b): order 10 of 100, ship 7, cancel: exactly 3 are released, 93 are available.
#[test]
fn cancelled_after_part_of_it_has_shipped() {
    let mut world = World::with_stock(&[("CUP", 100)]);
    world.place(place(ORDER, &[("CUP", 10)]));
    world.settle();
    world.accepted(ship_parts(ORDER, &[("CUP", 7)]));
    world.accepted(cancel(ORDER));
    check::at_rest(world.settle());
    assert_eq!(world.stock_of("CUP"), (93, 0, 93));
    let line = &world.claim().unwrap().lines[0];
    assert_eq!((line.fulfilled, line.released), (7.into(), 3.into()));
}

/// Scenario 8: releasing what was never reserved, has shipped or was released before does nothing.
#[test]
fn released_without_a_hold() {
    let mut world = World::with_stock(&[("CUP", 3)]);
    world.place(place(ORDER, &[("CUP", 9)]));
    world.settle();
    assert!(!world.accepted(cancel(ORDER)).changed, "it had no reservation");
    let shipped = stockpulse_core::model::OrderId::from_u128(8);
    world.place(place(shipped, &[("CUP", 2)]));
    world.settle();
    world.accepted(ship(shipped, OrderParts::All));
    world.settle();
    for reservation in [ORDER.reservation(1), shipped.reservation(1)] {
        for _ in 0..2 {
            let action = StockAction::Release { reservation, parts: Parts::All, tombstone: true };
            assert!(matches!(world.ask_stock(action), StockOutcome::Released(released) if released.lines.is_empty()));
        }
    }
    check::at_rest(world.settle());
    assert_eq!((world.stock_of("CUP"), world.told("stock.released")), ((1, 0, 1), 0));
}

/// Scenario 12 (b): a late "paid" on a cancelled order whose stock is back changes neither, and is recorded.
#[test]
fn paid_after_it_was_cancelled() {
    let mut world = World::with_stock(&[("CUP", 3)]);
    world.place(place(ORDER, &[("CUP", 3)]).prepaid(HALF_HOUR));
    world.settle();
    world.accepted(begin_payment(ORDER, HALF_HOUR));
    world.settle();
    world.accepted(cancel(ORDER));
    check::at_rest(world.settle());
    let state = world.accepted(pay(ORDER));
    assert_eq!((state.status, state.payment), (OrderStatus::Cancelled, PaymentStatus::RefundDue));
    let movements = world.ledger.len();
    check::at_rest(world.settle());
    assert_eq!((world.stock_of("CUP"), world.ledger.len()), ((3, 0, 3), movements));
}

#[test]
fn what_a_cancelled_order_gives_back_fills_who_waits() {
    let mut world = World::with_stock(&[("CUP", 3)]);
    world.backorder_up_to("CUP", 9.into());
    let other = stockpulse_core::model::OrderId::from_u128(8);
    world.place(place(ORDER, &[("CUP", 3)]));
    world.settle();
    world.place(place(other, &[("CUP", 2)]).with_policy(Policy::Backorder));
    world.settle();
    assert!(!world.accepted(ship(other, OrderParts::All)).changed);
    world.accepted(cancel(ORDER));
    check::at_rest(world.settle());
    assert_eq!(world.accepted(ship(other, OrderParts::All)).status, OrderStatus::Shipped);
    check::at_rest(world.settle());
    assert_eq!(world.stock_of("CUP"), (1, 0, 1));
}
