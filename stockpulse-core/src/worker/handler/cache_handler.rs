//! Keeping caches and gates fresh.

use std::sync::Arc;

use async_trait::async_trait;
use compact_str::CompactString;

use crate::error::Result;
use crate::model::{Aggregate, EventData, EventType, Order, OrderId, Product, ProductEvent, StockEvent, StockLevel};
use crate::port::{AdmissionGate, Cache, GateLevel};
use crate::service::SharedCache;
#[cfg(feature = "near-cache")]
use crate::service::{NearLevels, NearProducts};
use crate::worker::{Handled, Handler, Incoming};

/// Writes levels and products that changed into caches, shared or the process' own, takes orders that changed out of them,
/// and tells a gate what can be sold. All of them ignore what is older than what they know, so that events may come twice
/// and late. It listens to what it was given something for.
///
/// Events of stock and products say how things are now; those of orders only that a version is over, so that the next
/// who looks reads it anew. A cache that fails is not told again: what it has ends with its time. A gate is.
#[derive(Clone, Debug)]
pub struct CacheHandler {
    group: CompactString,
    levels: Option<SharedCache<StockLevel>>,
    products: Option<SharedCache<Product>>,
    orders: Option<SharedCache<Order>>,
    gate: Option<Arc<dyn AdmissionGate>>,
    #[cfg(feature = "near-cache")]
    near_levels: Option<NearLevels>,
    #[cfg(feature = "near-cache")]
    near_products: Option<NearProducts>,
}

impl CacheHandler {
    /// A handler with nothing to keep fresh. A cache that several processes share needs one group; one inside a process
    /// needs a group of its own.
    #[must_use]
    pub fn new(group: impl Into<CompactString>) -> Self {
        Self {
            group: group.into(),
            levels: None,
            products: None,
            orders: None,
            gate: None,
            #[cfg(feature = "near-cache")]
            near_levels: None,
            #[cfg(feature = "near-cache")]
            near_products: None,
        }
    }

    /// Keeps all that services read through this cache fresh: levels, products and orders. If it is used for less, say so
    /// with one of the next three, and the others' events do not come.
    #[must_use]
    pub fn with_cache(self, cache: Arc<dyn Cache>) -> Self {
        self.with_levels(Arc::clone(&cache)).with_products(Arc::clone(&cache)).with_orders(cache)
    }

    /// Keeps stock levels in this cache fresh.
    #[must_use]
    pub fn with_levels(mut self, cache: Arc<dyn Cache>) -> Self {
        self.levels = Some(SharedCache::new(cache));
        self
    }

    /// Keeps products in this cache fresh.
    #[must_use]
    pub fn with_products(mut self, cache: Arc<dyn Cache>) -> Self {
        self.products = Some(SharedCache::new(cache));
        self
    }

    /// Takes orders that changed out of this cache.
    #[must_use]
    pub fn with_orders(mut self, cache: Arc<dyn Cache>) -> Self {
        self.orders = Some(SharedCache::new(cache));
        self
    }

    /// Keeps these levels of the process fresh.
    #[cfg(feature = "near-cache")]
    #[must_use]
    pub fn with_near_levels(mut self, near: NearLevels) -> Self {
        self.near_levels = Some(near);
        self
    }

    /// Keeps these products of the process fresh.
    #[cfg(feature = "near-cache")]
    #[must_use]
    pub fn with_near_products(mut self, near: NearProducts) -> Self {
        self.near_products = Some(near);
        self
    }

    /// Keeps this gate informed.
    #[must_use]
    pub fn with_gate(mut self, gate: Arc<dyn AdmissionGate>) -> Self {
        self.gate = Some(gate);
        self
    }

    fn wants_levels(&self) -> bool {
        #[cfg(feature = "near-cache")]
        if self.near_levels.is_some() {
            return true;
        }
        self.levels.is_some() || self.gate.is_some()
    }

    fn wants_products(&self) -> bool {
        #[cfg(feature = "near-cache")]
        if self.near_products.is_some() {
            return true;
        }
        self.products.is_some()
    }
}

/// What a batch of events says, of each kind of record.
#[derive(Default)]
struct News<'a> {
    levels: Vec<&'a StockLevel>,
    products: Vec<&'a Product>,
    orders: Vec<(&'a OrderId, u64)>,
}

impl<'a> News<'a> {
    fn of(batch: &'a [Incoming]) -> Self {
        let mut news = Self::default();
        for event in batch {
            match &event.data {
                EventData::Stock(StockEvent::Updated(level)) => news.levels.push(level),
                EventData::Product(ProductEvent::Created(product) | ProductEvent::Updated(product)) => {
                    news.products.push(product);
                }
                // The sequence of an order's event is the order's version.
                EventData::Order(order) => news.orders.push((&order.order, event.envelope.sequence)),
                _ => {}
            }
        }
        news
    }
}

#[async_trait]
impl Handler for CacheHandler {
    fn group(&self) -> &str {
        &self.group
    }

    fn event_types(&self) -> Vec<EventType> {
        let mut types = Vec::new();
        if self.wants_levels() {
            types.push(EventType::StockUpdated);
        }
        if self.wants_products() {
            types.extend([EventType::ProductCreated, EventType::ProductUpdated]);
        }
        if self.orders.is_some() {
            types.extend(EventType::ALL.iter().filter(|known| known.aggregate() == Aggregate::Order));
        }
        types
    }

    async fn handle(&self, batch: &[Incoming]) -> Result<Vec<Handled>> {
        let News { levels, products, orders } = News::of(batch);
        #[cfg(feature = "near-cache")]
        {
            if let Some(near) = &self.near_levels {
                near.refresh(levels.iter().copied());
            }
            if let Some(near) = &self.near_products {
                near.refresh(products.iter().copied());
            }
        }
        if let Some(cache) = &self.levels {
            cache.refresh(levels.iter().copied()).await;
        }
        if let Some(cache) = &self.products {
            cache.refresh(products).await;
        }
        if let Some(cache) = &self.orders {
            cache.invalidate(orders).await;
        }
        if let Some(gate) = &self.gate
            && !levels.is_empty()
        {
            let known: Vec<GateLevel> = levels.into_iter().map(GateLevel::from).collect();
            gate.reconcile(&known).await?;
        }
        Ok(vec![Handled::Done; batch.len()])
    }
}

#[cfg(test)]
#[cfg(feature = "memory")]
mod tests {
    use super::*;
    use crate::memory::{MemoryCache, MemoryGate};
    use crate::system::SystemClock;

    #[test]
    fn it_listens_to_what_it_was_given_something_for() {
        let cache = || Arc::new(MemoryCache::new(Arc::new(SystemClock)));
        let gate = Arc::new(MemoryGate::new(Arc::new(SystemClock)));
        let nothing = || CacheHandler::new("cache");
        let products = [EventType::ProductCreated, EventType::ProductUpdated];
        assert!(nothing().event_types().is_empty());
        assert_eq!(nothing().with_levels(cache()).event_types(), [EventType::StockUpdated]);
        assert_eq!(nothing().with_gate(gate).event_types(), [EventType::StockUpdated]);
        assert_eq!(nothing().with_products(cache()).event_types(), products);
        let orders = nothing().with_orders(cache()).event_types();
        let names: Vec<&str> = orders.iter().map(|known| known.name()).collect();
        assert!(names.len() == 9 && names.iter().all(|name| name.starts_with("order.")), "{names:?}");
        assert_eq!(nothing().with_cache(cache()).event_types().len(), 1 + 2 + 9);
        #[cfg(feature = "near-cache")]
        {
            assert_eq!(nothing().with_near_levels(NearLevels::default()).event_types(), [EventType::StockUpdated]);
            assert_eq!(nothing().with_near_products(NearProducts::default()).event_types(), products);
        }
    }
}
