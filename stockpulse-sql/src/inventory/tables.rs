//! The tables of the inventory.

use crate::table::Kind::{Bool, Id, Int, Text};
use crate::table::Table;

pub(crate) const LEVEL: Table = Table {
    name: "stock_level",
    columns: &[
        ("sku", Text),
        ("location", Text),
        ("on_hand", Int),
        ("reserved", Int),
        ("backordered", Int),
        ("safety_stock", Int),
        ("backorder_limit", Int),
        ("low_stock_at", Int),
        ("tracked", Bool),
        ("retired", Bool),
        ("version", Int),
    ],
    key: 2,
};

pub(crate) const RESERVATION: Table = Table {
    name: "stock_reservation",
    columns: &[
        ("id", Id),
        ("order_id", Id),
        ("customer_id", Id),
        ("state", Int),
        ("version", Int),
        ("created_at", Int),
        ("expires_at", Int),
        ("claims", Text),
        ("kits", Text),
    ],
    key: 1,
};

pub(crate) const BACKORDER: Table = Table {
    name: "stock_backorder",
    columns: &[
        ("sku", Text),
        ("location", Text),
        ("position", Int),
        ("reservation", Id),
        ("order_id", Id),
        ("quantity", Int),
    ],
    key: 3,
};

pub(crate) const MOVEMENT: Table = Table {
    name: "stock_movement",
    columns: &[
        ("sku", Text),
        ("location", Text),
        ("version", Int),
        ("kind", Int),
        ("on_hand", Int),
        ("reserved", Int),
        ("backordered", Int),
        ("command", Id),
        ("reservation", Id),
        ("actor", Text),
        ("cause", Text),
        ("reason", Text),
        ("moved_at", Int),
    ],
    key: 3,
};
