//! The catalog and customer services.

use std::num::NonZeroUsize;
use std::sync::Arc;

use super::context::Context;
#[cfg(feature = "near-cache")]
use super::reads::NearProducts;
use super::reads::Reads;
use crate::engine::Engine;
use crate::engine::record::{CustomerCommand, Expected, ProductCommand, Put, PutOutcome};
use crate::error::{Error, Result};
use crate::model::{Actor, Customer, CustomerId, Product, Sku};
use crate::port::{Cache, CatalogStore, Clock, CustomerStore, IdGenerator, Page};

macro_rules! record_service {
    (
        $(#[$doc:meta])* $service:ident, $store:ident, $record:ident, $key:ident, $command:ident,
        $read:ident, $list:ident, $what:literal $(, $cached:ident: $reads:ty)?
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $service {
            store: Arc<dyn $store>,
            engine: Engine,
            context: Context,
            $($cached: $reads,)?
        }

        impl $service {
            /// A service on a store.
            #[must_use]
            pub fn new(store: Arc<dyn $store>) -> Self {
                Self {
                    $($cached: <$reads>::new(Arc::clone(&store)),)?
                    store,
                    engine: Engine::new(),
                    context: Context::default(),
                }
            }

            /// Sets the clock.
            #[must_use]
            pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
                self.context.clock = clock;
                self
            }

            /// Sets where command ids come from.
            #[must_use]
            pub fn with_ids(mut self, ids: Arc<dyn IdGenerator>) -> Self {
                self.context.ids = ids;
                self
            }

            /// The same service, in somebody's name.
            #[must_use]
            pub fn as_actor(&self, actor: Actor) -> Self {
                let mut same = self.clone();
                same.context.actor = actor;
                same
            }

            /// Makes a command with a new id. Keep it and pass it to `execute` again to ask once more.
            #[must_use]
            pub fn command(&self, record: $record, expected: Expected) -> $command {
                self.context.command(Put { record, expected })
            }

            /// Decides a command. Asked again with the same id, the answer is the first answer.
            ///
            /// # Errors
            /// `InvalidInput` for a record that makes no sense, and what the store reports.
            pub async fn execute(&self, command: $command) -> Result<PutOutcome> {
                command.action.record.validate()?;
                let outcomes = self.store.execute(&self.engine, vec![command]).await;
                let outcome = outcomes.map_err(|error| error.during(concat!($what, ".execute")))?.pop();
                outcome.ok_or_else(|| Error::corrupt("the store answered nothing"))
            }

            /// Stores a record, if the version that is there is the one expected.
            ///
            /// # Errors
            /// As for `execute`.
            pub async fn put(&self, record: $record, expected: Expected) -> Result<PutOutcome> {
                self.execute(self.command(record, expected)).await
            }

            /// Reads records from the store, aligned with `keys`.
            ///
            /// # Errors
            /// What the store reports.
            pub async fn $read(&self, keys: &[$key]) -> Result<Vec<Option<$record>>> {
                self.store.$read(keys).await
            }

            /// Reads a page of records in the order of their keys.
            ///
            /// # Errors
            /// What the store reports.
            pub async fn list(&self, after: Option<$key>, limit: NonZeroUsize) -> Result<Page<$record, $key>> {
                self.store.$list(after, limit).await
            }
        }
    };
}

record_service! {
    /// The catalog: what can be ordered. Cloning is cheap.
    Catalog, CatalogStore, Product, Sku, ProductCommand, products, list_products, "catalog",
    reads: Reads<Product>
}
record_service! {
    /// The customers. Cloning is cheap.
    Customers, CustomerStore, Customer, CustomerId, CustomerCommand, customers, list_customers, "customers"
}

impl Catalog {
    /// Answers [`Catalog::details`] through a cache.
    #[must_use]
    pub fn with_cache(mut self, cache: Arc<dyn Cache>) -> Self {
        self.reads = self.reads.with_cache(cache);
        self
    }

    /// Answers [`Catalog::details`] from the process itself, and what is not there through the cache, if there is one, or
    /// the store.
    #[cfg(feature = "near-cache")]
    #[must_use]
    pub fn with_near_products(mut self, near: NearProducts) -> Self {
        self.reads = self.reads.with_near(near);
        self
    }

    /// Reads products to show them, through the caches if there are any, aligned with `skus`: they may be a moment old.
    /// What is decided by a product, its kit, its limit and whether it is sold, is read by [`Catalog::products`] from the
    /// store.
    ///
    /// # Errors
    /// What the store reports; a cache that fails is a miss.
    pub async fn details(&self, skus: &[Sku]) -> Result<Vec<Option<Product>>> {
        self.reads.many(skus).await
    }
}
