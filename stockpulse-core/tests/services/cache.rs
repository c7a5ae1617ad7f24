//! Availability, product details and orders through a cache.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use stockpulse_core::engine::order::Place;
use stockpulse_core::engine::record::Expected;
use stockpulse_core::memory::{MemoryCache, MemoryCatalogStore, MemoryInventoryStore, MemoryOrderStore};
use stockpulse_core::model::{Envelope, Event, OrderId, OrderStatus, Product};
use stockpulse_core::port::{Cache, CacheKey, CachePut, Cached};
use stockpulse_core::service::{Catalog, Inventory, Orders};
use stockpulse_core::worker::{CacheHandler, Handled, Handler, Incoming};
use stockpulse_core::{Error, ErrorKind, Result};

use crate::support::store::WatchedStore;
use crate::support::{clock, euro, key, sku};

#[tokio::test]
async fn a_level_is_read_once_and_then_from_the_cache_until_it_ends() {
    let (time, clock) = clock();
    let store = WatchedStore::new(MemoryInventoryStore::default());
    let inventory = Inventory::builder(Arc::clone(&store) as _).with_cache(Arc::new(MemoryCache::new(clock))).start();
    inventory.receive(sku("CUP"), 10).await.unwrap();
    inventory.receive(sku("POT"), 3).await.unwrap();
    assert_eq!(inventory.sellable(sku("CUP")).await.unwrap(), 10.into());
    assert_eq!(store.reads(), 1);
    inventory.adjust(sku("CUP"), -1, "broken").await.unwrap();
    assert_eq!(inventory.sellable(sku("CUP")).await.unwrap(), 10.into(), "a moment old");
    assert_eq!(store.reads(), 1);

    // What is missing is read, and everything comes in the order in which it was asked for.
    let keys = [key("NOWHERE"), key("CUP"), key("POT"), key("CUP")];
    let levels = inventory.availability(&keys).await.unwrap();
    let on_hand: Vec<_> = levels.iter().map(|level| level.as_ref().map(|level| level.on_hand.get())).collect();
    assert_eq!(on_hand, [None, Some(10), Some(3), Some(10)]);
    assert_eq!(store.reads(), 2);
    assert_eq!(
        inventory.levels(&[key("CUP")]).await.unwrap()[0].as_ref().unwrap().on_hand,
        9.into(),
        "the store itself"
    );
    time.advance(Duration::from_secs(60));
    assert_eq!(inventory.sellable(sku("CUP")).await.unwrap(), 9.into());
}

fn cup(cents: i64) -> Product {
    Product::new(sku("CUP"), "Cup", euro(cents))
}

/// Gives a handler those events that it listens to.
async fn carry(handler: &CacheHandler, events: &[Event]) {
    let heard = events.iter().filter(|event| handler.event_types().contains(&event.data.event_type()));
    let open = |event: &Event| {
        let envelope = Envelope::seal(event, "/test").unwrap();
        Incoming { data: envelope.open().unwrap(), envelope }
    };
    let batch: Vec<Incoming> = heard.map(open).collect();
    assert_eq!(handler.handle(&batch).await.unwrap(), vec![Handled::Done; batch.len()]);
}

#[tokio::test]
async fn details_follow_the_events_and_decisions_do_not_wait_for_them() {
    let (_, clock) = clock();
    let store = MemoryCatalogStore::new(Arc::clone(&clock));
    let cache: Arc<dyn Cache> = Arc::new(MemoryCache::new(clock));
    let catalog = Catalog::new(Arc::new(store.clone())).with_cache(Arc::clone(&cache));
    let orders = Orders::builder(Arc::new(MemoryOrderStore::default())).with_catalog(catalog.clone()).start();
    let details = async || {
        let found = catalog.details(&[sku("NOWHERE"), sku("CUP")]).await.unwrap();
        assert_eq!(found[0], None);
        found[1].as_ref().map(|product| (product.price, product.active))
    };
    catalog.put(cup(100), Expected::New).await.unwrap();
    assert_eq!(details().await, Some((euro(100), true)));
    catalog.put(Product { active: false, ..cup(200) }, Expected::Any).await.unwrap();
    assert_eq!(details().await, Some((euro(100), true)), "a moment old");
    let place = Place::new(orders.new_order_id()).with_line(sku("CUP"), 1, euro(100));
    assert!(orders.place(place).await.is_err(), "what is sold says the store");
    let handler = CacheHandler::new("cache").with_products(cache);
    carry(&handler, &store.outbox().pending()).await;
    assert_eq!(details().await, Some((euro(200), false)));
    catalog.put(cup(300), Expected::Any).await.unwrap();
    let mut events = store.outbox().pending();
    events.reverse();
    carry(&handler, &events).await;
    assert_eq!(details().await, Some((euro(300), true)), "the older events came last");
}

#[tokio::test]
async fn an_order_that_changed_is_read_anew() {
    let (_, clock) = clock();
    let store = MemoryOrderStore::new(Arc::clone(&clock));
    let cache: Arc<dyn Cache> = Arc::new(MemoryCache::new(clock));
    let orders = Orders::builder(Arc::new(store.clone())).with_cache(Arc::clone(&cache)).start();
    let id = orders.new_order_id();
    let view = async || {
        let found = orders.view(&[OrderId::from_u128(9), id]).await.unwrap();
        assert_eq!(found[0], None);
        found[1].as_ref().map(|order| order.status)
    };
    orders.place(Place::new(id).with_line(sku("CUP"), 1, euro(100))).await.unwrap();
    assert_eq!(view().await, Some(OrderStatus::Placed));
    orders.cancel(id, None).await.unwrap();
    assert_eq!(view().await, Some(OrderStatus::Placed), "a moment old");
    assert_eq!(orders.order(id).await.unwrap().map(|order| order.status), Some(OrderStatus::Cancelled));
    carry(&CacheHandler::new("cache").with_levels(Arc::clone(&cache)), &store.outbox().pending()).await;
    assert_eq!(view().await, Some(OrderStatus::Placed), "a handler of levels is not interested");
    carry(&CacheHandler::new("cache").with_orders(cache), &store.outbox().pending()).await;
    assert_eq!(view().await, Some(OrderStatus::Cancelled));
}

/// A cache that fails.
#[derive(Debug)]
struct Broken;

#[async_trait]
impl Cache for Broken {
    async fn get(&self, _keys: &[CacheKey]) -> Result<Vec<Option<Cached>>> {
        Err(Error::new(ErrorKind::Unavailable, "the cache is down"))
    }

    async fn put(&self, _batch: Vec<CachePut>) -> Result<()> {
        Err(Error::new(ErrorKind::Unavailable, "the cache is down"))
    }

    async fn invalidate(&self, _floors: &[(CacheKey, u64)], _ttl: Duration) -> Result<()> {
        Err(Error::new(ErrorKind::Unavailable, "the cache is down"))
    }
}

/// A cache that has something unreadable for everything.
#[derive(Debug)]
struct Garbled;

#[async_trait]
impl Cache for Garbled {
    async fn get(&self, keys: &[CacheKey]) -> Result<Vec<Option<Cached>>> {
        Ok(vec![Some(Cached { version: 1, value: (b"?" as &[u8]).into() }); keys.len()])
    }

    async fn put(&self, _batch: Vec<CachePut>) -> Result<()> {
        Ok(())
    }

    async fn invalidate(&self, _floors: &[(CacheKey, u64)], _ttl: Duration) -> Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_cache_that_fails_or_cannot_be_read_is_a_miss() {
    for cache in [Arc::new(Broken) as Arc<dyn Cache>, Arc::new(Garbled)] {
        let inventory = Inventory::builder(Arc::new(MemoryInventoryStore::default())).with_cache(cache).start();
        inventory.receive(sku("CUP"), 10).await.unwrap();
        assert_eq!(inventory.sellable(sku("CUP")).await.unwrap(), 10.into());
        inventory.adjust(sku("CUP"), -1, "broken").await.unwrap();
        assert_eq!(inventory.sellable(sku("CUP")).await.unwrap(), 9.into());
    }
}

#[tokio::test]
async fn products_and_orders_do_without_a_cache_that_fails() {
    for cache in [Arc::new(Broken) as Arc<dyn Cache>, Arc::new(Garbled)] {
        let catalog = Catalog::new(Arc::new(MemoryCatalogStore::default())).with_cache(Arc::clone(&cache));
        let store = MemoryOrderStore::default();
        let orders = Orders::builder(Arc::new(store.clone())).with_cache(Arc::clone(&cache)).start();
        for cents in [100, 200] {
            catalog.put(cup(cents), Expected::Any).await.unwrap();
            let found = catalog.details(&[sku("CUP")]).await.unwrap();
            assert_eq!(found[0].as_ref().map(|product| product.price), Some(euro(cents)));
        }
        let id = orders.new_order_id();
        orders.place(Place::new(id).with_line(sku("CUP"), 1, euro(100))).await.unwrap();
        orders.cancel(id, None).await.unwrap();
        assert_eq!(orders.view(&[id]).await.unwrap()[0].as_ref().map(|order| order.version), Some(2));
        // Nor do events wait for it.
        carry(&CacheHandler::new("cache").with_cache(cache), &store.outbox().pending()).await;
    }
}
