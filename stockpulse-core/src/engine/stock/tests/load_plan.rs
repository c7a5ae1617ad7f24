//! What a store has to load.

use super::super::LoadPlan;
use super::*;
use crate::model::{Component, Kit, Sourcing, Strategy};

fn plan(actions: &[StockAction]) -> LoadPlan {
    let mut shop = Shop::default();
    let batch: Vec<_> = actions.iter().map(|action| shop.command(action.clone())).collect();
    LoadPlan::of(&batch)
}

#[test]
fn a_request_needs_its_components_at_every_location_that_may_serve_it() {
    let mut wanted = request(1, &[("SET", 1), ("B@west", 1)]);
    let component = |name| Component { sku: sku(name), quantity: Quantity::ONE };
    wanted.kits = vec![Kit { sku: sku("SET"), components: vec![component("C"), component("A")] }];
    let main = plan(&[StockAction::Reserve(wanted.clone())]);
    assert_eq!(main.levels, [key("A"), key("B@west"), key("C")]);
    assert_eq!(main.reservations, [id(1)]);
    wanted.sourcing = Sourcing { strategy: Strategy::Priority, locations: vec![place("west"), place("east")] };
    let two = plan(&[StockAction::Reserve(wanted)]);
    assert_eq!(two.levels, [key("A@east"), key("A@west"), key("B@west"), key("C@east"), key("C@west")]);
}

#[test]
fn each_list_is_sorted_and_without_duplicates() {
    let receive = |level| StockAction::Receive { lines: units_at(&[(level, 1)]) };
    let plan = plan(&[
        StockAction::Retire { sku: sku("B") },
        receive("B"),
        StockAction::Allocate { reservation: id(2) },
        receive("A"),
        StockAction::Release { reservation: id(1), parts: Parts::All, tombstone: false },
        StockAction::Expire { reservation: id(2) },
        StockAction::Transfer { sku: sku("A"), from: place("main"), to: place("east"), quantity: Quantity::ONE },
        StockAction::Retire { sku: sku("A") },
    ]);
    assert_eq!(plan.levels, [key("A@east"), key("A"), key("B")]);
    assert_eq!(plan.reservations, [id(1), id(2)]);
    assert_eq!(plan.skus, [sku("A"), sku("B")]);
    assert_eq!(plan.commands.len(), 8);
}

#[test]
fn a_loaded_reservation_adds_its_lines() {
    let mut shop = Shop::with(&[("A", 5), ("B", 5)]);
    shop.reserve(request(1, &[("B", 1), ("A", 1)]));
    let mut plan = plan(&[StockAction::Allocate { reservation: id(1) }, StockAction::Retire { sku: sku("C") }]);
    plan.add_lines_of(&shop.reservation(1));
    plan.add_lines_of(&shop.reservation(1));
    assert_eq!(plan.levels, [key("A"), key("B")]);
}
