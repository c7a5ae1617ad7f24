//! Records that are put: versions, events, and what a store loads and saves.

use super::*;
use crate::model::{Currency, Money};

/// Puts a product of this price.
fn put(id: u128, price: i64, expected: Expected) -> ProductCommand {
    let product = Product::new(Sku::new("CUP").unwrap(), "Cup", Money::new(price, Currency::EUR));
    Command::new(CommandId::from_u128(id), Timestamp::from_secs(1), Put { record: product, expected })
}

/// Puts a customer of this name.
fn greet(id: u128, name: &str, expected: Expected) -> CustomerCommand {
    let record = Customer::new(CustomerId::from_u128(7), name);
    Command::new(CommandId::from_u128(id), Timestamp::from_secs(1), Put { record, expected })
}

/// The events: name, sequence, and the index within the command.
fn told<T: Record>(set: &RecordWorkingSet<T>) -> Vec<(&'static str, u64, u32)> {
    set.events().iter().map(|event| (event.data.event_type().name(), event.sequence, event.index)).collect()
}

#[test]
fn versions_guard_and_the_same_command_twice_changes_nothing() {
    let mut set = RecordWorkingSet::default();
    assert_eq!(set.decide(&put(1, 100, Expected::New)), PutOutcome::Stored(1));
    assert_eq!(set.decide(&put(2, 200, Expected::Version(1))), PutOutcome::Stored(2));
    assert_eq!(set.decide(&put(1, 100, Expected::New)), PutOutcome::Stored(1));
    assert_eq!(set.decide(&put(1, 300, Expected::New)), PutOutcome::Conflict);
    assert_eq!(set.decide(&put(3, 300, Expected::Version(1))), PutOutcome::Stale(2));
    assert_eq!(set.decide(&put(4, 300, Expected::New)), PutOutcome::Stale(2));
    assert_eq!(set.get(&Sku::new("CUP").unwrap()).unwrap().price.minor, 200);
    assert_eq!(set.events().len(), 2);
}

#[test]
fn putting_the_same_again_stores_nothing_and_tells_nobody() {
    let mut set = RecordWorkingSet::default();
    set.decide(&put(1, 100, Expected::Any));
    assert_eq!(set.decide(&put(2, 100, Expected::Any)), PutOutcome::Stored(1));
    assert_eq!(set.events().len(), 1);
}

#[test]
fn a_record_that_makes_no_sense_is_refused() {
    let mut set = RecordWorkingSet::default();
    assert!(matches!(set.decide(&put(1, -1, Expected::Any)), PutOutcome::Invalid(reason) if reason.contains("price")));
}

#[test]
fn a_customer_without_a_name_is_refused() {
    let mut set = RecordWorkingSet::default();
    let refused = set.decide(&greet(1, " ", Expected::Any));
    assert!(matches!(refused, PutOutcome::Invalid(reason) if reason.contains("name")));
    assert_eq!((set.changed().count(), told(&set)), (0, Vec::new()));
}

#[test]
fn what_is_put_first_is_created_and_what_is_put_again_updated() {
    let mut products = RecordWorkingSet::default();
    products.decide(&put(1, 100, Expected::New));
    products.decide(&put(2, 200, Expected::Any));
    assert_eq!(told(&products), [("product.created", 1, 0), ("product.updated", 2, 0)]);
    let mut customers = RecordWorkingSet::default();
    customers.decide(&greet(1, "Ada", Expected::New));
    customers.decide(&greet(2, "Ada Lovelace", Expected::Version(1)));
    assert_eq!(told(&customers), [("customer.created", 1, 0), ("customer.updated", 2, 0)]);
    let customer = customers.get(&CustomerId::from_u128(7)).unwrap();
    assert_eq!((customer.name.as_str(), customer.version), ("Ada Lovelace", 2));
    assert_eq!(customer.updated_at, Timestamp::from_secs(1));
}

#[test]
fn what_was_saved_and_loaded_again_is_what_it_was() {
    let (first, second) = (put(1, 100, Expected::New), put(2, 200, Expected::Version(1)));
    let mut set = RecordWorkingSet::default();
    let outcome = set.decide(&first);
    let mut loaded = RecordWorkingSet::default();
    set.changed().for_each(|record| loaded.insert(record.clone()));
    set.new_outcomes().for_each(|(id, decided)| loaded.insert_outcome(id, decided.clone()));
    assert_eq!((loaded.changed().count(), loaded.new_outcomes().count(), told(&loaded)), (0, 0, Vec::new()));
    assert_eq!(loaded.decide(&first), outcome);
    assert_eq!(told(&loaded), [], "it was told before");
    assert_eq!(loaded.decide(&second), PutOutcome::Stored(2));
}

#[test]
fn what_changed_is_forgotten_once_it_was_saved_and_the_rows_stay() {
    let mut set = RecordWorkingSet::default();
    set.decide(&put(1, 100, Expected::New));
    set.decide(&put(2, 100, Expected::New));
    let versions: Vec<_> = set.changed().map(|record| record.version).collect();
    let commands: Vec<_> = set.new_outcomes().map(|(id, decided)| (id, decided.outcome.clone())).collect();
    assert_eq!(versions, [1], "nothing was changed by what came too late");
    let (one, two) = (CommandId::from_u128(1), CommandId::from_u128(2));
    assert_eq!(commands, [(one, PutOutcome::Stored(1)), (two, PutOutcome::Stale(1))]);
    set.clear_changes();
    assert_eq!((set.changed().count(), set.new_outcomes().count(), told(&set)), (0, 0, Vec::new()));
    assert_eq!(set.decide(&put(1, 100, Expected::New)), PutOutcome::Stored(1));
    assert!(set.get(&Sku::new("CUP").unwrap()).is_some());
}
