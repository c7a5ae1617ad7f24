//! Settings of a level, and retiring a SKU.

use super::*;
use crate::model::MovementKind;

fn configure(level: &str, settings: LevelSettings) -> StockAction {
    StockAction::Configure { key: key(level), settings }
}

fn retire(name: &str) -> StockAction {
    StockAction::Retire { sku: sku(name) }
}

#[test]
fn only_the_settings_that_are_given_change_and_the_ledger_says_so() {
    let mut shop = Shop::default();
    let all = LevelSettings {
        safety_stock: Some(1.into()),
        backorder_limit: Some(2.into()),
        low_stock_at: Some(Some(3.into())),
        tracked: Some(false),
        retired: Some(true),
    };
    shop.configure("A", all);
    let set = shop.level("A").clone();
    assert_eq!((set.safety_stock, set.backorder_limit), (1.into(), 2.into()));
    assert_eq!((set.low_stock_at, set.tracked, set.retired), (Some(3.into()), false, true));
    assert_eq!((shop.movements[0].kind, shop.movements[0].change), (MovementKind::Configured, Counters::default()));
    shop.configure("A", LevelSettings::default());
    assert_eq!(*shop.level("A"), StockLevel { version: 2, ..set });
    shop.configure("A", LevelSettings { low_stock_at: Some(None), retired: Some(false), ..LevelSettings::default() });
    assert_eq!((shop.level("A").low_stock_at, shop.level("A").retired), (None, false));
}

#[test]
fn whether_stock_is_counted_changes_only_while_nothing_is_claimed() {
    let tracked = |tracked| LevelSettings { tracked: Some(tracked), ..LevelSettings::default() };
    let mut shop = Shop::with(&[("A", 5)]);
    shop.reserve(request(1, &[("A", 2)]));
    let refusal = shop.refused(configure("A", tracked(false)));
    assert_eq!(refusal, Refusal::Claimed { key: key("A"), reserved: 2.into() });
    shop.configure("A", tracked(true));
    shop.release(1, Parts::All);
    shop.configure("A", tracked(false));
    shop.reserve(request(2, &[("A", 50)]));
    assert!(matches!(shop.refused(configure("A", tracked(true))), Refusal::Claimed { .. }));
}

#[test]
fn a_sku_is_retired_everywhere_and_then_sold_nowhere() {
    let mut shop = Shop::with(&[("A@east", 5), ("B", 1), ("A", 5)]);
    assert!(matches!(shop.act(retire("A")), StockOutcome::Retired(_)));
    let moved: Vec<_> = shop.movements.iter().map(|movement| (movement.kind, movement.key.clone())).collect();
    let expected = [(MovementKind::Retired, key("A@east")), (MovementKind::Retired, key("A"))];
    assert_eq!(moved, expected, "in the order of the keys, however the levels were loaded");
    assert!(shop.level("A").retired && shop.level("A@east").retired && !shop.level("B").retired);
    assert_eq!(shop.refused(StockAction::Reserve(request(1, &[("A", 1)]))), Refusal::RetiredSku(sku("A")));
    shop.configure("A", LevelSettings { retired: Some(false), ..LevelSettings::default() });
    shop.reserve(request(1, &[("A", 1)]));
}

#[test]
fn levels_are_retired_in_the_order_of_their_keys_however_they_were_loaded() {
    let mut shop = Shop::with(&[("A@west", 5), ("A@east", 1)]);
    shop.act(retire("A"));
    let moved: Vec<_> = shop.movements.iter().map(|movement| movement.key.clone()).collect();
    assert_eq!(moved, [key("A@east"), key("A@west")]);
}

#[test]
fn what_is_claimed_anywhere_is_not_retired_and_the_first_such_level_is_named() {
    let mut shop = Shop::with(&[("A@west", 5), ("A@east", 5), ("A", 5)]);
    shop.reserve(request(1, &[("A@west", 2), ("A@east", 1)]));
    let refusal = shop.refused(retire("A"));
    assert_eq!(refusal, Refusal::Claimed { key: key("A@east"), reserved: 1.into() });
    let by_settings = LevelSettings { retired: Some(true), ..LevelSettings::default() };
    let refusal = shop.refused(configure("A@west", by_settings));
    assert_eq!(refusal, Refusal::Claimed { key: key("A@west"), reserved: 2.into() });
    shop.allocate(1);
    assert!(matches!(shop.refused(retire("A")), Refusal::Claimed { .. }));
    shop.fulfil(1, Parts::All);
    shop.act(retire("A"));
    assert!(shop.level("A").retired);
}

#[test]
fn what_nobody_keeps_cannot_be_retired() {
    let mut shop = Shop::with(&[("A", 5)]);
    assert_eq!(shop.refused(retire("a")), Refusal::UnknownSku(sku("a")));
}
