//! The same id is the same command: it is decided once, and its answer is the first answer.

use super::*;
use crate::model::{Actor, Cause, EventId, Kit, OrderId};

/// Runs a command once more and proves that it changed nothing.
fn again(shop: &mut Shop, command: &StockCommand) -> StockOutcome {
    let before = format!("{:?} {:?}", shop.set.levels().collect::<Vec<_>>(), shop.reservations());
    let outcome = shop.run(command);
    let after = format!("{:?} {:?}", shop.set.levels().collect::<Vec<_>>(), shop.reservations());
    assert_eq!(before, after);
    assert_eq!((shop.movements.len(), shop.events.len()), (0, 0));
    outcome
}

/// Acceptance scenario 6: create-shipment three times with the same key.
#[test]
fn a_shipment_that_is_asked_for_three_times_leaves_once() {
    let mut shop = Shop::with(&[("A", 20)]);
    shop.reserve(request(1, &[("A", 10)]));
    shop.allocate(1);
    let ship = shop.command(StockAction::Fulfil { reservation: id(1), parts: skus(&[("A", 10)]) });
    let first = shop.run(&ship);
    assert!(matches!(first, StockOutcome::Fulfilled(_)));
    assert_eq!(again(&mut shop, &ship), first);
    assert_eq!(again(&mut shop, &ship), first);
    assert_eq!(shop.stand("A"), (10, 0, 0, 10));
    let other =
        Command { action: StockAction::Fulfil { reservation: id(1), parts: skus(&[("A", 9)]) }, ..ship.clone() };
    assert_eq!(again(&mut shop, &other), StockOutcome::Refused(Refusal::Conflict));
    assert_eq!(again(&mut shop, &ship), first, "a conflict leaves the first answer alone");
}

/// Acceptance scenario 6: refusals repeat too.
#[test]
fn a_refusal_stays_a_refusal_even_when_there_is_stock_by_now() {
    let mut shop = Shop::with(&[("A", 1)]);
    let order = request(1, &[("A", 2)]).with_order(OrderId::from_u128(1));
    let reserve = shop.command(StockAction::Reserve(order));
    let first = shop.run(&reserve);
    assert_eq!(shop.told(), ["stock.rejected"]);
    shop.receive(&[("A", 9)]);
    assert_eq!(again(&mut shop, &reserve), first);
    assert_eq!(short(refusal(first)), [("A".to_owned(), 2, 1)]);
}

#[test]
fn what_makes_no_sense_is_remembered_too() {
    let mut shop = Shop::with(&[("A", 1)]);
    let nothing = shop.command(StockAction::Reserve(request(1, &[])));
    let first = shop.run(&nothing);
    assert!(matches!(first, StockOutcome::Refused(Refusal::Invalid(_))));
    assert_eq!(again(&mut shop, &nothing), first);
}

#[test]
fn a_retry_at_another_time_by_another_worker_is_the_same_command() {
    let mut shop = Shop::with(&[("A", 5)]);
    let mut request = request(1, &[("A", 2)]).with_hold(std::time::Duration::from_secs(60));
    let reserve = shop.command(StockAction::Reserve(request.clone()));
    let first = shop.run(&reserve);
    shop.wait(30);
    request.kits.push(Kit { sku: sku("SET"), components: Vec::new() });
    let retry = Command::new(reserve.id, shop.now, StockAction::Reserve(request))
        .with_actor(Actor::Service("worker-2".into()))
        .with_cause(Cause::Event(EventId::from_u128(1)));
    assert_eq!(again(&mut shop, &retry), first, "kits are the catalog's, not the caller's");
}

#[test]
fn the_same_id_for_something_else_is_a_conflict() {
    let mut shop = Shop::with(&[("A", 5)]);
    let receive = shop.command(StockAction::Receive { lines: units_at(&[("A", 1)]) });
    let first = shop.run(&receive);
    for action in [
        StockAction::Receive { lines: units_at(&[("A", 2)]) },
        StockAction::Receive { lines: units_at(&[("A@east", 1)]) },
        StockAction::Receive { lines: units_at(&[("A", 1), ("A", 1)]) },
        StockAction::Return { lines: units_at(&[("A", 1)]), order: None },
    ] {
        let other = Command { action, ..receive.clone() };
        assert_eq!(again(&mut shop, &other), StockOutcome::Refused(Refusal::Conflict));
    }
    assert_eq!(again(&mut shop, &receive), first);
}

#[test]
fn duplicates_within_one_batch_are_one_command() {
    let mut shop = Shop::with(&[("A", 5)]);
    let receive = shop.command(StockAction::Receive { lines: units_at(&[("A", 1)]) });
    let other = Command { action: StockAction::Retire { sku: sku("A") }, ..receive.clone() };
    let outcomes = shop.run_all(&[receive.clone(), receive.clone(), other, receive]);
    assert_eq!(outcomes[0], outcomes[1]);
    assert_eq!(outcomes[2], StockOutcome::Refused(Refusal::Conflict));
    assert_eq!(outcomes[0], outcomes[3]);
    assert_eq!(shop.stand("A"), (6, 0, 0, 6));
}

#[test]
fn one_outcome_is_stored_for_each_new_command() {
    let mut shop = Shop::with(&[("A", 5)]);
    let one = shop.command(StockAction::Receive { lines: units_at(&[("A", 1)]) });
    let two = shop.command(StockAction::Reserve(request(1, &[("A", 9)])));
    let engine = shop.engine.clone();
    let outcomes = engine.execute_stock(&mut shop.set, &[two.clone(), one.clone(), two.clone()]);
    let stored: Vec<_> = shop.set.new_outcomes().map(|(id, decided)| (id, decided.outcome.clone())).collect();
    assert_eq!(stored, [(two.id, outcomes[0].clone()), (one.id, outcomes[1].clone())]);
}
