//! Products and customers as rows.

use serde::de::DeserializeOwned;
use stockpulse_core::Result;
use stockpulse_core::engine::record::Record;
use stockpulse_core::model::{Customer, CustomerId, Product, Sku};

use super::tables::{CUSTOMER, PRODUCT, RecordTables};
use crate::rows::json;
use crate::table::Rows;
use crate::value::Value;

/// A record with tables of its own. It is read back from its body; the other columns are what it is found by, and what
/// people look at.
pub(crate) trait Stored: Record + DeserializeOwned {
    const TABLES: &'static RecordTables;

    fn key_value(key: &Self::Key) -> Value;

    /// Adds its row.
    fn push(&self, rows: &mut Rows) -> Result<()>;
}

impl Stored for Product {
    const TABLES: &'static RecordTables = &PRODUCT;

    fn key_value(sku: &Sku) -> Value {
        sku.as_str().into()
    }

    fn push(&self, rows: &mut Rows) -> Result<()> {
        rows.push([
            Self::key_value(&self.sku),
            self.name.as_str().into(),
            self.active.into(),
            self.version.into(),
            self.updated_at.as_micros().into(),
            json(self)?,
        ]);
        Ok(())
    }
}

impl Stored for Customer {
    const TABLES: &'static RecordTables = &CUSTOMER;

    fn key_value(id: &CustomerId) -> Value {
        id.as_uuid().into()
    }

    fn push(&self, rows: &mut Rows) -> Result<()> {
        rows.push([
            Self::key_value(&self.id),
            self.name.as_str().into(),
            self.email.as_deref().into(),
            self.active.into(),
            self.version.into(),
            self.updated_at.as_micros().into(),
            json(self)?,
        ]);
        Ok(())
    }
}
