//! The tables of products and customers.

use crate::context::Context;
use crate::outbox::{CUSTOMERS, OutboxTables, PRODUCTS};
use crate::table::Kind::{Bool, Bytes, Id, Int, Text};
use crate::table::{Kind, Table};

/// The tables of one sort of records.
#[derive(Debug)]
pub(crate) struct RecordTables {
    pub(crate) records: Table,
    pub(crate) commands: Table,
    pub(crate) outbox: &'static OutboxTables,
    pub(crate) context: Context,
}

impl RecordTables {
    /// The column that the record is read back from: the last.
    pub(crate) fn body(&self) -> usize {
        self.records.columns.len().saturating_sub(1)
    }

    /// The column that the record is found by.
    pub(crate) fn key(&self) -> &'static str {
        self.records.columns.first().map_or("", |(name, _)| name)
    }
}

const COMMAND_COLUMNS: &[(&str, Kind)] = &[("id", Id), ("fingerprint", Int), ("outcome", Bytes), ("decided_at", Int)];

pub(crate) static PRODUCT: RecordTables = RecordTables {
    records: Table {
        name: "product",
        columns: &[
            ("sku", Text),
            ("name", Text),
            ("active", Bool),
            ("version", Int),
            ("updated_at", Int),
            ("body", Text),
        ],
        key: 1,
    },
    commands: Table { name: "product_command", columns: COMMAND_COLUMNS, key: 1 },
    outbox: &PRODUCTS,
    context: Context::Catalog,
};

pub(crate) static CUSTOMER: RecordTables = RecordTables {
    records: Table {
        name: "customer",
        columns: &[
            ("id", Id),
            ("name", Text),
            ("email", Text),
            ("active", Bool),
            ("version", Int),
            ("updated_at", Int),
            ("body", Text),
        ],
        key: 1,
    },
    commands: Table { name: "customer_command", columns: COMMAND_COLUMNS, key: 1 },
    outbox: &CUSTOMERS,
    context: Context::Customers,
};
