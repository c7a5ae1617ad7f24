//! The backends that a replay runs on. What they hold outlives a crash of the services.

use std::sync::Arc;
use std::time::Duration;

use stockpulse_core::memory::{MemoryBus, MemoryInventoryStore, MemoryOrderStore};
use stockpulse_core::port::{InventoryStore, OrderStore, Outbox, Publisher, Subscriber};
use stockpulse_core::{Error, Result, SystemClock};
use stockpulse_sql::{BusOptions, Context, MySqlOptions, MySqlStore, PgOptions, PgStore, SqliteOptions, SqliteStore};

use crate::address::{BusKind, StoreKind};
use crate::args::Args;
use crate::error::ReplayError;
use crate::publisher::{Counted, ReplayPublisher};

/// An invoice may have thousands of rows: the largest document that the bus has to take.
const MAX_EVENT_BYTES: usize = 64 << 20;

/// After how long a killed replay no longer counts as a reader of the bus: so long does a resumed one wait for it.
const LEASE: Duration = Duration::from_secs(2);

/// The tables that a replay needs.
const CONTEXTS: [Context; 3] = [Context::Inventory, Context::Orders, Context::Bus];

/// Stores, outboxes and a bus.
#[derive(Clone, Debug)]
pub struct Backends {
    /// Where stock is kept.
    pub inventory: Arc<dyn InventoryStore>,
    /// Where orders are kept.
    pub orders: Arc<dyn OrderStore>,
    /// The events of stock that wait to be published.
    pub inventory_outbox: Arc<dyn Outbox>,
    /// The events of orders that wait to be published.
    pub order_outbox: Arc<dyn Outbox>,
    /// Publishes events, some of them twice if that was asked for.
    pub publisher: Arc<ReplayPublisher>,
    /// Delivers events.
    pub subscriber: Arc<dyn Subscriber>,
}

/// What a store brings: itself as ports, and its bus if it has one.
struct Parts {
    inventory: Arc<dyn InventoryStore>,
    orders: Arc<dyn OrderStore>,
    inventory_outbox: Arc<dyn Outbox>,
    order_outbox: Arc<dyn Outbox>,
    bus: Option<Bus>,
}

type Bus = (Arc<dyn Publisher>, Arc<dyn Subscriber>);

macro_rules! sql {
    ($store:expr) => {{
        let store = $store;
        let outbox = |context| store.outbox(context).ok_or_else(|| Error::corrupt("a context without an outbox"));
        // Orders have to be reserved in the files' order, and only within a partition is there an order.
        let options = BusOptions::default().with_partitions(1).with_max_event_bytes(MAX_EVENT_BYTES).with_lease(LEASE);
        let bus = Arc::new(store.bus(options));
        Parts {
            inventory_outbox: Arc::new(outbox(Context::Inventory)?),
            order_outbox: Arc::new(outbox(Context::Orders)?),
            inventory: Arc::new(store.clone()),
            orders: Arc::new(store.clone()),
            bus: Some((bus.clone(), bus)),
        }
    }};
}

impl Backends {
    /// Opens what the command line names.
    ///
    /// # Errors
    /// [`ReplayError::UnknownBackend`] and [`ReplayError::Options`] for what this build does not have,
    /// [`ReplayError::Store`] for what cannot be opened.
    pub async fn open(args: &Args) -> std::result::Result<Self, ReplayError> {
        let counted = Arc::new(Counted::new(args.seed_duplicates, args.seed));
        Self::connect(args, counted, None).await
    }

    /// After a crash: what lies in this process is still there, and everything else is connected to anew.
    ///
    /// # Errors
    /// As for [`Backends::open`].
    pub async fn reopen(&self, args: &Args) -> std::result::Result<Self, ReplayError> {
        match args.backends()? {
            (StoreKind::Memory, _) => Ok(self.clone()),
            (_, BusKind::Memory) => {
                let bus = (self.publisher.bus(), Arc::clone(&self.subscriber));
                Self::connect(args, self.publisher.counted(), Some(bus)).await
            }
            (_, BusKind::Sql) => Self::connect(args, self.publisher.counted(), None).await,
        }
    }

    async fn connect(args: &Args, counted: Arc<Counted>, bus: Option<Bus>) -> std::result::Result<Self, ReplayError> {
        let (store, kind) = args.backends()?;
        let parts = connect(&store, args.schema.as_deref()).await;
        let parts = parts.map_err(|error| ReplayError::Store { store: args.shown_store(), error })?;
        let (publisher, subscriber) = match (kind, bus, parts.bus) {
            (BusKind::Memory, Some(bus), _) | (BusKind::Sql, _, Some(bus)) => bus,
            _ => {
                let bus = Arc::new(MemoryBus::new().with_partitions(1).with_max_event_bytes(MAX_EVENT_BYTES));
                (bus.clone() as Arc<dyn Publisher>, bus as Arc<dyn Subscriber>)
            }
        };
        Ok(Self {
            inventory: parts.inventory,
            orders: parts.orders,
            inventory_outbox: parts.inventory_outbox,
            order_outbox: parts.order_outbox,
            publisher: Arc::new(ReplayPublisher::new(publisher, counted)),
            subscriber,
        })
    }
}

async fn connect(store: &StoreKind, schema: Option<&str>) -> Result<Parts> {
    Ok(match store {
        StoreKind::Memory => {
            let clock = Arc::new(SystemClock);
            let (inventory, orders) = (MemoryInventoryStore::new(clock.clone()), MemoryOrderStore::new(clock));
            Parts {
                inventory_outbox: Arc::new(inventory.outbox()),
                order_outbox: Arc::new(orders.outbox()),
                inventory: Arc::new(inventory),
                orders: Arc::new(orders),
                bus: None,
            }
        }
        StoreKind::Sqlite(file) => {
            sql!(SqliteStore::open_with(SqliteOptions::new(file).with_contexts(CONTEXTS)).await?)
        }
        StoreKind::Postgres(url) => {
            let options = PgOptions::new(url)?.with_contexts(CONTEXTS);
            let options = match schema {
                Some(schema) => options.with_schema(schema),
                None => options,
            };
            sql!(PgStore::connect(options).await?)
        }
        StoreKind::MySql(url) => sql!(MySqlStore::connect(MySqlOptions::new(url)?.with_contexts(CONTEXTS)).await?),
    })
}
