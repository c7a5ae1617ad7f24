//! The tables of the outboxes, one set for each context.

use crate::table::Kind::{Bytes, Int, Text};
use crate::table::Table;

/// The tables of one outbox.
#[derive(Debug)]
pub(crate) struct OutboxTables {
    /// Events that wait, many to a row, by the batch that they were decided in.
    pub(crate) packs: Table,
    /// Events that were taken out of their rows: to be tried again later, or set aside.
    pub(crate) aside: Table,
    /// Who may publish which shard.
    pub(crate) leases: Table,
}

macro_rules! outbox_tables {
    ($($name:ident, $prefix:literal;)+) => {$(
        pub(crate) static $name: OutboxTables = OutboxTables {
            packs: Table {
                name: concat!($prefix, "_outbox"),
                columns: &[
                    ("first_at", Int),
                    ("shards", Int),
                    ("pending", Int),
                    ("event_shards", Bytes),
                    ("settled", Bytes),
                    ("body", Bytes),
                ],
                key: 0,
            },
            aside: Table {
                name: concat!($prefix, "_outbox_aside"),
                columns: &[
                    ("id", Int),
                    ("shard", Int),
                    ("event_key", Text),
                    ("attempts", Int),
                    ("retry_at", Int),
                    ("reason", Text),
                    ("happened_at", Int),
                    ("body", Bytes),
                ],
                key: 1,
            },
            leases: Table {
                name: concat!($prefix, "_outbox_lease"),
                columns: &[("shard", Int), ("worker", Text), ("epoch", Int), ("ends_at", Int)],
                key: 1,
            },
        };
    )+};
}

outbox_tables! {
    STOCK, "stock";
    ORDERS, "order";
    PRODUCTS, "product";
    CUSTOMERS, "customer";
    NOTIFICATIONS, "notification";
}
