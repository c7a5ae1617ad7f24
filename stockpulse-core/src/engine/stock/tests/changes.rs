//! What changed, as a store saves it.

use super::super::RowChange;
use super::*;

/// The changed reservations, and whether they are new.
fn reservations(set: &StockWorkingSet) -> Vec<(ReservationId, RowChange, u64)> {
    set.changed_reservations().map(|(one, change)| (one.id, change, one.version)).collect()
}

#[test]
fn a_row_is_named_once_as_it_is_now_and_new_only_if_it_was_not_there() {
    let mut shop = Shop::with(&[("A", 9), ("B", 9)]);
    shop.reserve(request(1, &[("A", 1)]));
    let engine = shop.engine.clone();
    let batch = [
        shop.command(StockAction::Reserve(request(2, &[("A", 2)]))),
        shop.command(StockAction::Allocate { reservation: id(1) }),
        shop.command(StockAction::Fulfil { reservation: id(1), parts: Parts::All }),
        shop.command(StockAction::Allocate { reservation: id(2) }),
        shop.command(StockAction::Reserve(request(3, &[("B", 99)]))),
    ];
    engine.execute_stock(&mut shop.set, &batch);
    assert_eq!(reservations(&shop.set), [(id(2), RowChange::Created, 2), (id(1), RowChange::Updated, 3)]);
    let levels: Vec<_> = shop.set.changed_levels().map(|level| (level.key.clone(), level.version)).collect();
    assert_eq!(levels, [(key("A"), 4)], "a refused request changes no level");
    assert_eq!(shop.set.new_outcomes().count(), 5);
    assert_eq!(shop.set.movements().len(), 2);
}

#[test]
fn what_was_saved_is_forgotten_and_the_rows_stay() {
    let mut shop = Shop::with(&[("A", 9)]);
    let engine = shop.engine.clone();
    let reserve = shop.command(StockAction::Reserve(request(1, &[("A", 1)])));
    engine.execute_stock(&mut shop.set, std::slice::from_ref(&reserve));
    shop.set.clear_changes();
    assert_eq!((shop.set.changed_levels().count(), shop.set.new_outcomes().count()), (0, 0));
    assert_eq!(reservations(&shop.set), []);
    assert!(shop.set.movements().is_empty() && shop.set.events().is_empty());
    assert!(shop.set.outcome(reserve.id).is_some());
    let allocate = shop.command(StockAction::Allocate { reservation: id(1) });
    engine.execute_stock(&mut shop.set, &[allocate]);
    assert_eq!(reservations(&shop.set), [(id(1), RowChange::Updated, 2)]);
}

#[test]
fn a_set_that_was_cleared_is_as_good_as_a_new_one() {
    let mut shop = Shop::with(&[("A", 9)]);
    let engine = shop.engine.clone();
    let reserve = shop.command(StockAction::Reserve(request(1, &[("A", 1)])));
    let first = engine.execute_stock(&mut shop.set, std::slice::from_ref(&reserve));
    assert_eq!((shop.set.levels().count(), shop.set.reservations().count(), shop.set.outcomes().count()), (1, 1, 2));
    shop.set.clear();
    assert_eq!((shop.set.levels().count(), shop.set.reservations().count(), shop.set.outcomes().count()), (0, 0, 0));
    assert_eq!((shop.set.changed_levels().count(), shop.set.new_outcomes().count()), (0, 0));
    assert!(shop.set.movements().is_empty() && shop.set.events().is_empty());
    shop.set.insert_level(StockLevel { on_hand: 9.into(), ..StockLevel::new(key("A")) });
    assert_eq!(engine.execute_stock(&mut shop.set, &[reserve]), first);
    assert_eq!(reservations(&shop.set), [(id(1), RowChange::Created, 1)]);
}
