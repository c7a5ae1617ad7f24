//! The contexts of a shop, each with its own tables.

use crate::frame::{CUSTOMER_COMMAND, ORDER_COMMAND, PRODUCT_COMMAND, STOCK_COMMAND};
use crate::table::Table;

/// A part of a shop with its own tables and, except for the bus, its own outbox. All of them may be installed in one
/// database, or each in its own, as its service's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Context {
    /// Stock levels, reservations and their ledger.
    Inventory,
    /// Orders and their history.
    Orders,
    /// Products.
    Catalog,
    /// Customers.
    Customers,
    /// The log of notifications.
    Notifications,
    /// The bus. It has no outbox: what is on it is published.
    Bus,
}

impl Context {
    /// All of them.
    pub const ALL: &[Self] =
        &[Self::Inventory, Self::Orders, Self::Catalog, Self::Customers, Self::Notifications, Self::Bus];

    /// Where what was decided about its commands is kept, if it has any.
    pub(crate) fn commands(self) -> Option<&'static Table> {
        match self {
            Self::Inventory => Some(&STOCK_COMMAND),
            Self::Orders => Some(&ORDER_COMMAND),
            Self::Catalog => Some(&PRODUCT_COMMAND),
            Self::Customers => Some(&CUSTOMER_COMMAND),
            Self::Notifications | Self::Bus => None,
        }
    }
}
