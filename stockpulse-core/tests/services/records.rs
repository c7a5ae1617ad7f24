//! Catalog and customers: versions guard, retries repeat.

use std::sync::Arc;

use stockpulse_core::ErrorKind;
use stockpulse_core::engine::record::{Expected, PutOutcome};
use stockpulse_core::memory::{MemoryCatalogStore, MemoryCustomerStore};
use stockpulse_core::model::{Customer, CustomerId, Product};
use stockpulse_core::service::{Catalog, Customers};

use crate::support::{clock, euro, kind, sku, some, start};

#[tokio::test]
async fn of_two_who_change_a_product_at_once_one_is_told() {
    let (_, clock) = clock();
    let store = MemoryCatalogStore::new(Arc::clone(&clock));
    let catalog = Catalog::new(Arc::new(store.clone())).with_clock(clock);
    let cup = |cents| Product::new(sku("CUP"), "Cup", euro(cents));
    assert_eq!(catalog.put(cup(100), Expected::New).await.unwrap(), PutOutcome::Stored(1));
    assert_eq!(catalog.put(cup(200), Expected::New).await.unwrap(), PutOutcome::Stale(1));
    assert_eq!(catalog.put(cup(200), Expected::Version(1)).await.unwrap(), PutOutcome::Stored(2));
    assert_eq!(catalog.put(cup(300), Expected::Version(1)).await.unwrap(), PutOutcome::Stale(2));
    let read = catalog.products(&[sku("NOWHERE"), sku("CUP")]).await.unwrap();
    assert_eq!(read[0], None);
    let product = read[1].as_ref().unwrap();
    assert_eq!((product.price, product.version, product.updated_at), (euro(200), 2, start()));
    assert_eq!(store.outbox().pending().len(), 2, "one event per change");
    assert_eq!(kind(catalog.put(cup(-1), Expected::Any).await), Some(ErrorKind::InvalidInput));
    let page = catalog.list(None, some(10)).await.unwrap();
    assert_eq!((page.items.len(), page.next), (1, None));
}

#[tokio::test]
async fn asked_again_the_answer_is_the_first() {
    let customers = Customers::new(Arc::new(MemoryCustomerStore::default()));
    let ann = Customer::new(CustomerId::from_u128(1), "Ann").with_email("ann@example.com");
    let command = customers.command(ann.clone(), Expected::New);
    assert_eq!(customers.execute(command.clone()).await.unwrap(), PutOutcome::Stored(1));
    assert_eq!(customers.execute(command.clone()).await.unwrap(), PutOutcome::Stored(1));
    let mut other = command;
    other.action.record.name = "Bob".to_owned();
    assert_eq!(customers.execute(other).await.unwrap(), PutOutcome::Conflict);
    assert_eq!(customers.put(ann, Expected::Any).await.unwrap(), PutOutcome::Stored(1), "nothing is different");
    let broken = Customer::new(CustomerId::from_u128(2), "Bob").with_email("nowhere");
    assert_eq!(kind(customers.put(broken, Expected::New).await), Some(ErrorKind::InvalidInput));
    let read = customers.customers(&[CustomerId::from_u128(2), CustomerId::from_u128(1)]).await.unwrap();
    assert_eq!(
        read.iter().map(|found| found.as_ref().map(|found| found.name.as_str())).collect::<Vec<_>>(),
        [None, Some("Ann")]
    );
}
