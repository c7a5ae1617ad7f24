//! From rows to documents: what the shop's files say, checked and in order.

mod document;
mod load;
mod price;
mod row;
mod sku;

pub use document::{AdjustmentLine, Document, DocumentKind, OrderLine, ReturnLine, Row};
pub use load::{Invoices, RowRejection};
pub use row::{COLUMNS, Column, Excerpt, Reason};
pub use sku::{SkuId, SkuTable, is_tracked};
