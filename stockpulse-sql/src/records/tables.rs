//! The tables of products and customers.

use crate::context::Context;
use crate::frame::{CUSTOMER_COMMAND, PRODUCT_COMMAND};
use crate::outbox::{CUSTOMERS, OutboxTables, PRODUCTS};
use crate::table::Kind::{Bool, Id, Int, Text};
use crate::table::Table;

/// The tables of one sort of records.
#[derive(Debug)]
pub(crate) struct RecordTables {
    pub(crate) records: Table,
    pub(crate) commands: &'static Table,
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
    commands: &PRODUCT_COMMAND,
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
    commands: &CUSTOMER_COMMAND,
    outbox: &CUSTOMERS,
    context: Context::Customers,
};
