use std::time::Duration;

use super::*;
use crate::memory::ManualClock;
use crate::model::{Quantity, Sku, StockQuantity};

const TTL: Duration = Duration::from_secs(60);

fn gate() -> (MemoryGate, ManualClock) {
    let clock = ManualClock::new(Timestamp::from_secs(1_000));
    (MemoryGate::new(Arc::new(clock.clone())), clock)
}

fn key(sku: &str) -> StockKey {
    StockKey::main(Sku::new(sku).unwrap())
}

fn id(number: u128) -> ReservationId {
    ReservationId::from_u128(number)
}

fn request(number: u128, lines: &[(&str, u32)]) -> AdmitRequest {
    let lines = lines.iter().map(|(sku, units)| StockQuantity::new(key(sku), Quantity::from(*units))).collect();
    AdmitRequest { reservation: id(number), lines, ttl: TTL }
}

async fn admit(gate: &MemoryGate, number: u128, units: u32) -> Admission {
    gate.admit(&[request(number, &[("A", units)])]).await.unwrap().remove(0)
}

async fn reconcile(gate: &MemoryGate, sku: &str, sellable: u32, version: u64) {
    let level = GateLevel { key: key(sku), sellable: Quantity::from(sellable), version };
    gate.reconcile(&[level]).await.unwrap();
}

fn free(gate: &MemoryGate) -> Option<i64> {
    gate.free(&key("A"))
}

fn refused() -> Admission {
    Admission::Refused(key("A"))
}

#[tokio::test]
async fn it_lets_through_as_many_as_there_are_and_answers_in_order() {
    let (gate, _clock) = gate();
    reconcile(&gate, "A", 10, 1).await;
    let batch: Vec<AdmitRequest> = (0..1_000).map(|number| request(number, &[("A", 1)])).collect();
    let answers = gate.admit(&batch).await.unwrap();
    assert_eq!(answers[..10], vec![Admission::Admitted; 10]);
    assert_eq!(answers[10..], vec![refused(); 990]);
    assert_eq!(free(&gate), Some(0));
}

#[tokio::test]
async fn a_level_that_it_does_not_know_is_for_the_database() {
    let (gate, _clock) = gate();
    reconcile(&gate, "A", 1, 1).await;
    let answers = gate.admit(&[request(1, &[("A", 9), ("B", 1)]), request(2, &[("B", 1)])]).await.unwrap();
    assert_eq!(answers, [Admission::Unknown, Admission::Unknown]);
    assert_eq!((free(&gate), gate.free(&key("B"))), (Some(1), None));
}

#[tokio::test]
async fn all_lines_or_none_are_let_through() {
    let (gate, _clock) = gate();
    reconcile(&gate, "A", 5, 1).await;
    reconcile(&gate, "B", 1, 1).await;
    let answers = gate.admit(&[request(1, &[("A", 2), ("B", 2)]), request(2, &[("A", 5), ("B", 1)])]).await.unwrap();
    assert_eq!(answers, [Admission::Refused(key("B")), Admission::Admitted]);
    assert_eq!((free(&gate), gate.free(&key("B"))), (Some(0), Some(0)));
}

#[tokio::test]
async fn a_level_that_is_named_twice_is_not_sold_twice() {
    let (gate, _clock) = gate();
    reconcile(&gate, "A", 3, 1).await;
    let answers = gate.admit(&[request(1, &[("A", 2), ("A", 2)]), request(2, &[("A", 1), ("A", 2)])]).await.unwrap();
    assert_eq!(answers, [refused(), Admission::Admitted]);
    assert_eq!(free(&gate), Some(0));
}

#[tokio::test]
async fn asked_again_it_answers_the_same_and_takes_no_second_place() {
    let (gate, _clock) = gate();
    reconcile(&gate, "A", 3, 1).await;
    let twice = gate.admit(&[request(1, &[("A", 2)]), request(1, &[("A", 2)])]).await.unwrap();
    assert_eq!(twice, [Admission::Admitted, Admission::Admitted]);
    assert_eq!(free(&gate), Some(1));
    gate.settle(&[id(1)]).await.unwrap();
    assert_eq!(admit(&gate, 1, 2).await, Admission::Admitted);
    assert_eq!(free(&gate), Some(1));
}

#[tokio::test]
async fn a_place_ends_with_its_time_settled_or_not() {
    let (gate, clock) = gate();
    reconcile(&gate, "A", 3, 1).await;
    admit(&gate, 1, 1).await;
    admit(&gate, 2, 1).await;
    gate.settle(&[id(2)]).await.unwrap();
    clock.advance(TTL - Duration::from_micros(1));
    assert_eq!(admit(&gate, 3, 2).await, refused());
    clock.advance(Duration::from_micros(1));
    assert_eq!(free(&gate), Some(3));
    assert_eq!(admit(&gate, 3, 2).await, Admission::Admitted);
    gate.settle(&[id(1)]).await.unwrap();
    gate.release(&[id(1), id(2)]).await.unwrap();
    assert_eq!(free(&gate), Some(1), "an end that comes late changes nothing");
    assert!(!gate.current().holds.contains_key(&id(2)), "nor is it remembered for ever");
}

#[tokio::test]
async fn what_was_granted_before_and_is_asked_for_again_is_not_counted_for_ever() {
    let (gate, clock) = gate();
    // The grant is in version 5 already; the gate has forgotten the place, and the store answers as it did then.
    reconcile(&gate, "A", 6, 5).await;
    admit(&gate, 1, 4).await;
    gate.settle(&[id(1)]).await.unwrap();
    assert_eq!(free(&gate), Some(2));
    clock.advance(TTL);
    assert_eq!(free(&gate), Some(6));
}

#[tokio::test]
async fn released_places_are_free_again_once() {
    let (gate, clock) = gate();
    reconcile(&gate, "A", 3, 1).await;
    admit(&gate, 1, 2).await;
    gate.release(&[id(1), id(1), id(9)]).await.unwrap();
    assert_eq!(free(&gate), Some(3));
    clock.advance(Duration::from_secs(1));
    admit(&gate, 1, 3).await;
    assert_eq!(free(&gate), Some(0));
    assert_eq!(gate.current().by_end.len(), 1);
}

#[tokio::test]
async fn settled_places_are_sales_until_the_database_says_more() {
    let (gate, _clock) = gate();
    reconcile(&gate, "A", 10, 5).await;
    admit(&gate, 1, 4).await;
    gate.settle(&[id(1), id(1)]).await.unwrap();
    assert_eq!(free(&gate), Some(6));
    reconcile(&gate, "A", 10, 5).await;
    assert_eq!(free(&gate), Some(6), "the same version cannot contain the sale");
    reconcile(&gate, "A", 6, 6).await;
    assert_eq!(free(&gate), Some(6));
}

#[tokio::test]
async fn versions_go_up_only() {
    let (gate, _clock) = gate();
    reconcile(&gate, "A", 10, 5).await;
    reconcile(&gate, "A", 99, 4).await;
    assert_eq!(free(&gate), Some(10));
    reconcile(&gate, "A", 7, 6).await;
    assert_eq!(free(&gate), Some(7));
    reconcile(&gate, "B", 1, 0).await;
    assert_eq!(gate.free(&key("B")), Some(1));
}

#[tokio::test]
async fn a_hold_outlives_a_reconciliation_that_does_not_contain_it() {
    let (gate, _clock) = gate();
    reconcile(&gate, "A", 10, 5).await;
    admit(&gate, 1, 4).await;
    // Goods came in.
    reconcile(&gate, "A", 12, 6).await;
    assert_eq!(free(&gate), Some(8));
    gate.settle(&[id(1)]).await.unwrap();
    // For a moment more than there is; the grant's own version corrects it.
    assert_eq!(free(&gate), Some(12));
    reconcile(&gate, "A", 8, 7).await;
    assert_eq!(free(&gate), Some(8));
}

#[tokio::test]
async fn a_grant_that_is_reconciled_before_it_is_settled_is_not_counted_twice() {
    let (gate, _clock) = gate();
    reconcile(&gate, "A", 10, 5).await;
    admit(&gate, 1, 4).await;
    reconcile(&gate, "A", 6, 6).await;
    assert_eq!(free(&gate), Some(2), "for a moment fewer than there are");
    gate.settle(&[id(1)]).await.unwrap();
    assert_eq!(free(&gate), Some(6));
}

#[tokio::test]
async fn a_hold_may_be_larger_than_what_the_database_has_left() {
    let (gate, _clock) = gate();
    reconcile(&gate, "A", 10, 5).await;
    admit(&gate, 1, 8).await;
    reconcile(&gate, "A", 3, 6).await;
    assert_eq!(free(&gate), Some(-5));
    assert_eq!(admit(&gate, 2, 0).await, Admission::Admitted, "nothing is always there");
    assert_eq!(admit(&gate, 3, 1).await, refused());
    gate.release(&[id(1)]).await.unwrap();
    assert_eq!(free(&gate), Some(3));
}

#[tokio::test]
async fn stock_that_is_given_back_comes_back_once() {
    let (gate, _clock) = gate();
    reconcile(&gate, "A", 10, 5).await;
    // Granted and given back before anything is reconciled.
    admit(&gate, 1, 4).await;
    gate.settle(&[id(1)]).await.unwrap();
    gate.release(&[id(1)]).await.unwrap();
    assert_eq!(free(&gate), Some(10));
    // Granted, reconciled, given back: the database's next version has it.
    admit(&gate, 2, 4).await;
    gate.settle(&[id(2)]).await.unwrap();
    reconcile(&gate, "A", 6, 7).await;
    gate.release(&[id(2)]).await.unwrap();
    assert_eq!(free(&gate), Some(6));
    reconcile(&gate, "A", 10, 8).await;
    assert_eq!(free(&gate), Some(10));
}

/// Every interleaving of one grant's calls with the reconciliations of what happens in the database meanwhile.
#[tokio::test]
async fn whatever_comes_first_it_ends_at_what_the_database_says() {
    // Admitted, then in any order: settled or not heard of again; the versions before and of the grant.
    let steps = ["settle", "receipt", "grant"];
    for first in 0..3 {
        for second in (0..3).filter(|second| *second != first) {
            let third = 3 - first - second;
            for heard_of in [true, false] {
                let (gate, clock) = gate();
                reconcile(&gate, "A", 10, 1).await;
                admit(&gate, 1, 4).await;
                for step in [first, second, third] {
                    match steps[step] {
                        "settle" if heard_of => gate.settle(&[id(1)]).await.unwrap(),
                        "settle" => {}
                        "receipt" => reconcile(&gate, "A", 15, 2).await,
                        _ => reconcile(&gate, "A", 11, 3).await,
                    }
                }
                clock.advance(TTL);
                assert_eq!(free(&gate), Some(11), "{first} {second} {third}, heard of: {heard_of}");
            }
        }
    }
}
