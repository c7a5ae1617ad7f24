//! The tables of orders.

use crate::table::Kind::{Id, Int, Text};
use crate::table::Table;

pub(crate) const ORDER: Table = Table {
    name: "orders",
    columns: &[
        ("id", Id),
        ("customer_id", Id),
        ("status", Int),
        ("payment", Int),
        ("pay_by", Int),
        ("due_at", Int),
        ("placed_at", Int),
        ("version", Int),
        ("body", Text),
    ],
    key: 1,
};

pub(crate) const HISTORY: Table = Table {
    name: "order_history",
    columns: &[
        ("order_id", Id),
        ("version", Int),
        // `change` is a reserved word of MySQL.
        ("kind", Int),
        ("status", Int),
        ("happened_at", Int),
        ("actor", Text),
        ("cause", Text),
        ("command", Id),
        ("reason", Text),
    ],
    key: 2,
};

pub(crate) const PURCHASE: Table =
    Table { name: "order_purchase", columns: &[("customer_id", Id), ("sku", Text), ("units", Int)], key: 2 };
