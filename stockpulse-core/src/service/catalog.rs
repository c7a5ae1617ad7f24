//! The catalog and customer services.

use std::num::NonZeroUsize;
use std::sync::Arc;

use super::context::Context;
use crate::engine::Engine;
use crate::engine::record::{CustomerCommand, Expected, ProductCommand, Put, PutOutcome};
use crate::error::{Error, Result};
use crate::model::{Actor, Customer, CustomerId, Product, Sku};
use crate::port::{CatalogStore, Clock, CustomerStore, IdGenerator, Page};

macro_rules! record_service {
    (
        $(#[$doc:meta])* $service:ident, $store:ident, $record:ident, $key:ident, $command:ident,
        $read:ident, $list:ident, $what:literal
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $service {
            store: Arc<dyn $store>,
            engine: Engine,
            context: Context,
        }

        impl $service {
            /// A service on a store.
            #[must_use]
            pub fn new(store: Arc<dyn $store>) -> Self {
                Self { store, engine: Engine::new(), context: Context::default() }
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

            /// Reads records, aligned with `keys`.
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
    Catalog, CatalogStore, Product, Sku, ProductCommand, products, list_products, "catalog"
}
record_service! {
    /// The customers. Cloning is cheap.
    Customers, CustomerStore, Customer, CustomerId, CustomerCommand, customers, list_customers, "customers"
}
