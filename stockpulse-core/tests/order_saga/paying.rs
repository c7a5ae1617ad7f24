//! Payments, and the holds that run out around them.

use std::time::Duration;

use stockpulse_core::engine::order::{OrderAction, OrderParts, OrderRefusal};
use stockpulse_core::model::{OrderChange, OrderId, OrderStatus, PaymentStatus, ReservationState};

use crate::world::{HALF_HOUR, ORDER, World, begin_payment, check, pay, payment_fails, place, ship};

const SECOND: Duration = Duration::from_secs(1);
const OTHER: OrderId = OrderId::from_u128(8);
const EXPIRE: OrderAction = OrderAction::Expire { order: ORDER };

/// A world in which an order for the last cup is confirmed, and to be paid within half an hour.
fn unpaid() -> World {
    let mut world = World::with_stock(&[("CUP", 1)]);
    world.place(place(ORDER, &[("CUP", 1)]).prepaid(HALF_HOUR));
    world.settle();
    world
}

fn changes(world: &World) -> Vec<OrderChange> {
    world.history[&ORDER].iter().map(|entry| entry.change).collect()
}

/// Delivers everything once more, and checks that it changes nothing.
fn done(world: &mut World) {
    check::at_rest(world.settle());
    let before = world.snapshot();
    world.redeliver_everything();
    assert_eq!(world.snapshot(), before);
}

#[test]
fn paid_in_time_it_ships_when_inventory_has_allocated() {
    let mut world = unpaid();
    assert_eq!(world.claim().unwrap().expires_at, Some(world.now.plus(HALF_HOUR)));
    world.accepted(pay(ORDER));
    assert_eq!(world.refusal(ship(ORDER, OrderParts::All)), OrderRefusal::NotAllocated);
    world.settle();
    assert_eq!((world.claim().unwrap().state, world.told("stock.allocated")), (ReservationState::Allocated, 1));
    world.after(2 * HALF_HOUR);
    assert_eq!((world.sweep_holds(), world.sweep_orders()), (0, 0));
    assert_eq!(world.accepted(ship(ORDER, OrderParts::All)).status, OrderStatus::Shipped);
    done(&mut world);
    assert_eq!((world.stock_of("CUP"), world.refused.len()), ((0, 0, 0), 0));
}

#[test]
fn paid_before_inventory_answers() {
    let mut world = World::with_stock(&[("CUP", 1)]);
    world.place(place(ORDER, &[("CUP", 1)]).prepaid(HALF_HOUR));
    world.accepted(pay(ORDER));
    world.settle();
    assert_eq!(
        (world.order().status, world.claim().unwrap().state),
        (OrderStatus::Confirmed, ReservationState::Allocated)
    );
    assert_eq!(world.accepted(ship(ORDER, OrderParts::All)).status, OrderStatus::Shipped);
    done(&mut world);
}

/// Scenario 3: what is in a cart without a hold may be gone, and its order is refused before it is paid.
#[test]
fn the_carts_check_goes_stale() {
    let mut world = World::with_stock(&[("CUP", 20)]);
    assert_eq!(world.level("CUP").available(), 20, "A's cart looks good");
    world.place(place(OTHER, &[("CUP", 20)]));
    world.settle();
    world.place(place(ORDER, &[("CUP", 5)]).prepaid(HALF_HOUR));
    world.settle();
    let refusal = world.refusal(begin_payment(ORDER, HALF_HOUR));
    assert_eq!(refusal, OrderRefusal::WrongState(OrderStatus::Rejected));
    done(&mut world);
    assert_eq!(world.stock_of("CUP"), (20, 20, 0));
}

/// Scenario 4: the payment starts a second before the hold ends, which extends it, and succeeds 30 s after.
#[test]
fn paid_after_the_hold_would_have_ended() {
    let mut world = unpaid();
    world.after(HALF_HOUR - SECOND).accepted(begin_payment(ORDER, 60 * SECOND));
    world.settle();
    world.after(31 * SECOND);
    assert_eq!((world.sweep_holds(), world.sweep_orders()), (0, 0));
    world.accepted(pay(ORDER));
    world.settle();
    assert_eq!(world.accepted(ship(ORDER, OrderParts::All)).status, OrderStatus::Shipped);
    done(&mut world);
    assert_eq!(world.stock_of("CUP"), (0, 0, 0));
}

/// Scenario 4, worse: the extension came too late. Stock is still there, and is claimed again.
#[test]
fn the_hold_is_lost_while_paying_and_stock_is_there() {
    for paid_first in [false, true] {
        let mut world = unpaid();
        world.after(HALF_HOUR - SECOND).accepted(begin_payment(ORDER, 60 * SECOND));
        if paid_first {
            world.accepted(pay(ORDER));
        }
        world.after(2 * SECOND);
        assert_eq!(world.sweep_holds(), 1);
        done(&mut world);
        assert_eq!((world.order().status, world.order().attempt), (OrderStatus::Confirmed, 2));
        if !paid_first {
            world.accepted(pay(ORDER));
            world.settle();
        }
        assert!(changes(&world).contains(&OrderChange::HoldLost));
        assert_eq!(world.accepted(ship(ORDER, OrderParts::All)).status, OrderStatus::Shipped);
        done(&mut world);
        assert_eq!((world.stock_of("CUP"), world.told("stock.expired")), ((0, 0, 0), 1));
    }
}

/// Scenario 4, worst: stock is truly gone. The order ends in an explicit refund, never stuck.
#[test]
fn the_hold_is_lost_while_paying_and_stock_is_gone() {
    for paid_first in [false, true] {
        let mut world = unpaid();
        world.after(HALF_HOUR - SECOND).accepted(begin_payment(ORDER, 60 * SECOND));
        if paid_first {
            world.accepted(pay(ORDER));
        }
        world.after(2 * SECOND).sweep_holds();
        world.place(place(OTHER, &[("CUP", 1)]));
        // The other's request gets there first.
        world.deliver_to_stock(&OTHER.to_string());
        done(&mut world);
        if !paid_first {
            assert_eq!(world.order().payment, PaymentStatus::Started);
            world.accepted(pay(ORDER));
        }
        done(&mut world);
        assert_eq!((world.order().status, world.order().payment), (OrderStatus::Rejected, PaymentStatus::RefundDue));
        assert_eq!(world.find(OTHER).unwrap().status, OrderStatus::Confirmed);
        assert_eq!(world.stock_of("CUP"), (1, 1, 0));
    }
}

/// A hold that ends between "paid" and its allocation: nothing ships until stock is claimed for good.
#[test]
fn the_hold_is_lost_after_paying() {
    let mut world = unpaid();
    world.after(HALF_HOUR - SECOND).accepted(pay(ORDER));
    world.after(2 * SECOND).sweep_holds();
    assert_eq!(world.refusal(ship(ORDER, OrderParts::All)), OrderRefusal::NotAllocated);
    done(&mut world);
    assert_eq!(world.accepted(ship(ORDER, OrderParts::All)).status, OrderStatus::Shipped);
    done(&mut world);
    assert_eq!(world.stock_of("CUP"), (0, 0, 0));
}

/// The request for stock was held up for longer than the customer had to pay, and the customer paid in time.
#[test]
fn the_request_comes_after_its_hold_would_have_ended() {
    for paid in [false, true] {
        let mut world = World::with_stock(&[("CUP", 1)]);
        world.place(place(ORDER, &[("CUP", 1)]).prepaid(HALF_HOUR));
        if paid {
            world.accepted(pay(ORDER));
        }
        world.after(2 * HALF_HOUR);
        done(&mut world);
        let status = if paid { OrderStatus::Confirmed } else { OrderStatus::Rejected };
        assert_eq!(world.order().status, status);
        if paid {
            assert_eq!(world.accepted(ship(ORDER, OrderParts::All)).status, OrderStatus::Shipped);
            done(&mut world);
        }
    }
}

/// Scenario 5: soon after the limit an unpaid order is expired, its stock is back once, and one event says so;
/// whichever side notices first. Cash on delivery is exempt.
#[test]
fn an_unpaid_order_does_not_hold_stock_forever() {
    let sweeps: [fn(&mut World); 4] = [
        |world| {
            world.sweep_holds();
        },
        |world| {
            world.sweep_orders();
        },
        |world| {
            world.sweep_holds();
            world.sweep_orders();
        },
        |world| {
            world.sweep_orders();
            world.settle().sweep_holds();
        },
    ];
    for sweep in sweeps {
        let mut world = World::with_stock(&[("CUP", 5)]);
        world.place(place(ORDER, &[("CUP", 3)]).prepaid(HALF_HOUR));
        world.place(place(OTHER, &[("CUP", 1)]));
        world.settle();
        world.after(HALF_HOUR - SECOND);
        sweep(&mut world);
        assert_eq!(world.order().status, OrderStatus::Confirmed, "not yet");
        world.after(SECOND);
        sweep(&mut world);
        done(&mut world);
        assert_eq!(world.order().status, OrderStatus::Expired);
        assert_eq!(world.find(OTHER).unwrap().status, OrderStatus::Confirmed, "cash on delivery");
        assert_eq!(world.stock_of("CUP"), (5, 1, 4));
        assert_eq!(world.told("order.expired"), 1);
        assert_eq!(world.told("stock.expired") + world.told("stock.released"), 1);
    }
}

#[test]
fn a_failed_payment_leaves_the_rest_of_the_time() {
    let mut world = unpaid();
    world.accepted(begin_payment(ORDER, SECOND));
    world.accepted(payment_fails(ORDER));
    world.settle();
    world.after(HALF_HOUR).sweep_holds();
    done(&mut world);
    assert_eq!((world.order().status, world.stock_of("CUP")), (OrderStatus::Expired, (1, 0, 1)));
}

#[test]
fn expiry_and_payment_race() {
    // Paid first: the order stands, and its stock is claimed again.
    let mut world = unpaid();
    world.after(HALF_HOUR).accepted(pay(ORDER));
    assert_eq!(world.refusal(EXPIRE), OrderRefusal::NotDue);
    world.sweep_holds();
    done(&mut world);
    assert_eq!((world.order().status, world.order().attempt), (OrderStatus::Confirmed, 2));
    // Expired first: the money goes back.
    let mut world = unpaid();
    world.after(HALF_HOUR).accepted(EXPIRE);
    assert_eq!(world.accepted(pay(ORDER)).payment, PaymentStatus::RefundDue);
    done(&mut world);
    assert_eq!((world.order().status, world.stock_of("CUP")), (OrderStatus::Expired, (1, 0, 1)));
    // Inventory noticed first, orders hear of it after the payment.
    let mut world = unpaid();
    world.after(HALF_HOUR).sweep_holds();
    world.accepted(pay(ORDER));
    done(&mut world);
    assert_eq!((world.order().status, world.order().payment), (OrderStatus::Confirmed, PaymentStatus::Paid));
    assert_eq!(world.stock_of("CUP"), (1, 1, 0));
}

#[test]
fn an_adjusted_order_that_lost_its_hold_gets_what_was_paid_or_nothing() {
    use stockpulse_core::model::Policy;
    for restock in [false, true] {
        let mut world = World::with_stock(&[("CUP", 3)]);
        world.place(place(ORDER, &[("CUP", 5)]).with_policy(Policy::Partial).prepaid(HALF_HOUR));
        world.settle();
        let total = world.order().total();
        world.after(HALF_HOUR).accepted(pay(ORDER));
        world.sweep_holds();
        if restock {
            world.receive("CUP", 9);
        } else {
            world.place(place(OTHER, &[("CUP", 1)]));
            world.deliver_to_stock(&OTHER.to_string());
        }
        done(&mut world);
        if restock {
            assert_eq!((world.order().status, world.order().total()), (OrderStatus::Confirmed, total));
            assert_eq!(world.stock_of("CUP"), (12, 3, 9));
        } else {
            assert_eq!(world.order().payment, PaymentStatus::RefundDue, "two of three are not what was paid");
        }
    }
}

#[test]
fn cash_that_comes_after_the_goods_left_asks_nothing_of_inventory() {
    let mut world = World::with_stock(&[("CUP", 1)]);
    world.place(place(ORDER, &[("CUP", 1)]));
    world.settle();
    world.accepted(ship(ORDER, OrderParts::All));
    world.settle();
    assert_eq!(world.accepted(pay(ORDER)).payment, PaymentStatus::Paid);
    done(&mut world);
    assert_eq!((world.order().status, world.refused.len()), (OrderStatus::Shipped, 0));
}

/// Staff may lift the limit of a hold at inventory; the order still hears when it is allocated.
#[test]
fn a_hold_that_was_extended_without_limit_still_says_that_it_is_allocated() {
    use stockpulse_core::engine::stock::{Hold, StockAction};
    let mut world = unpaid();
    let extend = StockAction::Extend { reservation: ORDER.reservation(1), hold: Hold::Forever };
    world.ask_stock(extend);
    world.accepted(pay(ORDER));
    world.settle();
    assert_eq!(world.accepted(ship(ORDER, OrderParts::All)).status, OrderStatus::Shipped);
    done(&mut world);
}
