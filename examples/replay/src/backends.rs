//! The backends that a replay runs on. What they hold outlives a crash of the services.

use std::sync::Arc;
use std::time::Duration;

use stockpulse_core::memory::{MemoryBus, MemoryInventoryStore, MemoryOrderStore};
use stockpulse_core::port::{InventoryStore, OrderStore, Outbox, Publisher, Subscriber};
use stockpulse_core::{Result, SystemClock};
use stockpulse_sql::{BusOptions, Context, MySqlOptions, MySqlStore, PgOptions, PgStore, SqliteOptions, SqliteStore};

use crate::address::{BusKind, StoreKind};
use crate::args::Args;
use crate::error::ReplayError;
use crate::front::Front;
use crate::publisher::{Counted, ReplayPublisher};

/// An invoice may have thousands of rows: the largest document that the bus has to take.
pub(crate) const MAX_EVENT_BYTES: usize = 64 << 20;

/// After how long a killed replay no longer counts as a reader of the bus: so long does a resumed one wait for it.
pub(crate) const LEASE: Duration = Duration::from_secs(2);

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
    /// What stands before the store of stock.
    pub front: Front,
    /// Whether this process made the bus; unknown for a bus in a database, which is as new as the store.
    pub bus_is_new: Option<bool>,
}

/// What a store brings: itself as ports, and its bus if it has one.
struct Parts {
    inventory: Arc<dyn InventoryStore>,
    orders: Arc<dyn OrderStore>,
    inventory_outbox: Arc<dyn Outbox>,
    order_outbox: Arc<dyn Outbox>,
    bus: Option<Bus>,
}

pub(crate) type Bus = (Arc<dyn Publisher>, Arc<dyn Subscriber>);

macro_rules! sql {
    ($store:expr) => {{
        let store = $store;
        // Orders have to be reserved in the files' order, and only within a partition is there an order.
        let options = BusOptions::default().with_partitions(1).with_max_event_bytes(MAX_EVENT_BYTES).with_lease(LEASE);
        let bus = Arc::new(store.bus(options));
        Parts {
            inventory_outbox: Arc::new(store.inventory_outbox()),
            order_outbox: Arc::new(store.orders_outbox()),
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
    /// [`ReplayError::Store`] and [`ReplayError::Bus`] for what cannot be opened.
    pub async fn open(args: &Args) -> std::result::Result<Self, ReplayError> {
        let (store, bus) = args.backends()?;
        let parts = Parts::open(&store, args).await?;
        let front = Front::open(args).await?;
        Self::assemble(parts, bus, front, Counted::new(args.seed_duplicates, args.seed).into(), None).await
    }

    /// After a crash: what lies in this process is still there, and everything else is connected to anew.
    ///
    /// # Errors
    /// As for [`Backends::open`].
    pub async fn reopen(&self, args: &Args) -> std::result::Result<Self, ReplayError> {
        let (store, bus) = args.backends()?;
        let parts = match store {
            StoreKind::Memory => self.stores(),
            store => Parts::open(&store, args).await?,
        };
        let memory = Some((self.publisher.bus(), Arc::clone(&self.subscriber)));
        Self::assemble(parts, bus, Front::open(args).await?, self.publisher.counted(), memory).await
    }

    /// The stores, without a bus.
    fn stores(&self) -> Parts {
        Parts {
            inventory: Arc::clone(&self.inventory),
            orders: Arc::clone(&self.orders),
            inventory_outbox: Arc::clone(&self.inventory_outbox),
            order_outbox: Arc::clone(&self.order_outbox),
            bus: None,
        }
    }

    /// Puts a bus beside the stores: theirs, or another. `memory` is the one that lies in this process already.
    async fn assemble(
        parts: Parts,
        bus: BusKind,
        front: Front,
        counted: Arc<Counted>,
        memory: Option<Bus>,
    ) -> std::result::Result<Self, ReplayError> {
        let ((publisher, subscriber), bus_is_new) = match (bus, memory, parts.bus) {
            (BusKind::Memory, Some(bus), _) | (BusKind::Sql, _, Some(bus)) => (bus, None),
            #[cfg(feature = "kafka")]
            (BusKind::Kafka(address), ..) => {
                let (bus, is_new) = crate::kafka::open(&address).await?;
                (bus, Some(is_new))
            }
            #[cfg(feature = "redis")]
            (BusKind::Redis(address), ..) => {
                let (bus, is_new) = crate::redis::open(&address).await?;
                (bus, Some(is_new))
            }
            _ => {
                let bus = Arc::new(MemoryBus::new().with_partitions(1).with_max_event_bytes(MAX_EVENT_BYTES));
                ((bus.clone() as Arc<dyn Publisher>, bus as Arc<dyn Subscriber>), None)
            }
        };
        Ok(Self {
            inventory: parts.inventory,
            orders: parts.orders,
            inventory_outbox: parts.inventory_outbox,
            order_outbox: parts.order_outbox,
            publisher: Arc::new(ReplayPublisher::new(publisher, counted)),
            subscriber,
            front,
            bus_is_new,
        })
    }
}

impl Parts {
    async fn open(store: &StoreKind, args: &Args) -> std::result::Result<Self, ReplayError> {
        let parts = connect(store, args.schema.as_deref()).await;
        parts.map_err(|error| ReplayError::Store { store: args.shown_store(), error })
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
