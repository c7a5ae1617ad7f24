//! The contexts of a shop, each with its own tables.

use crate::outbox::{CUSTOMERS, NOTIFICATIONS, ORDERS, OutboxTables, PRODUCTS, STOCK};

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
