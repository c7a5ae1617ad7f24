//! What caches keep.

use std::fmt::Debug;
use std::hash::Hash;
use std::time::Duration;

use compact_str::{CompactString, ToCompactString, format_compact};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Result;
use crate::model::{Order, OrderId, Product, Sku, StockKey, StockLevel};
use crate::port::{CatalogStore, InventoryStore, OrderStore};

/// A record that is read through caches: a [`StockLevel`], a [`Product`] or an [`Order`]. Its version grows with every
/// change, so that a cache knows which of two is newer.
pub trait Cacheable: Clone + Debug + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// What it is found by.
    type Key: Clone + Debug + Eq + Hash + Send + Sync + 'static;
    /// Where it is kept.
    type Store: ?Sized + Debug + Send + Sync + 'static;

    /// Its kind, in the names of a [`Cache`](crate::port::Cache).
    const SPACE: &'static str;
    /// How long a shared cache may answer it when no event says otherwise.
    const TTL: Duration;

    /// Its key.
    fn key(&self) -> &Self::Key;

    /// Its version.
    fn version(&self) -> u64;

    /// The name of a key, among those of its kind.
    fn name(key: &Self::Key) -> CompactString;

    /// Reads records from their store, aligned with `keys`.
    ///
    /// # Errors
    /// What the store reports.
    fn load(store: &Self::Store, keys: &[Self::Key]) -> impl Future<Output = Result<Vec<Option<Self>>>> + Send;
}

impl Cacheable for StockLevel {
    type Key = StockKey;
    type Store = dyn InventoryStore;

    const SPACE: &'static str = "stock";
    const TTL: Duration = Duration::from_secs(30);

    fn key(&self) -> &StockKey {
        &self.key
    }

    fn version(&self) -> u64 {
        self.version
    }

    fn name(key: &StockKey) -> CompactString {
        // SKUs hold no control characters, so the separator is unambiguous.
        format_compact!("{}\u{1f}{}", key.sku, key.location)
    }

    async fn load(store: &dyn InventoryStore, keys: &[StockKey]) -> Result<Vec<Option<Self>>> {
        store.levels(keys).await
    }
}

impl Cacheable for Product {
    type Key = Sku;
    type Store = dyn CatalogStore;

    const SPACE: &'static str = "product";
    const TTL: Duration = Duration::from_secs(60);

    fn key(&self) -> &Sku {
        &self.sku
    }

    fn version(&self) -> u64 {
        self.version
    }

    fn name(key: &Sku) -> CompactString {
        key.as_str().into()
    }

    async fn load(store: &dyn CatalogStore, keys: &[Sku]) -> Result<Vec<Option<Self>>> {
        store.products(keys).await
    }
}

impl Cacheable for Order {
    type Key = OrderId;
    type Store = dyn OrderStore;

    const SPACE: &'static str = "order";
    const TTL: Duration = Duration::from_secs(30);

    fn key(&self) -> &OrderId {
        &self.id
    }

    fn version(&self) -> u64 {
        self.version
    }

    fn name(key: &OrderId) -> CompactString {
        key.to_compact_string()
    }

    async fn load(store: &dyn OrderStore, keys: &[OrderId]) -> Result<Vec<Option<Self>>> {
        store.orders(keys).await
    }
}
