//! The history of an order is complete: who, what, when, why.

use super::desk::{Desk, HALF_HOUR, ORDER, filled, parts, payment_failed, place, reserved};
use crate::engine::order::{OrderAction, OrderParts, StockAnswer};
use crate::model::{EventData, OrderChange, Policy};

fn changes(desk: &Desk) -> Vec<OrderChange> {
    let order = desk.order();
    for (index, entry) in desk.history.iter().enumerate() {
        assert_eq!((entry.order, entry.version), (ORDER, index as u64 + 1));
    }
    assert_eq!(desk.history.last().map(|entry| (entry.version, entry.status)), Some((order.version, order.status)));
    desk.history.iter().map(|entry| entry.change).collect()
}

#[test]
fn every_step_of_a_long_life_is_an_entry() {
    use OrderChange::{
        Adjusted, Allocated, Cancelled, Confirmed, Filled, HoldLost, Paid, PaidAgain, PaymentFailed, PaymentStarted,
        Placed, Returned, ShippedPartly,
    };
    let mut desk = Desk::placed(place(&[("CUP", 5)]).with_policy(Policy::Backorder).prepaid(HALF_HOUR));
    desk.answer(reserved(&[("CUP", 5, 4)], &[]));
    desk.begin_payment(HALF_HOUR);
    desk.accepted(payment_failed(ORDER));
    desk.begin_payment(HALF_HOUR);
    desk.answer(StockAnswer::Expired);
    desk.answer(reserved(&[("CUP", 5, 5)], &[("CUP", 3)]));
    desk.pay();
    desk.pay();
    desk.answer(StockAnswer::Allocated);
    desk.answer(filled(&[("CUP", 1)]));
    desk.ship(OrderParts::All);
    desk.take_back(parts(&[("CUP", 1)]));
    desk.cancel();
    let expected = [
        Placed,
        Adjusted,
        PaymentStarted,
        PaymentFailed,
        PaymentStarted,
        HoldLost,
        Confirmed,
        Paid,
        PaidAgain,
        Allocated,
        Filled,
        ShippedPartly,
        Returned,
        Cancelled,
    ];
    assert_eq!(changes(&desk), expected);
    let reasons: Vec<_> = desk.history.iter().filter_map(|entry| entry.reason.as_deref()).collect();
    assert_eq!(reasons, ["changed my mind"]);
}

#[test]
fn events_tell_all_of_it_but_a_second_payment() {
    let mut desk = Desk::confirmed(place(&[("CUP", 1)]));
    desk.pay();
    desk.pay();
    desk.ship(OrderParts::All);
    let told: Vec<_> = desk.events.iter().map(|event| event.change).collect();
    assert_eq!(told, [OrderChange::Placed, OrderChange::Confirmed, OrderChange::Paid, OrderChange::Shipped]);
    assert_eq!(changes(&desk).len(), told.len() + 1);
}

#[test]
fn a_batch_is_its_commands_one_by_one() {
    use crate::engine::Engine;
    use crate::engine::order::{OrderCommand, OrderWorkingSet};
    use crate::model::{Command, CommandId};
    let mut desk = Desk::new();
    let reserve = OrderAction::RecordReservation {
        order: ORDER,
        reservation: ORDER.reservation(1),
        answer: reserved(&[("CUP", 3, 3)], &[]),
    };
    let actions = [
        OrderAction::Place(place(&[("CUP", 3)])),
        OrderAction::Place(place(&[("CUP", 3)])),
        reserve,
        OrderAction::Ship { order: ORDER, parts: OrderParts::All },
        OrderAction::Expire { order: ORDER },
    ];
    let command = |(index, action): (usize, &OrderAction)| {
        Command::new(CommandId::from_u128(index as u128 + 1), desk.now, action.clone())
    };
    let mut batch: Vec<OrderCommand> = actions.iter().enumerate().map(command).collect();
    batch.push(batch[0].clone());
    let mut set = OrderWorkingSet::new();
    let outcomes = Engine::new().execute_orders(&mut set, &batch);
    let one_by_one: Vec<_> = batch.iter().map(|command| desk.run(command)).collect();
    assert_eq!(outcomes, one_by_one);
    assert_eq!((set.order(ORDER), set.history()), (desk.find(ORDER), desk.history.as_slice()));
    assert_eq!(set.changed_orders().count(), 1);
    let told: Vec<_> = set.events().iter().map(|event| &event.data).collect();
    let told_one_by_one: Vec<_> = desk.events.iter().map(|event| EventData::Order(Box::new(event.clone()))).collect();
    assert_eq!(told, told_one_by_one.iter().collect::<Vec<_>>());
    set.clear_changes();
    assert_eq!((set.changed_orders().count(), set.history().len(), set.events().len()), (0, 0, 0));
}
