//! Several locations: each strategy, pinned lines, and that no strategy can oversell.

use super::super::{Candidate, SourcingStrategy};
use super::*;
use crate::model::{Policy, Sourcing, Strategy};

fn from(locations: &[&str], strategy: Strategy) -> Sourcing {
    Sourcing { strategy, locations: locations.iter().map(|name| place(name)).collect() }
}

fn custom(name: &str) -> Strategy {
    Strategy::Custom(name.to_owned())
}

/// Where the units of a reservation were taken from.
fn sources(shop: &Shop, reservation: u128) -> Vec<(String, i64)> {
    claims(&shop.reservation(reservation)).into_iter().map(|(level, open, _)| (level, open)).collect()
}

/// Acceptance scenario 9: a split across locations.
#[test]
fn an_order_is_split_and_each_shipment_takes_from_its_own_location() {
    let mut shop = Shop::with(&[("A@east", 1), ("A@west", 1)]);
    shop.reserve(request(1, &[("A", 2)]).with_sourcing(from(&["east", "west"], Strategy::Priority)));
    assert_eq!(sources(&shop, 1), pairs(&[("A@east", 1), ("A@west", 1)]));
    shop.allocate(1);
    shop.fulfil(1, levels(&[("A@west", 1)]));
    assert_eq!((shop.stand("A@east"), shop.stand("A@west")), ((1, 1, 0, 0), (0, 0, 0, 0)));
    shop.fulfil(1, levels(&[("A@east", 1)]));
    assert_eq!((shop.stand("A@east"), shop.stand("A@west")), ((0, 0, 0, 0), (0, 0, 0, 0)));
}

/// Acceptance scenario 9: a SKU absent at the first location is found elsewhere.
#[test]
fn a_location_without_the_sku_or_with_a_retired_one_is_passed_over() {
    let mut shop = Shop::with(&[("A@west", 1), ("A@north", 5)]);
    shop.configure("A@north", LevelSettings { retired: Some(true), ..LevelSettings::default() });
    shop.reserve(request(1, &[("A", 1)]).with_sourcing(from(&["east", "north", "west"], Strategy::Priority)));
    assert_eq!(sources(&shop, 1), pairs(&[("A@west", 1)]));
}

#[test]
fn locations_that_are_not_named_are_not_asked() {
    let mut shop = Shop::with(&[("A", 1), ("A@east", 5)]);
    assert_eq!(short(shop.refused(StockAction::Reserve(request(1, &[("A", 2)])))), [("A".to_owned(), 2, 1)]);
    let east = request(1, &[("A", 6)]).with_sourcing(from(&["east"], Strategy::Priority));
    assert_eq!(short(shop.refused(StockAction::Reserve(east))), [("A".to_owned(), 6, 5)]);
}

#[test]
fn priority_takes_from_the_first_then_the_next() {
    let mut shop = Shop::with(&[("A@east", 2), ("A@north", 9), ("A@west", 9)]);
    shop.reserve(request(1, &[("A", 3)]).with_sourcing(from(&["west", "east"], Strategy::Priority)));
    assert_eq!(sources(&shop, 1), pairs(&[("A@west", 3)]));
    shop.reserve(request(2, &[("A", 9)]).with_sourcing(from(&["east", "north", "west"], Strategy::Priority)));
    assert_eq!(sources(&shop, 2), pairs(&[("A@east", 2), ("A@north", 7)]));
}

#[test]
fn single_source_takes_the_first_location_that_serves_every_line() {
    let stock = [("A@east", 9), ("A@north", 9), ("A@west", 9), ("B@east", 1), ("B@north", 2), ("B@west", 9)];
    let all = ["east", "north", "west"];
    let wanted = |a, b| request(1, &[("A", a), ("B", b)]).with_sourcing(from(&all, Strategy::SingleSource));
    let mut shop = Shop::with(&stock);
    shop.reserve(wanted(1, 2));
    assert_eq!(sources(&shop, 1), pairs(&[("A@north", 1), ("B@north", 2)]));
    let mut shop = Shop::with(&stock);
    shop.reserve(wanted(1, 12));
    let expected = [("A@east", 1), ("B@east", 1), ("B@north", 2), ("B@west", 9)];
    assert_eq!(sources(&shop, 1), pairs(&expected), "if none can, by priority");
}

#[test]
fn single_source_counts_lines_of_one_sku_together() {
    let mut shop = Shop::with(&[("A@east", 3), ("A@west", 4)]);
    let wanted = request(1, &[("A", 2), ("A", 2)]).with_sourcing(from(&["east", "west"], Strategy::SingleSource));
    shop.reserve(wanted);
    assert_eq!(sources(&shop, 1), pairs(&[("A@west", 4)]));
}

#[test]
fn single_source_leaves_a_pinned_line_its_units() {
    let mut shop = Shop::with(&[("A@east", 5), ("A@west", 9)]);
    let wanted = request(1, &[("A@east", 3), ("A", 4)]);
    shop.reserve(wanted.with_sourcing(from(&["east", "west"], Strategy::SingleSource)));
    assert_eq!(sources(&shop, 1), pairs(&[("A@east", 3), ("A@west", 4)]));
}

#[test]
fn fewest_splits_prefers_one_location_for_all_lines_then_one_for_each() {
    let all = ["east", "north", "west"];
    let wanted = |lines: &[(&str, u32)]| request(1, lines).with_sourcing(from(&all, Strategy::FewestSplits));
    let stock = [("A@east", 2), ("A@north", 5), ("A@west", 6), ("B@east", 9), ("B@west", 3)];
    let mut shop = Shop::with(&stock);
    shop.reserve(wanted(&[("A", 6), ("B", 3)]));
    assert_eq!(sources(&shop, 1), pairs(&[("A@west", 6), ("B@west", 3)]), "one serves all");
    let mut shop = Shop::with(&stock);
    shop.reserve(wanted(&[("A", 4), ("B", 9)]));
    assert_eq!(sources(&shop, 1), pairs(&[("A@north", 4), ("B@east", 9)]), "one for each line");
    let mut shop = Shop::with(&stock);
    shop.reserve(wanted(&[("A", 7), ("B", 1)]));
    let expected = [("A@west", 6), ("A@north", 1), ("B@west", 1)];
    assert_eq!(sources(&shop, 1), pairs(&expected), "the largest first, and then one that is used already");
}

#[test]
fn a_pinned_line_comes_from_its_location_only() {
    let mut shop = Shop::with(&[("A", 9), ("A@east", 2)]);
    for strategy in [Strategy::Priority, Strategy::SingleSource, Strategy::FewestSplits] {
        let sourcing = from(&["main"], strategy);
        let wanted = |units| request(1, &[("A@east", units)]).with_sourcing(sourcing.clone()).replacing();
        assert_eq!(short(shop.refused(StockAction::Reserve(wanted(3)))), [("A".to_owned(), 3, 2)]);
        shop.reserve(wanted(2));
        assert_eq!(sources(&shop, 1), pairs(&[("A@east", 2)]));
        shop.release(1, Parts::All);
    }
    let unknown = request(2, &[("A@west", 1)]);
    assert_eq!(shop.refused(StockAction::Reserve(unknown)), Refusal::UnknownSku(sku("A")));
}

#[test]
fn a_location_that_is_named_twice_is_one_location() {
    let mut shop = Shop::with(&[("A@east", 5)]);
    let twice = |policy| {
        let sourcing = from(&["east", "east"], Strategy::Priority);
        StockAction::Reserve(request(1, &[("A", 8)]).with_sourcing(sourcing).with_policy(policy))
    };
    assert_eq!(short(shop.refused(twice(Policy::AllOrNothing))), [("A".to_owned(), 8, 5)]);
    shop.configure("A@east", backorders(2_u32));
    assert_eq!(short(shop.refused(twice(Policy::Backorder))), [("A".to_owned(), 8, 7)]);
    assert_eq!(granted(&reserved(shop.act(twice(Policy::Partial)))), [("A", 5, 0)]);
}

#[test]
fn backorders_wait_at_the_location_that_ranks_first_and_may() {
    let mut shop = Shop::with(&[("A@east", 1), ("A@north", 1), ("A@west", 1)]);
    shop.configure("A@north", backorders(2_u32));
    shop.configure("A@west", backorders(9_u32));
    let sourcing = from(&["east", "north", "west"], Strategy::Priority);
    shop.reserve(request(1, &[("A", 8)]).with_sourcing(sourcing).with_policy(Policy::Backorder));
    let expected = [("A@east".to_owned(), 1, 0), ("A@north".to_owned(), 3, 2), ("A@west".to_owned(), 4, 3)];
    assert_eq!(claims(&shop.reservation(1)), expected);
}

/// The smallest stock first.
#[derive(Debug)]
struct Smallest;

impl SourcingStrategy for Smallest {
    fn rank(&self, sku: &Sku, quantity: Quantity, candidates: &mut [Candidate]) {
        assert_eq!((sku.as_str(), quantity), ("A", 4.into()));
        candidates.sort_by_key(|candidate| candidate.available);
    }
}

#[test]
fn the_applications_own_strategy_ranks() {
    let mut shop = Shop::with(&[("A@east", 9), ("A@north", 3), ("A@west", 1)]);
    let wanted = || request(1, &[("A", 4)]).with_sourcing(from(&["east", "north", "west"], custom("smallest")));
    let refusal = shop.refused(StockAction::Reserve(wanted()));
    assert_eq!(refusal, Refusal::UnknownStrategy("smallest".to_owned()));
    shop.engine = Engine::new().with_sourcing("smallest", Smallest);
    shop.reserve(wanted());
    assert_eq!(sources(&shop, 1), pairs(&[("A@west", 1), ("A@north", 3)]));
}

/// Claims that there is everything everywhere, and nothing but one location.
#[derive(Debug)]
struct Liar;

impl SourcingStrategy for Liar {
    fn rank(&self, _: &Sku, _: Quantity, candidates: &mut [Candidate]) {
        candidates.reverse();
        candidates[0].available = Quantity::MAX;
        let first = candidates[0].clone();
        candidates.fill(first);
    }
}

#[test]
fn no_strategy_can_oversell_or_hide_stock() {
    let mut shop = Shop::with(&[("A@east", 2), ("A@west", 3)]);
    shop.engine = Engine::new().with_sourcing("liar", Liar);
    let wanted = |units| request(1, &[("A", units)]).with_sourcing(from(&["east", "west"], custom("liar")));
    assert_eq!(short(shop.refused(StockAction::Reserve(wanted(6)))), [("A".to_owned(), 6, 5)]);
    shop.reserve(wanted(5));
    assert_eq!(sources(&shop, 1), pairs(&[("A@west", 3), ("A@east", 2)]));
}
