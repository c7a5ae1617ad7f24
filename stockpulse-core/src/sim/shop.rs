//! The shop: what outlives every node, and what a node runs.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use compact_str::CompactString;

use super::node::{Node, NodeClock};
use super::stores::Stores;
use super::violation::Rule;
use super::world::{Place, World, WorldClock, locked};
use super::wrap::{
    NodeBus, NodeCache, NodeCatalogStore, NodeCustomerStore, NodeGate, NodeInventoryStore, NodeLog, NodeNotifier,
    NodeOrderStore, NodeOutbox, SharedCache, SharedGate,
};
use crate::memory::{MemoryBus, RecordingNotifier, SequentialIds};
use crate::model::EventType;
use crate::port::{Clock, IdGenerator, Outbox};
use crate::service::{Catalog, Customers, GroupCommitOptions, Inventory, Notifications, Orders};
use crate::worker::{
    Backoff, CacheHandler, ExpirySweeper, Handler, InventoryHandler, NotificationHandler, OrderHandler, OutboxRelay,
    Processor, ProcessorOptions, Reconciler, RelayOptions, Stage, Supervisor, SweepOptions,
};

/// How long a relay's lease lasts.
const LEASE: Duration = Duration::from_secs(5);
/// How often an event is tried: so often that chance alone puts none aside.
const TRIES: u32 = 10;
/// The longest pause after failures.
const BACKOFF: Backoff = Backoff { first: Duration::from_millis(50), longest: Duration::from_secs(2) };

/// The outboxes that are relayed: the place of their store, and the source of their events.
pub(super) const INVENTORY: &str = "/sim/inventory";
pub(super) const ORDERS: &str = "/sim/orders";
pub(super) const CATALOG: &str = "/sim/catalog";
pub(super) const NOTIFICATIONS: &str = "/sim/notifications";

/// What a node does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Inventory,
    Orders,
}

/// What outlives every node.
#[derive(Debug)]
pub(super) struct Shop {
    pub(super) world: Arc<World>,
    pub(super) stores: Stores,
    pub(super) bus: MemoryBus,
    pub(super) cache: Arc<SharedCache>,
    pub(super) gate: Arc<SharedGate>,
    pub(super) notifier: RecordingNotifier,
    /// What each consumer group wants.
    groups: Mutex<Vec<(CompactString, Vec<EventType>)>>,
}

/// A node that runs, with its services and workers.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) node: Arc<Node>,
    pub(super) inventory: Option<Inventory>,
    pub(super) orders: Option<Orders>,
    pub(super) supervisor: Supervisor,
}

impl Shop {
    pub(super) fn new(world: &Arc<World>, stores: Stores) -> Self {
        let clock = Arc::new(WorldClock(Arc::clone(world)));
        Self {
            world: Arc::clone(world),
            stores,
            bus: MemoryBus::new().with_partitions(3).with_clock(clock),
            cache: SharedCache::new(Arc::clone(world)),
            gate: SharedGate::new(Arc::clone(world)),
            notifier: RecordingNotifier::new(),
            groups: Mutex::default(),
        }
    }

    /// The outboxes that are relayed.
    pub(super) fn outboxes(&self) -> [&Arc<dyn Outbox>; 4] {
        let Stores { inventory_outbox, orders_outbox, catalog_outbox, notifications_outbox, .. } = &self.stores;
        [inventory_outbox, orders_outbox, catalog_outbox, notifications_outbox]
    }

    /// The consumer groups that there are by now, and what they want.
    pub(super) fn groups(&self) -> Vec<(CompactString, Vec<EventType>)> {
        locked(&self.groups).clone()
    }

    /// Starts a node. `number` tells it from all others.
    pub(super) fn start(&self, role: Role, number: u64) -> Running {
        let node = Node::new(Arc::clone(&self.world), format!("{role:?} {number}"));
        let starter = Starter {
            shop: self,
            clock: Arc::new(NodeClock(Arc::clone(&node))),
            ids: Arc::new(SequentialIds::starting_at(number << 32)),
            node,
        };
        match role {
            Role::Inventory => starter.inventory(),
            Role::Orders => starter.orders(),
        }
    }
}

/// Starts one node.
struct Starter<'a> {
    shop: &'a Shop,
    node: Arc<Node>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdGenerator>,
}

impl Starter<'_> {
    fn inventory(self) -> Running {
        let (node, stores) = (&self.node, &self.shop.stores);
        let cache = Arc::new(NodeCache { node: Arc::clone(node), shared: Arc::clone(&self.shop.cache) });
        let gate = Arc::new(NodeGate { node: Arc::clone(node), shared: Arc::clone(&self.shop.gate) });
        let store = NodeInventoryStore { node: Arc::clone(node), inner: Arc::clone(&stores.inventory) };
        let inventory = Inventory::builder(Arc::new(store))
            .with_clock(Arc::clone(&self.clock))
            .with_ids(Arc::clone(&self.ids))
            .with_cache(Arc::<NodeCache>::clone(&cache))
            .with_gate(Arc::<NodeGate>::clone(&gate))
            .with_group_commit(self.group_commit())
            .start();
        let mut supervisor = Supervisor::new(Arc::clone(&self.clock)).with_inventory(inventory.clone());
        self.relay(&mut supervisor, INVENTORY, Place::Inventory, &stores.inventory_outbox);
        let handler = InventoryHandler::new(inventory.clone()).with_clock(Arc::clone(&self.clock));
        self.processor(&mut supervisor, Arc::new(handler));
        self.processor(
            &mut supervisor,
            Arc::new(CacheHandler::new("cache").with_cache(cache).with_gate(Arc::<NodeGate>::clone(&gate))),
        );
        self.sweeper(&mut supervisor, |sweeper| sweeper.with_inventory(inventory.clone()));
        self.reconciler(&mut supervisor, Reconciler::new(inventory.clone()).with_gate(gate));
        Running { node: self.node, inventory: Some(inventory), orders: None, supervisor }
    }

    fn orders(self) -> Running {
        let (node, stores) = (&self.node, &self.shop.stores);
        let catalog = NodeCatalogStore { node: Arc::clone(node), inner: Arc::clone(&stores.catalog) };
        let store = NodeOrderStore { node: Arc::clone(node), inner: Arc::clone(&stores.orders) };
        let orders = Orders::builder(Arc::new(store))
            .with_clock(Arc::clone(&self.clock))
            .with_ids(Arc::clone(&self.ids))
            .with_catalog(Catalog::new(Arc::new(catalog)).with_clock(Arc::clone(&self.clock)))
            .with_group_commit(self.group_commit())
            .start();
        let mut supervisor = Supervisor::new(Arc::clone(&self.clock)).with_orders(orders.clone());
        self.relay(&mut supervisor, ORDERS, Place::Orders, &stores.orders_outbox);
        self.relay(&mut supervisor, CATALOG, Place::Orders, &stores.catalog_outbox);
        self.relay(&mut supervisor, NOTIFICATIONS, Place::Orders, &stores.notifications_outbox);
        let handler = OrderHandler::new(orders.clone()).with_clock(Arc::clone(&self.clock));
        self.processor(&mut supervisor, Arc::new(handler));
        let customers = NodeCustomerStore { node: Arc::clone(node), inner: Arc::clone(&stores.customers) };
        let notifications = Notifications::new(
            Arc::new(NodeLog { node: Arc::clone(node), inner: Arc::clone(&stores.notifications) }),
            Arc::new(NodeNotifier { node: Arc::clone(node), inner: self.shop.notifier.clone() }),
            Customers::new(Arc::new(customers)).with_clock(Arc::clone(&self.clock)),
        );
        let handler = NotificationHandler::new(notifications.with_clock(Arc::clone(&self.clock)));
        self.processor(&mut supervisor, Arc::new(handler));
        self.sweeper(&mut supervisor, |sweeper| sweeper.with_orders(orders.clone()));
        Running { node: self.node, inventory: None, orders: Some(orders), supervisor }
    }

    /// A number of things that are done at once: small ones show more orders of events.
    fn batch(&self) -> NonZeroUsize {
        let batches = [1, 2, 8, 64].map(|size| NonZeroUsize::new(size).unwrap_or(NonZeroUsize::MIN));
        self.shop.world.dice().pick(&batches).copied().unwrap_or(NonZeroUsize::MIN)
    }

    fn group_commit(&self) -> GroupCommitOptions {
        let shards = NonZeroUsize::new(usize::from(self.shop.world.dice().chance(0.5)) + 1);
        let shards = shards.unwrap_or(NonZeroUsize::MIN);
        GroupCommitOptions {
            shards,
            max_batch: self.batch(),
            ahead_from: NonZeroUsize::MIN,
            ..GroupCommitOptions::default()
        }
    }

    fn relay(&self, supervisor: &mut Supervisor, source: &'static str, place: Place, outbox: &Arc<dyn Outbox>) {
        let outbox = NodeOutbox { node: Arc::clone(&self.node), place, source, inner: Arc::clone(outbox) };
        let bus = NodeBus { node: Arc::clone(&self.node), inner: self.shop.bus.clone() };
        let options = RelayOptions {
            lease: LEASE,
            batch: self.batch(),
            poll: Duration::from_secs(2),
            backoff: BACKOFF,
            ..RelayOptions::new(source, self.node.name())
        };
        let relay = OutboxRelay::new(Arc::new(outbox), Arc::new(bus), options).with_clock(Arc::clone(&self.clock));
        supervisor.spawn(Stage::Relay, format!("{source} relay"), move |stop| {
            let relay = relay.clone();
            async move { relay.run(stop).await }
        });
    }

    fn processor(&self, supervisor: &mut Supervisor, handler: Arc<dyn Handler>) {
        let group = CompactString::from(handler.group());
        {
            let mut groups = locked(&self.shop.groups);
            if groups.iter().all(|(known, _)| *known != group) {
                groups.push((group.clone(), handler.event_types()));
            }
        }
        let bus = NodeBus { node: Arc::clone(&self.node), inner: self.shop.bus.clone() };
        let options = ProcessorOptions { batch: self.batch().get(), tries: TRIES, backoff: BACKOFF };
        let processor =
            Processor::new(Arc::new(bus), handler).with_options(options).with_clock(Arc::clone(&self.clock));
        supervisor.spawn(Stage::Intake, group, move |stop| {
            let processor = processor.clone();
            async move { processor.run(stop).await }
        });
    }

    fn sweeper(&self, supervisor: &mut Supervisor, of: impl FnOnce(ExpirySweeper) -> ExpirySweeper) {
        let options =
            SweepOptions { every: Duration::from_secs(2), grace: Duration::from_secs(1), batch: self.batch() };
        let sweeper = of(ExpirySweeper::new(options).with_clock(Arc::clone(&self.clock)));
        supervisor.spawn(Stage::Intake, "sweeper", move |stop| {
            let sweeper = sweeper.clone();
            async move { sweeper.run(stop).await }
        });
    }

    /// Looks for drift, of which there must never be any.
    fn reconciler(&self, supervisor: &mut Supervisor, reconciler: Reconciler) {
        let reconciler = reconciler.with_clock(Arc::clone(&self.clock));
        let (clock, world) = (Arc::clone(&self.clock), Arc::clone(&self.shop.world));
        supervisor.spawn(Stage::Intake, "reconciler", move |stop| {
            let (reconciler, clock, world) = (reconciler.clone(), Arc::clone(&clock), Arc::clone(&world));
            async move {
                while !stop.is_cancelled() {
                    if let Ok(report) = reconciler.run_once().await
                        && !report.drifts.is_empty()
                    {
                        world.violated(Rule::LedgerIsLevel, format!("the reconciler found {:?}", report.drifts));
                    }
                    tokio::select! {
                        biased;
                        () = stop.cancelled() => {}
                        () = clock.sleep(Duration::from_secs(10)) => {}
                    }
                }
                Ok(())
            }
        });
    }
}
