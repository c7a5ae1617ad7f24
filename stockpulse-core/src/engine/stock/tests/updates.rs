//! `stock.updated`: once for each batch, with ids that do not depend on how it was cut.

use super::*;
use crate::model::EventId;

/// The `stock.updated` among events: level, version and id.
fn updates(events: &[Event]) -> Vec<(StockKey, u64, EventId)> {
    let updates = events.iter().filter_map(|event| match &event.data {
        EventData::Stock(StockEvent::Updated(level)) => Some((level.key.clone(), level.version, event.id())),
        _ => None,
    });
    updates.collect()
}

#[test]
fn a_level_is_told_once_for_each_batch_with_an_id_that_does_not_depend_on_how_it_was_cut() {
    let commands = |shop: &mut Shop| -> Vec<StockCommand> {
        let kit = request(1, &[("A", 1), ("B", 1)]);
        vec![
            shop.command(StockAction::Receive { lines: units_at(&[("A", 1), ("B", 1), ("A", 1)]) }),
            shop.command(StockAction::Reserve(kit)),
            shop.command(StockAction::Receive { lines: units_at(&[("B", 1)]) }),
        ]
    };
    let mut whole = Shop::with(&[("A", 9), ("B", 9)]);
    let batch = commands(&mut whole);
    whole.run_all(&batch);
    let told = updates(&whole.events);
    assert_eq!(
        told.iter().map(|(key, version, _)| (key.clone(), *version)).collect::<Vec<_>>(),
        [(key("A"), 4), (key("B"), 4)]
    );
    assert!(whole.told()[whole.events.len() - 2..].iter().all(|name| *name == "stock.updated"), "at the end");

    let mut single = Shop::with(&[("A", 9), ("B", 9)]);
    let mut all = Vec::new();
    for command in commands(&mut single) {
        single.run(&command);
        all.append(&mut updates(&single.events));
    }
    assert_eq!(all.len(), 5);
    assert!(told.iter().all(|update| all.contains(update)), "{told:?} is not among {all:?}");
}

#[test]
fn a_batch_does_not_repeat_what_an_earlier_one_told_before_it_was_saved() {
    let mut shop = Shop::with(&[("A", 9), ("B", 9)]);
    let engine = shop.engine.clone();
    for level in ["A", "B"] {
        let command = shop.command(StockAction::Receive { lines: units_at(&[(level, 1)]) });
        engine.execute_stock(&mut shop.set, &[command]);
    }
    let told: Vec<_> = updates(shop.set.events()).into_iter().map(|(key, ..)| key).collect();
    assert_eq!(told, [key("A"), key("B")]);
}

/// The ids of events are made of their indexes, and whoever listens keeps them.
#[test]
fn updates_are_numbered_from_the_middle_of_the_range_up() {
    let mut shop = Shop::default();
    shop.receive(&[("A", 1), ("B", 1)]);
    let updates = shop.events.iter().filter(|event| matches!(event.data, EventData::Stock(StockEvent::Updated(_))));
    assert_eq!(updates.map(|event| event.index).collect::<Vec<_>>(), [1 << 31, (1 << 31) + 1]);
}
