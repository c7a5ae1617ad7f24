//! The contexts of a shop, each with its own tables.

use crate::outbox::{CUSTOMERS, NOTIFICATIONS, ORDERS, OutboxTables, PRODUCTS, STOCK};

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

    pub(crate) fn outbox(self) -> Option<&'static OutboxTables> {
        match self {
            Self::Inventory => Some(&STOCK),
            Self::Orders => Some(&ORDERS),
            Self::Catalog => Some(&PRODUCTS),
            Self::Customers => Some(&CUSTOMERS),
            Self::Notifications => Some(&NOTIFICATIONS),
            Self::Bus => None,
        }
    }
}
