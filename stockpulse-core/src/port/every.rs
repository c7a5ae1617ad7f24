//! Every port's calls, once, for what is written once for all of them.

/// Hands the list of ports to a macro that implements them for a wrapper. Each call has its name, the one in errors and
/// metrics; how many items it is about, if it is a batch; and its signature, where every call answers a `Result`.
///
/// `direct` marks what goes straight through. Not in the list are `Subscriber`, whose answer is itself a port, and
/// `Subscription`, whose calls need `&mut self`.
macro_rules! every_port {
    ($with:ident) => {
        use std::num::NonZeroUsize;
        use std::time::Duration;

        use crate::engine::Engine;
        use crate::engine::order::{OrderCommand, OrderOutcome};
        use crate::engine::record::{CustomerCommand, ProductCommand, PutOutcome};
        use crate::engine::stock::{StockCommand, StockOutcome};
        use crate::error::Result;
        use crate::model::{
            Customer, CustomerId, Envelope, HistoryEntry, Movement, Notification, NotificationId, NotificationRecord,
            NotificationStatus, Order, OrderId, Product, Reservation, ReservationId, Sku, StockKey, StockLevel,
            Timestamp,
        };
        use crate::port::{
            Admission, AdmissionGate, AdmitRequest, Cache, CacheKey, CachePut, Cached, CatalogStore, Claim,
            CustomerStore, Delivered, Failed, GateLevel, InventoryStore, Lease, LevelAudit, NotificationLog, Notifier,
            OrderQuery, OrderStore, Outbox, OutboxId, OutboxRow, OutboxStats, Page, Published, Publisher, Quarantined,
        };

        $with! { InventoryStore {
            "inventory.execute", Some(batch.len()),
            execute(engine: &Engine, batch: Vec<StockCommand>) -> Vec<StockOutcome>;
            "inventory.levels", Some(keys.len()),
            levels(keys: &[StockKey]) -> Vec<Option<StockLevel>>;
            "inventory.reservations", Some(ids.len()),
            reservations(ids: &[ReservationId]) -> Vec<Option<Reservation>>;
            "inventory.expiring", None,
            expiring(before: Timestamp, limit: NonZeroUsize) -> Vec<ReservationId>;
            "inventory.movements", None,
            movements(key: &StockKey, after: u64, limit: NonZeroUsize) -> Page<Movement, u64>;
            "inventory.list_levels", None,
            list_levels(after: Option<StockKey>, limit: NonZeroUsize) -> Page<StockLevel, StockKey>;
            "inventory.audit", None,
            audit(after: Option<StockKey>, limit: NonZeroUsize) -> Page<LevelAudit, StockKey>;
        }}

        $with! { OrderStore {
            "orders.execute", Some(batch.len()),
            execute(engine: &Engine, batch: Vec<OrderCommand>) -> Vec<OrderOutcome>;
            "orders.orders", Some(ids.len()),
            orders(ids: &[OrderId]) -> Vec<Option<Order>>;
            "orders.overdue", None,
            overdue(before: Timestamp, limit: NonZeroUsize) -> Vec<OrderId>;
            "orders.history", None,
            history(order: OrderId) -> Vec<HistoryEntry>;
            "orders.list_orders", None,
            list_orders(query: &OrderQuery, limit: NonZeroUsize) -> Page<Order, OrderId>;
        }}

        $with! { CatalogStore {
            "catalog.execute", Some(batch.len()),
            execute(engine: &Engine, batch: Vec<ProductCommand>) -> Vec<PutOutcome>;
            "catalog.products", Some(skus.len()),
            products(skus: &[Sku]) -> Vec<Option<Product>>;
            "catalog.list_products", None,
            list_products(after: Option<Sku>, limit: NonZeroUsize) -> Page<Product, Sku>;
        }}

        $with! { CustomerStore {
            "customers.execute", Some(batch.len()),
            execute(engine: &Engine, batch: Vec<CustomerCommand>) -> Vec<PutOutcome>;
            "customers.customers", Some(ids.len()),
            customers(ids: &[CustomerId]) -> Vec<Option<Customer>>;
            "customers.list_customers", None,
            list_customers(after: Option<CustomerId>, limit: NonZeroUsize) -> Page<Customer, CustomerId>;
        }}

        $with! { NotificationLog {
            "notifications.begin", Some(batch.len()),
            begin(batch: &[Notification], now: Timestamp) -> Vec<bool>;
            "notifications.finish", Some(batch.len()),
            finish(batch: &[(NotificationId, NotificationStatus)], now: Timestamp) -> ();
            "notifications.about", None,
            about(order: OrderId, after: Option<NotificationId>, limit: NonZeroUsize)
                -> Page<NotificationRecord, NotificationId>;
        }}

        $with! { Notifier {
            "notifier.send", None,
            send(customer: &Customer, notification: &Notification) -> Delivered;
        }}

        $with! { Outbox {
            "outbox.claim", None,
            claim(worker: &str, lease: Duration, limit: NonZeroUsize) -> Claim;
            "outbox.settle", Some(rows.len()),
            settle(lease: &Lease, rows: &[OutboxId]) -> ();
            "outbox.release", Some(rows.len()),
            release(lease: &Lease, rows: &[Failed]) -> ();
            "outbox.quarantine", Some(rows.len()),
            quarantine(lease: &Lease, rows: &[Quarantined]) -> ();
            "outbox.surrender", None,
            surrender(lease: &Lease) -> ();
            "outbox.quarantined", None,
            quarantined(limit: NonZeroUsize) -> Vec<(OutboxRow, String)>;
            "outbox.requeue", Some(rows.len()),
            requeue(rows: &[OutboxId]) -> usize;
            "outbox.discard", Some(rows.len()),
            discard(rows: &[OutboxId]) -> usize;
            "outbox.stats", None,
            stats() -> OutboxStats;
            // A hint that cannot fail: no layer has anything to say about it.
            direct appended();
        }}

        $with! { Publisher {
            "bus.publish", Some(batch.len()),
            publish(batch: &[Envelope]) -> Vec<Published>;
            "bus.close", None,
            close() -> ();
        }}

        $with! { Cache {
            "cache.get", Some(keys.len()),
            get(keys: &[CacheKey]) -> Vec<Option<Cached>>;
            "cache.put", Some(batch.len()),
            put(batch: Vec<CachePut>) -> ();
            "cache.invalidate", Some(floors.len()),
            invalidate(floors: &[(CacheKey, u64)], ttl: Duration) -> ();
        }}

        $with! { AdmissionGate {
            "gate.admit", Some(batch.len()),
            admit(batch: &[AdmitRequest]) -> Vec<Admission>;
            "gate.settle", Some(reservations.len()),
            settle(reservations: &[ReservationId]) -> ();
            "gate.release", Some(reservations.len()),
            release(reservations: &[ReservationId]) -> ();
            "gate.reconcile", Some(levels.len()),
            reconcile(levels: &[GateLevel]) -> ();
        }}
    };
}

pub(crate) use every_port;
