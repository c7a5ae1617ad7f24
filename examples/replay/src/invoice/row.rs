//! One record of a file: either its fields, checked, or the reason why not.

use std::fmt;
use std::num::IntErrorKind;
use std::str;

use csv::ByteRecord;
use stockpulse_core::model::{Quantity, Sku};
use thiserror::Error;

use super::price::{PriceError, minor_units};

/// The header that every file begins with.
pub const COLUMNS: [&str; 8] =
    ["InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country"];

/// How much of a field or a header an [`Excerpt`] shows, in characters.
const EXCERPT_CHARS: usize = 120;

/// A column that decides over a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Column {
    /// `InvoiceNo`
    InvoiceNo,
    /// `StockCode`
    StockCode,
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::InvoiceNo => "InvoiceNo",
            Self::StockCode => "StockCode",
        })
    }
}

/// Why a row is rejected.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Reason {
    /// The row has too few or too many fields.
    #[error("wrong number of fields: {found}, not 8")]
    FieldCount {
        /// How many it has.
        found: usize,
    },
    /// A field that names something is empty.
    #[error("{0} is empty")]
    Empty(Column),
    /// A field that names something is not UTF-8.
    #[error("{0} is not UTF-8: {1}")]
    NotUtf8(Column, Excerpt),
    /// `StockCode` is too long for a SKU, or holds a control character.
    #[error("StockCode is no SKU: {0}")]
    NoSku(String),
    /// `Quantity` is not written as an integer.
    #[error("Quantity is no integer: {0}")]
    QuantityNotInteger(Excerpt),
    /// `Quantity` is an integer of more than [`Quantity::MAX`] units either way.
    #[error("Quantity is no integer in range: {0}")]
    QuantityOutOfRange(Excerpt),
    /// `UnitPrice` is not a finite decimal number.
    #[error("UnitPrice is no number: {0}")]
    PriceNotNumber(Excerpt),
    /// `UnitPrice` is below zero.
    #[error("UnitPrice is negative: {0}")]
    PriceNegative(Excerpt),
    /// With this row its document would hold more than [`Quantity::MAX`] units.
    #[error("the quantities of document {0} add up beyond what can be counted")]
    DocumentTooLarge(Excerpt),
    /// More different SKUs than there are ids for.
    #[error("more than 4294967296 different SKUs")]
    TooManySkus,
}

/// A piece of the input for a message: one line, in quotes, shortened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt(String);

impl Excerpt {
    /// Quotes `bytes`, whatever they are.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Self {
        // Four bytes are the most that a character takes.
        let head = &bytes[..bytes.len().min(4 * (EXCERPT_CHARS + 1))];
        let text = String::from_utf8_lossy(head);
        let mut shown: String = text.chars().take(EXCERPT_CHARS).collect();
        if shown.len() < text.len() {
            shown.push('…');
        }
        Self(format!("{shown:?}"))
    }
}

impl fmt::Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The fields of an accepted row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fields<'a> {
    pub(super) invoice: &'a str,
    pub(super) sku: &'a str,
    pub(super) quantity: i64,
    pub(super) unit_price_minor: i64,
    pub(super) customer: Option<&'a str>,
    pub(super) country: Option<&'a str>,
}

/// Checks a record from left to right; the first thing wrong is the reason. Nothing is trimmed.
pub(super) fn parse(record: &ByteRecord) -> Result<Fields<'_>, Reason> {
    if record.len() != COLUMNS.len() {
        return Err(Reason::FieldCount { found: record.len() });
    }
    Ok(Fields {
        invoice: name(&record[0], Column::InvoiceNo)?,
        sku: sku(&record[1])?,
        quantity: quantity(&record[3])?,
        unit_price_minor: minor_units(&record[5]).map_err(|error| match error {
            PriceError::NoNumber => Reason::PriceNotNumber(Excerpt::new(&record[5])),
            PriceError::Negative => Reason::PriceNegative(Excerpt::new(&record[5])),
        })?,
        customer: remark(&record[6]),
        country: remark(&record[7]),
    })
}

fn name(field: &[u8], column: Column) -> Result<&str, Reason> {
    match str::from_utf8(field) {
        Ok("") => Err(Reason::Empty(column)),
        Ok(name) => Ok(name),
        Err(_) => Err(Reason::NotUtf8(column, Excerpt::new(field))),
    }
}

fn sku(field: &[u8]) -> Result<&str, Reason> {
    let sku = name(field, Column::StockCode)?;
    Sku::new(sku).map_err(|error| Reason::NoSku(error.to_string()))?;
    Ok(sku)
}

fn quantity(field: &[u8]) -> Result<i64, Reason> {
    let not_integer = || Reason::QuantityNotInteger(Excerpt::new(field));
    let out_of_range = || Reason::QuantityOutOfRange(Excerpt::new(field));
    let text = str::from_utf8(field).map_err(|_| not_integer())?;
    match text.parse::<i64>() {
        Ok(quantity) if Quantity::new(quantity.saturating_abs()).is_err() => Err(out_of_range()),
        Ok(quantity) => Ok(quantity),
        Err(error) => Err(match error.kind() {
            IntErrorKind::PosOverflow | IntErrorKind::NegOverflow => out_of_range(),
            _ => not_integer(),
        }),
    }
}

/// A field that decides nothing: taken if it is there and legible.
fn remark(field: &[u8]) -> Option<&str> {
    str::from_utf8(field).ok().filter(|text| !text.is_empty())
}
