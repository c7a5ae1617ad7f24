//! The contexts of a shop, each with its own tables.

use crate::frame::{CUSTOMER_COMMAND, ORDER_COMMAND, PRODUCT_COMMAND, STOCK_COMMAND};
use crate::outbox::{CUSTOMERS, NOTIFICATIONS, ORDERS, OutboxTables, PRODUCTS, STOCK};
use crate::table::Table;

/// A part of a shop with its own tables and its own outbox. All of them may be installed in one database, or each in its
/// own, as its service's.
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
}

impl Context {
    /// All of them.
    pub const ALL: &[Self] = &[Self::Inventory, Self::Orders, Self::Catalog, Self::Customers, Self::Notifications];

    /// Where what was decided about its commands is kept, if it has any.
    pub(crate) fn commands(self) -> Option<&'static Table> {
        match self {
            Self::Inventory => Some(&STOCK_COMMAND),
            Self::Orders => Some(&ORDER_COMMAND),
            Self::Catalog => Some(&PRODUCT_COMMAND),
            Self::Customers => Some(&CUSTOMER_COMMAND),
            Self::Notifications => None,
        }
    }

    pub(crate) fn outbox(self) -> &'static OutboxTables {
        match self {
            Self::Inventory => &STOCK,
            Self::Orders => &ORDERS,
            Self::Catalog => &PRODUCTS,
            Self::Customers => &CUSTOMERS,
            Self::Notifications => &NOTIFICATIONS,
        }
    }
}
