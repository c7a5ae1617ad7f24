//! Harnesses of the databases: what a rule opens has its own schema, database or file.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use stockpulse_core::Result;
use stockpulse_core::conformance::{
    BusBackend, CatalogBackend, CustomerBackend, Harness, InventoryBackend, NotificationBackend, OrderBackend,
};
use stockpulse_sql::Context;

use crate::support::{Kind, Place, Ports};

/// Opens stores on one kind of database.
pub(crate) struct Database {
    kind: Kind,
    place: Mutex<Option<Arc<Place>>>,
}

pub(crate) fn postgres() -> Database {
    Database { kind: Kind::Postgres, place: Mutex::default() }
}

pub(crate) fn mysql() -> Database {
    Database { kind: Kind::MySql, place: Mutex::default() }
}

pub(crate) fn sqlite() -> Database {
    Database { kind: Kind::Sqlite, place: Mutex::default() }
}

impl Database {
    async fn fresh(&self, context: Context) -> Result<Ports> {
        let place = Arc::new(Place::new(self.kind).await?);
        *self.place.lock().unwrap() = Some(Arc::clone(&place));
        place.connect(&[context]).await
    }

    async fn same(&self) -> Result<Ports> {
        let place = self.place.lock().unwrap().clone();
        place.expect("a rule opens before it reopens").connect(&[]).await
    }
}

/// Makes a harness for the rules of one port.
macro_rules! harness {
    ($backend:ident, $context:ident, $ports:ident => $made:expr) => {
        #[async_trait]
        impl Harness<$backend> for Database {
            async fn open(&self) -> Result<$backend> {
                let $ports = self.fresh(Context::$context).await?;
                Ok($made)
            }

            async fn reopen(&self, backend: $backend) -> Result<$backend> {
                drop(backend);
                let $ports = self.same().await?;
                Ok($made)
            }

            async fn another(&self) -> Result<Option<$backend>> {
                let $ports = self.same().await?;
                Ok(Some($made))
            }

            fn skip(&self) -> Option<String> {
                self.kind.missing()
            }
        }
    };
}

harness!(InventoryBackend, Inventory, ports => InventoryBackend {
    outbox: ports.outbox(Context::Inventory),
    store: ports.inventory,
});

harness!(OrderBackend, Orders, ports => OrderBackend {
    outbox: ports.outbox(Context::Orders),
    store: ports.orders,
});

harness!(CatalogBackend, Catalog, ports => CatalogBackend {
    outbox: ports.outbox(Context::Catalog),
    store: ports.catalog,
});

harness!(CustomerBackend, Customers, ports => CustomerBackend {
    outbox: ports.outbox(Context::Customers),
    store: ports.customers,
});

harness!(NotificationBackend, Notifications, ports => NotificationBackend {
    outbox: ports.outbox(Context::Notifications),
    log: ports.notifications,
});

harness!(BusBackend, Bus, ports => ports.bus);
