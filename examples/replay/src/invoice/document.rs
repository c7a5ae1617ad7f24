//! What an invoice says: an order, a return, or adjustments of stock.

use std::collections::HashMap;
use std::sync::Arc;

use stockpulse_core::model::Quantity;

use super::sku::SkuId;

/// One accepted row of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// What was sold, returned or adjusted.
    pub sku: SkuId,
    /// How many units, as written; at most [`Quantity::MAX`] either way.
    pub quantity: i64,
    /// The price of one unit in minor units (pence), not negative.
    pub unit_price_minor: i64,
}

/// All accepted rows with one `InvoiceNo`, in order. It has at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    invoice: Arc<str>,
    customer: Option<Box<str>>,
    country: Option<Box<str>>,
    rows: Vec<Row>,
    /// The sum of all |quantity|, so that no sum over rows can overflow.
    units: i64,
}

impl Document {
    pub(super) fn new(invoice: Arc<str>, customer: Option<&str>, country: Option<&str>) -> Self {
        Self {
            invoice,
            customer: customer.map(Into::into),
            country: country.map(Into::into),
            rows: Vec::new(),
            units: 0,
        }
    }

    /// How many units the document would hold with `quantity` more; `None` beyond [`Quantity::MAX`].
    pub(super) fn units_with(&self, quantity: i64) -> Option<i64> {
        let units = self.units.checked_add(quantity.checked_abs()?)?;
        Quantity::new(units).ok().map(Quantity::get)
    }

    /// Takes a row in; `units` is what [`Self::units_with`] said of it.
    pub(super) fn push(&mut self, row: Row, units: i64) {
        self.rows.push(row);
        self.units = units;
    }

    /// The `InvoiceNo`.
    #[must_use]
    pub fn invoice(&self) -> &str {
        &self.invoice
    }

    /// The `CustomerID` of the first row, as written (the data set writes `17850.0`).
    #[must_use]
    pub fn customer(&self) -> Option<&str> {
        self.customer.as_deref()
    }

    /// The `Country` of the first row.
    #[must_use]
    pub fn country(&self) -> Option<&str> {
        self.country.as_deref()
    }

    /// The rows as they stand in the files.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// What the document asks for.
    #[must_use]
    pub fn kind(&self) -> DocumentKind {
        if self.invoice.starts_with('C') {
            DocumentKind::Return(self.rows.iter().map(ReturnLine::from).collect())
        } else if self.rows.iter().all(|row| row.quantity <= 0) {
            DocumentKind::Adjustments(self.rows.iter().map(AdjustmentLine::from).collect())
        } else {
            DocumentKind::Order(self.order_lines())
        }
    }

    fn order_lines(&self) -> Vec<OrderLine> {
        let mut lines: Vec<OrderLine> = Vec::with_capacity(self.rows.len());
        let mut places = HashMap::with_capacity(self.rows.len());
        for row in self.rows.iter().filter(|row| row.quantity > 0) {
            let place = *places.entry(row.sku).or_insert(lines.len());
            match lines.get_mut(place) {
                // Cannot overflow: `units` did not.
                Some(line) => line.quantity += row.quantity,
                None => lines.push(OrderLine {
                    sku: row.sku,
                    quantity: row.quantity,
                    unit_price_minor: row.unit_price_minor,
                }),
            }
        }
        lines
    }
}

/// What a document asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DocumentKind {
    /// `InvoiceNo` begins with `C`: row by row, what comes back.
    Return(Vec<ReturnLine>),
    /// No row has a quantity above 0: row by row, by how much on-hand changes.
    Adjustments(Vec<AdjustmentLine>),
    /// The rows with a quantity above 0, those of one SKU added up, each SKU where it first stood.
    Order(Vec<OrderLine>),
}

/// What one row of a return brings back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReturnLine {
    /// What comes back.
    pub sku: SkuId,
    /// How many units: |Quantity|, perhaps 0.
    pub quantity: i64,
}

/// By how much one row adjusts on-hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AdjustmentLine {
    /// What is adjusted.
    pub sku: SkuId,
    /// The change, 0 or less.
    pub delta: i64,
}

/// What an order asks of one SKU.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderLine {
    /// What is ordered.
    pub sku: SkuId,
    /// How many units, above 0.
    pub quantity: i64,
    /// The price of one unit in minor units, from the SKU's first row in the order.
    pub unit_price_minor: i64,
}

impl From<&Row> for ReturnLine {
    fn from(row: &Row) -> Self {
        Self { sku: row.sku, quantity: row.quantity.saturating_abs() }
    }
}

impl From<&Row> for AdjustmentLine {
    fn from(row: &Row) -> Self {
        Self { sku: row.sku, delta: row.quantity }
    }
}
