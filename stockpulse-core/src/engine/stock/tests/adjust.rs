//! Receive, return, adjust, count, transfer.

use compact_str::CompactString;

use super::*;
use crate::model::MovementKind;

fn adjust(level: &str, change: i64) -> StockAction {
    StockAction::Adjust { key: key(level), change, reason: Some(CompactString::new("broken")) }
}

fn count(level: &str, counted: u32) -> StockAction {
    StockAction::Count { key: key(level), counted: counted.into(), reason: Some(CompactString::new("june")) }
}

fn transfer(from: &str, to: &str, units: u32) -> StockAction {
    let (from, to) = (place(from), place(to));
    StockAction::Transfer { sku: sku("A"), from, to, quantity: units.into() }
}

fn retire(name: &str) -> StockAction {
    StockAction::Retire { sku: sku(name) }
}

#[test]
fn received_goods_lie_there_and_the_outcome_says_how_many() {
    let mut shop = Shop::default();
    assert_eq!(plain(&shop.receive(&[("A", 5)]).on_hand), pairs(&[("A", 5)]));
    let moved = shop.receive(&[("A", 2), ("B@east", 1), ("A", 3)]);
    assert_eq!(plain(&moved.on_hand), pairs(&[("A", 10), ("B@east", 1), ("A", 10)]));
    assert_eq!(shop.stand("A"), (10, 0, 0, 10));
    let kinds: Vec<_> = shop.movements.iter().map(|movement| (movement.kind, movement.change.on_hand)).collect();
    assert_eq!(kinds, [(MovementKind::Received, 2), (MovementKind::Received, 1), (MovementKind::Received, 3)]);
}

#[test]
fn nothing_is_received_of_what_is_retired_but_customers_may_return_it() {
    let mut shop = Shop::with(&[("A", 1)]);
    shop.act(retire("A"));
    let refusal = shop.refused(StockAction::Receive { lines: units_at(&[("B", 1), ("A", 1)]) });
    assert_eq!(refusal, Refusal::RetiredSku(sku("A")));
    assert_eq!(shop.set.level(&key("B")), None, "the other line was received");
    let back = shop.act(StockAction::Return { lines: units_at(&[("A", 2)]), order: None });
    assert_eq!(plain(&moved(back).on_hand), pairs(&[("A", 3)]));
    assert_eq!(shop.movements[0].kind, MovementKind::Returned);
}

#[test]
fn more_than_can_be_counted_is_refused_over_all_lines_of_a_level() {
    let mut shop = Shop::default();
    let line = |units| StockQuantity::new(key("A"), units);
    let lines = [line(Quantity::MAX), line(Quantity::ONE)].into_iter().collect();
    assert!(matches!(shop.refused(StockAction::Receive { lines }), Refusal::Invalid(_)));
    assert_eq!(shop.set.level(&key("A")), None);
    shop.act(StockAction::Receive { lines: [line(Quantity::MAX)].into_iter().collect() });
    assert!(matches!(shop.refused(adjust("A", 1)), Refusal::Invalid(_)));
    assert!(matches!(shop.refused(StockAction::Receive { lines: units_at(&[("A", 1)]) }), Refusal::Invalid(_)));
    shop.receive(&[("A@east", 1)]);
    assert!(matches!(shop.refused(transfer("east", "main", 1)), Refusal::Invalid(_)));
}

#[test]
fn as_much_as_can_be_counted_may_lie_at_a_level() {
    let mut shop = Shop::with(&[("A", 1)]);
    shop.act(adjust("A", Quantity::MAX.get() - 1));
    assert_eq!(shop.level("A").on_hand, Quantity::MAX);
}

#[test]
fn an_adjustment_needs_a_level_a_change_and_units_that_are_not_promised() {
    let mut shop = Shop::with(&[("A", 10)]);
    shop.reserve(request(1, &[("A", 4)]));
    assert_eq!(shop.refused(adjust("B", 1)), Refusal::UnknownLevel(key("B")));
    assert!(matches!(shop.refused(adjust("A", 0)), Refusal::Invalid(_)));
    assert!(matches!(shop.refused(adjust("A", i64::MIN)), Refusal::Invalid(_)));
    let refusal = shop.refused(adjust("A", -7));
    assert_eq!(refusal, Refusal::Committed { key: key("A"), on_hand: 3, committed: 4.into() });
    assert_eq!(plain(&moved(shop.act(adjust("A", -6))).on_hand), pairs(&[("A", 4)]));
    let movement = &shop.movements[0];
    assert_eq!((movement.kind, movement.reason.as_deref()), (MovementKind::Adjusted, Some("broken")));
    assert_eq!(shop.stand("A"), (4, 4, 0, 0));
}

#[test]
fn units_that_wait_are_not_promised_from_what_lies_there() {
    let mut shop = Shop::with(&[("A", 3)]);
    shop.configure("A", backorders(10_u32));
    shop.reserve(request(1, &[("A", 8)]).with_policy(crate::model::Policy::Backorder));
    assert!(matches!(shop.refused(adjust("A", -1)), Refusal::Committed { .. }));
    shop.receive(&[("A", 1)]);
    assert_eq!(shop.stand("A"), (4, 8, 4, -4));
}

#[test]
fn on_hand_never_falls_below_zero_not_even_of_what_is_untracked() {
    let mut shop = Shop::with(&[("A", 2)]);
    let refusal = shop.refused(adjust("A", -3));
    assert_eq!(refusal, Refusal::Committed { key: key("A"), on_hand: -1, committed: Quantity::ZERO });
    shop.configure("A", LevelSettings { tracked: Some(false), ..LevelSettings::default() });
    shop.reserve(request(1, &[("A", 50)]));
    shop.act(adjust("A", -2));
    assert_eq!(shop.level("A").on_hand, Quantity::ZERO);
    assert!(matches!(shop.refused(adjust("A", -1)), Refusal::Committed { .. }));
}

#[test]
fn a_count_says_what_lies_there_and_may_not_break_promises() {
    let mut shop = Shop::with(&[("A", 10)]);
    shop.reserve(request(1, &[("A", 4)]));
    let refusal = shop.refused(count("A", 3));
    assert_eq!(refusal, Refusal::Committed { key: key("A"), on_hand: 3, committed: 4.into() });
    assert_eq!(plain(&moved(shop.act(count("A", 4))).on_hand), pairs(&[("A", 4)]));
    let movement = &shop.movements[0];
    assert_eq!((movement.kind, movement.change.on_hand), (MovementKind::Counted, -6));
    assert_eq!(movement.reason.as_deref(), Some("june"));
    shop.act(count("A", 12));
    assert_eq!(shop.stand("A"), (12, 4, 0, 8));
}

#[test]
fn a_count_that_finds_no_difference_is_on_the_ledger_too_and_one_of_a_new_level_creates_it() {
    let mut shop = Shop::with(&[("A", 10)]);
    shop.act(count("A", 10));
    assert_eq!(shop.movements.len(), 1);
    assert_eq!(shop.movements[0].change, Counters::default());
    shop.act(count("B@east", 7));
    assert_eq!(shop.stand("B@east"), (7, 0, 0, 7));
}

#[test]
fn a_transfer_is_two_movements_of_one_command() {
    let mut shop = Shop::with(&[("A", 10)]);
    let outcome = moved(shop.act(transfer("main", "east", 4)));
    assert_eq!(plain(&outcome.on_hand), pairs(&[("A", 6), ("A@east", 4)]));
    let kinds: Vec<_> = shop.movements.iter().map(|movement| (movement.kind, movement.change.on_hand)).collect();
    assert_eq!(kinds, [(MovementKind::TransferredOut, -4), (MovementKind::TransferredIn, 4)]);
    assert_eq!(shop.movements[0].command, shop.movements[1].command);
}

#[test]
fn a_transfer_takes_nothing_promised_nothing_unknown_and_brings_nothing_to_what_is_retired() {
    let mut shop = Shop::with(&[("A", 10), ("A@west", 1)]);
    assert!(matches!(shop.refused(transfer("main", "main", 1)), Refusal::Invalid(_)));
    assert!(matches!(shop.refused(transfer("main", "east", 0)), Refusal::Invalid(_)));
    assert_eq!(shop.refused(transfer("north", "main", 1)), Refusal::UnknownLevel(key("A@north")));
    shop.reserve(request(1, &[("A", 7)]));
    assert!(matches!(shop.refused(transfer("main", "east", 4)), Refusal::Committed { .. }));
    assert_eq!(shop.set.level(&key("A@east")), None);
    shop.configure("A@west", LevelSettings { retired: Some(true), ..LevelSettings::default() });
    assert_eq!(shop.refused(transfer("main", "west", 3)), Refusal::RetiredSku(sku("A")));
    shop.act(transfer("west", "main", 1));
    assert_eq!(shop.stand("A"), (11, 7, 0, 4));
}

#[test]
fn lines_are_bounded_and_of_at_least_one_unit() {
    let engine = Engine::new().with_limits(crate::engine::Limits::default().with_max_lines(2));
    let mut shop = Shop { engine, ..Shop::default() };
    for lines in [units_at(&[]), units_at(&[("A", 0)]), units_at(&[("A", 1), ("B", 1), ("C", 1)])] {
        assert!(matches!(shop.refused(StockAction::Receive { lines: lines.clone() }), Refusal::Invalid(_)));
        let refusal = shop.refused(StockAction::Return { lines, order: None });
        assert!(matches!(refusal, Refusal::Invalid(_)));
    }
    shop.receive(&[("A", 1), ("B", 1)]);
}
