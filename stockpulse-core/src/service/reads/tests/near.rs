//! Records in the process.

use std::num::NonZeroUsize;
use std::time::Duration;

use super::*;
use crate::model::{Currency, Money, Product, ProductEvent, Quantity, Sku, StockEvent, StockKey, StockLevel};
use crate::worker::{CacheHandler, Handler};

fn level(name: &str, on_hand: u32, version: u64) -> StockLevel {
    let mut level = StockLevel::new(StockKey::main(Sku::new(name).unwrap()));
    level.on_hand = Quantity::from(on_hand);
    level.version = version;
    level
}

fn product(price: i64, version: u64) -> Product {
    let mut product = Product::new(Sku::new("CUP").unwrap(), "Cup", Money::new(price, Currency::EUR));
    product.version = version;
    product
}

/// Any record can be kept in the process; orders are what the slow store has.
fn near_orders(store: &Arc<Slow>) -> (Reads<Order>, Near<Order>) {
    let near = Near::<Order>::default();
    (Reads::new(Arc::clone(store) as _).with_near(near.clone()), near)
}

#[tokio::test]
async fn callers_who_miss_the_same_record_at_once_share_one_reading() {
    let store = Slow::with([order(1, 3)]);
    let (reads, _) = near_orders(&store);
    let ask = |reads: &Reads<Order>| {
        let reads = reads.clone();
        tokio::spawn(async move { versions(&reads, &[1, 2]).await })
    };
    let callers: Vec<_> = (0..20).map(|_| ask(&reads)).collect();
    store.began(1).await;
    // The one who began it goes away; it is read for the others.
    callers[0].abort();
    store.go_on.add_permits(100);
    for caller in callers.into_iter().skip(1) {
        assert_eq!(caller.await.unwrap(), [Some(3), None]);
    }
    assert_eq!(store.readings(), 1);
    assert_eq!(reads.flights.len(), 0, "nothing is under way any more");
    assert_eq!(versions(&reads, &[1]).await, [Some(3)]);
    assert_eq!(store.readings(), 1, "it is in the process");
    assert_eq!(versions(&reads, &[1, 2, 1]).await, [Some(3), None, Some(3)]);
    assert_eq!(store.readings(), 2, "what does not exist is asked for again");
}

#[tokio::test]
async fn what_was_heard_of_meanwhile_is_not_replaced_by_an_older_version_that_was_read() {
    let store = Slow::with([order(1, 3)]);
    let (reads, near) = near_orders(&store);
    let reading = tokio::spawn({
        let reads = reads.clone();
        async move { versions(&reads, &[1]).await }
    });
    store.began(1).await;
    near.refresh([&order(1, 4)]);
    store.go_on.add_permits(1);
    assert_eq!(reading.await.unwrap(), [Some(3)], "what the caller's own reading found");
    assert_eq!(versions(&reads, &[1]).await, [Some(4)]);
}

#[tokio::test]
async fn events_that_come_late_replace_nothing_newer() {
    let (levels, products) = (NearLevels::default(), NearProducts::default());
    let handler = CacheHandler::new("near-1").with_near_levels(levels.clone()).with_near_products(products.clone());
    let of_level = |level: StockLevel| incoming(level.version, EventData::Stock(StockEvent::Updated(level)));
    let of_product = |event: fn(Box<Product>) -> ProductEvent, product: Product| {
        incoming(product.version, EventData::Product(event(Box::new(product))))
    };
    let batch = [
        of_level(level("CUP", 7, 6)),
        of_product(ProductEvent::Updated, product(300, 2)),
        of_level(level("CUP", 8, 5)),
        of_product(ProductEvent::Created, product(200, 1)),
    ];
    handler.handle(&batch).await.unwrap();
    assert_eq!(levels.get(&level("CUP", 0, 0).key).map(|level| level.on_hand), Some(7.into()));
    let cup = Sku::new("CUP").unwrap();
    assert_eq!(products.get(&cup).map(|product| product.price.minor), Some(300));
    handler.handle(&[of_product(ProductEvent::Updated, product(400, 3))]).await.unwrap();
    assert_eq!(products.get(&cup).map(|product| product.price.minor), Some(400));
}

#[tokio::test]
async fn a_reading_that_fails_fails_those_who_waited_and_the_next_call_reads_anew() {
    let mut store = Slow::with([order(1, 3)]);
    Arc::get_mut(&mut store).unwrap().fails = true;
    store.go_on.add_permits(10);
    let (reads, near) = near_orders(&store);
    let error = reads.many(&[OrderId::from_u128(1)]).await.unwrap_err();
    assert_eq!((error.kind(), reads.flights.len()), (ErrorKind::Unavailable, 0));
    let store = Slow::with([order(1, 3)]);
    store.go_on.add_permits(1);
    let mended = Reads { store: store as _, ..reads.with_near(near) };
    assert_eq!(versions(&mended, &[1]).await, [Some(3)]);
}

#[tokio::test]
async fn records_are_bounded_and_end_with_their_time() {
    let max_records = NonZeroUsize::new(10).unwrap();
    let near = NearLevels::new(NearOptions { max_records, ttl: Duration::from_millis(30) });
    let many: Vec<StockLevel> = (0..1_000).map(|number| level(&format!("CUP-{number}"), 1, 1)).collect();
    near.refresh(&many);
    assert!(near.len() <= 10, "{}", near.len());
    near.refresh([&many[0]]);
    tokio::time::sleep(Duration::from_millis(60)).await;
    assert_eq!(near.get(&many[0].key), None);
}
