//! Kits: a line of a kit claims its components.

use super::*;
use crate::model::{Component, Kit, Policy, Sourcing, Strategy};

/// A set of two cups and a plate.
fn set() -> Kit {
    let component = |name, units: u32| Component { sku: sku(name), quantity: units.into() };
    Kit { sku: sku("SET"), components: vec![component("CUP", 2), component("PLATE", 1)] }
}

fn with_set(mut request: Reserve) -> Reserve {
    request.kits = vec![set()];
    request
}

#[test]
fn a_kit_claims_its_components() {
    let mut shop = Shop::with(&[("CUP", 10), ("PLATE", 10)]);
    let outcome = shop.reserve(with_set(request(1, &[("SET", 3)])));
    assert_eq!(granted(&outcome), [("SET", 3, 0)]);
    assert_eq!(claims(&shop.reservation(1)), [("CUP@main".to_owned(), 6, 0), ("PLATE@main".to_owned(), 3, 0)]);
    assert_eq!(shop.set.level(&key("SET")), None, "a kit has no level of its own");
}

#[test]
fn a_kit_is_as_sellable_as_its_scarcest_component() {
    let mut shop = Shop::with(&[("CUP", 5), ("PLATE", 10)]);
    let wanted = || with_set(request(1, &[("SET", 3)]));
    assert_eq!(short(shop.refused(StockAction::Reserve(wanted()))), [("SET".to_owned(), 3, 2)]);
    let partial = shop.reserve(wanted().with_policy(Policy::Partial));
    assert_eq!(granted(&partial), [("SET", 2, 0)]);
    assert_eq!(shop.stand("CUP"), (5, 4, 0, 1));
    assert_eq!(shop.stand("PLATE"), (10, 2, 0, 8));
}

/// Acceptance scenario 2, with kits.
#[test]
fn two_kits_and_a_loose_line_compete_for_one_component() {
    let mut shop = Shop::with(&[("CUP", 5), ("PLATE", 9)]);
    let twice = with_set(request(1, &[("SET", 2), ("SET", 2)]));
    assert_eq!(short(shop.refused(StockAction::Reserve(twice))), [("SET".to_owned(), 2, 0)]);
    let loose = with_set(request(1, &[("SET", 2), ("CUP", 2)]));
    assert_eq!(short(shop.refused(StockAction::Reserve(loose))), [("CUP".to_owned(), 2, 1)]);
    shop.reserve(with_set(request(1, &[("SET", 2), ("CUP", 1)])));
    assert_eq!(claims(&shop.reservation(1)), [("CUP@main".to_owned(), 5, 0), ("PLATE@main".to_owned(), 2, 0)]);
}

#[test]
fn a_kit_waits_as_long_as_any_component_does() {
    let mut shop = Shop::with(&[("CUP", 5), ("PLATE", 10)]);
    shop.configure("CUP", backorders(10_u32));
    let outcome = shop.reserve(with_set(request(1, &[("SET", 4)])).with_policy(Policy::Backorder));
    assert_eq!(granted(&outcome), [("SET", 4, 2)], "three cups are missing for two sets");
    assert_eq!(claims(&shop.reservation(1)), [("CUP@main".to_owned(), 8, 3), ("PLATE@main".to_owned(), 4, 0)]);
}

#[test]
fn a_kit_ships_and_is_released_by_its_own_sku() {
    let mut shop = Shop::with(&[("CUP", 10), ("PLATE", 10)]);
    shop.reserve(with_set(request(1, &[("SET", 3), ("PLATE", 1)])));
    shop.allocate(1);
    let shipped = shop.fulfil(1, skus(&[("SET", 1)]));
    assert_eq!(plain(&shipped.lines), pairs(&[("CUP", 2), ("PLATE", 1)]));
    let released = shop.release(1, skus(&[("SET", 2)]));
    assert_eq!(plain(&released.lines), pairs(&[("CUP", 4), ("PLATE", 2)]));
    let parts = skus(&[("SET", 1)]);
    let refusal = shop.refused(StockAction::Fulfil { reservation: id(1), parts });
    assert_eq!(refusal, Refusal::NotClaimed { sku: sku("CUP"), requested: 2.into(), open: Quantity::ZERO });
    assert_eq!(claims(&shop.reservation(1)), [("CUP@main".to_owned(), 0, 0), ("PLATE@main".to_owned(), 1, 0)]);
}

#[test]
fn a_reservation_remembers_the_kit_as_it_was() {
    let mut shop = Shop::with(&[("CUP", 10), ("PLATE", 10)]);
    shop.reserve(with_set(request(1, &[("SET", 1)])));
    assert_eq!(shop.reservation(1).kits, [set()]);
}

#[test]
fn an_unknown_or_retired_component_is_named() {
    let mut shop = Shop::with(&[("CUP", 10)]);
    let wanted = || StockAction::Reserve(with_set(request(1, &[("SET", 1)])));
    assert_eq!(shop.refused(wanted()), Refusal::UnknownSku(sku("PLATE")));
    shop.receive(&[("PLATE", 1)]);
    shop.act(StockAction::Retire { sku: sku("PLATE") });
    assert_eq!(shop.refused(wanted()), Refusal::RetiredSku(sku("PLATE")));
}

#[test]
fn kits_without_sense_are_refused() {
    let mut shop = Shop::with(&[("CUP", 10), ("PLATE", 10)]);
    let mut empty = set();
    empty.components.clear();
    let mut nothing = set();
    nothing.components[0].quantity = Quantity::ZERO;
    let mut twice = set();
    twice.components[1].sku = sku("CUP");
    let mut huge = set();
    huge.components[0].quantity = Quantity::MAX;
    for kit in [empty, nothing, twice, huge] {
        let mut wanted = request(1, &[("SET", 2)]).with_policy(Policy::Partial);
        wanted.kits = vec![kit];
        assert!(matches!(shop.refused(StockAction::Reserve(wanted)), Refusal::Invalid(_)));
    }
}

#[test]
fn components_may_come_from_different_locations() {
    let mut shop = Shop::with(&[("CUP@east", 3), ("CUP@west", 9), ("PLATE@west", 9)]);
    let mut wanted = with_set(request(1, &[("SET", 2)]));
    wanted.sourcing.locations = vec![place("east"), place("west")];
    shop.reserve(wanted);
    let expected = [("CUP@east".to_owned(), 3, 0), ("CUP@west".to_owned(), 1, 0), ("PLATE@west".to_owned(), 2, 0)];
    assert_eq!(claims(&shop.reservation(1)), expected);
}

#[test]
fn single_source_takes_the_first_location_with_all_components_of_all_kits() {
    let mut shop = Shop::with(&[("CUP@east", 5), ("PLATE@east", 9), ("CUP@west", 6), ("PLATE@west", 3)]);
    let mut wanted = with_set(request(1, &[("SET", 3)]));
    wanted.sourcing = Sourcing { strategy: Strategy::SingleSource, locations: vec![place("east"), place("west")] };
    shop.reserve(wanted);
    assert_eq!(claims(&shop.reservation(1)), [("CUP@west".to_owned(), 6, 0), ("PLATE@west".to_owned(), 3, 0)]);
}
