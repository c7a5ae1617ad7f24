//! Stock levels, the movements that made them, and claims that wait for stock.

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

use super::command::{Actor, Cause};
use super::id::{CommandId, ReservationId};
use super::quantity::Quantity;
use super::sku::StockKey;
use super::time::Timestamp;

/// How much of a SKU there is at a location, and how much of it is promised.
///
/// What always holds of a tracked level: `0 <= backordered <= reserved` and
/// `reserved - backordered <= on_hand`. An untracked level (a service) counts its claims too, and its
/// `on_hand` means nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockLevel {
    /// Which level.
    pub key: StockKey,
    /// Units that lie there.
    pub on_hand: Quantity,
    /// Units that live reservations claim, the backordered ones included.
    pub reserved: Quantity,
    /// Units that live reservations claim and that have not come in yet.
    pub backordered: Quantity,
    /// Units kept back from sale.
    pub safety_stock: Quantity,
    /// How many units may be promised beyond what lies there; [`Quantity::MAX`] is no limit.
    pub backorder_limit: Quantity,
    /// At how many available units `stock.low` is raised, if at all.
    pub low_stock_at: Option<Quantity>,
    /// Whether stock is counted here at all.
    pub tracked: bool,
    /// Whether the SKU was retired here: nothing more is received or reserved.
    pub retired: bool,
    /// Counts the level's movements, from 1.
    pub version: u64,
}

impl StockLevel {
    /// An empty, tracked level without safety stock or backorders.
    #[must_use]
    pub const fn new(key: StockKey) -> Self {
        Self {
            key,
            on_hand: Quantity::ZERO,
            reserved: Quantity::ZERO,
            backordered: Quantity::ZERO,
            safety_stock: Quantity::ZERO,
            backorder_limit: Quantity::ZERO,
            low_stock_at: None,
            tracked: true,
            retired: false,
            version: 0,
        }
    }

    /// `on_hand - reserved - safety_stock`: what can be promised from stock. Negative while claims wait.
    #[must_use]
    pub const fn available(&self) -> i64 {
        self.on_hand.get() - self.reserved.get() - self.safety_stock.get()
    }

    /// Units that lie there and are promised: nothing may take them away.
    #[must_use]
    pub const fn committed(&self) -> Quantity {
        self.reserved.saturating_sub(self.backordered)
    }

    /// Units that a new reservation may take from stock: `available`, zero at least; of what is untracked, as
    /// many as can be counted.
    #[must_use]
    pub const fn grantable(&self) -> Quantity {
        if !self.tracked {
            return self.countable();
        }
        Quantity::saturating_from(self.available())
    }

    /// Units that may still be backordered.
    #[must_use]
    pub const fn backorderable(&self) -> Quantity {
        if self.backorder_limit.is_unlimited() {
            return self.countable();
        }
        self.backorder_limit.saturating_sub(self.backordered)
    }

    /// Units that `reserved` can still count.
    const fn countable(&self) -> Quantity {
        Quantity::MAX.saturating_sub(self.reserved)
    }

    /// What can be sold: from stock, and by backorder.
    #[must_use]
    pub const fn sellable(&self) -> Quantity {
        Quantity::saturating_from(self.grantable().get() + self.backorderable().get())
    }

    /// The counters that the ledger explains.
    #[must_use]
    pub const fn counters(&self) -> Counters {
        Counters { on_hand: self.on_hand.get(), reserved: self.reserved.get(), backordered: self.backordered.get() }
    }

    /// Whether the level breaks what must always hold.
    #[must_use]
    pub const fn is_oversold(&self) -> bool {
        let more_waits_than_claims = self.backordered.get() > self.reserved.get();
        more_waits_than_claims || (self.tracked && self.committed().get() > self.on_hand.get())
    }
}

/// The three counters of a level, or a change of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Counters {
    /// Units that lie there.
    pub on_hand: i64,
    /// Units claimed.
    pub reserved: i64,
    /// Units claimed that have not come in.
    pub backordered: i64,
}

impl Counters {
    /// The sum, saturating.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            on_hand: self.on_hand.saturating_add(other.on_hand),
            reserved: self.reserved.saturating_add(other.reserved),
            backordered: self.backordered.saturating_add(other.backordered),
        }
    }

    /// The difference, saturating.
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self {
            on_hand: self.on_hand.saturating_sub(other.on_hand),
            reserved: self.reserved.saturating_sub(other.reserved),
            backordered: self.backordered.saturating_sub(other.backordered),
        }
    }
}

/// What kind of command moved stock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum MovementKind {
    /// Goods came in.
    Received = 1,
    /// On-hand was corrected by a difference.
    Adjusted = 2,
    /// On-hand was set by a stock-take.
    Counted = 3,
    /// Goods left for another location.
    TransferredOut = 4,
    /// Goods came from another location.
    TransferredIn = 5,
    /// Units were claimed.
    Reserved = 6,
    /// A claim ended, released.
    Released = 7,
    /// A claim ended, out of time.
    Expired = 8,
    /// Claimed units left for the customer.
    Fulfilled = 9,
    /// Goods came back from a customer.
    Returned = 10,
    /// A waiting claim was covered by stock.
    Filled = 11,
    /// Settings changed; no units moved.
    Configured = 12,
    /// The SKU was retired; no units moved.
    Retired = 13,
    /// A repair by the reconciler.
    Reconciled = 14,
}

/// One row of the append-only ledger: what one command did to one stock level.
///
/// `(key, version)` identifies it. The sum of a level's `change`s is the level's [`StockLevel::counters`], and
/// the versions are 1, 2, 3 … without a gap.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Movement {
    /// The level that changed.
    pub key: StockKey,
    /// The level's version after it.
    pub version: u64,
    /// What kind of command did it.
    pub kind: MovementKind,
    /// What changed.
    pub change: Counters,
    /// The command.
    pub command: CommandId,
    /// The reservation whose claim it was, if any.
    pub reservation: Option<ReservationId>,
    /// Who.
    pub actor: Actor,
    /// What it followed from.
    pub cause: Cause,
    /// Why, in the words given with an adjustment or a count.
    pub reason: Option<CompactString>,
    /// When.
    pub at: Timestamp,
}

/// A claim that waits for stock, in a level's first-in, first-out queue.
///
/// It belongs to the level, not to the reservation: whoever holds the level's lock may fill it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backorder {
    /// The level it waits at.
    pub key: StockKey,
    /// Its place in the queue: the level's version when it was claimed.
    pub position: u64,
    /// Whose claim it is.
    pub reservation: ReservationId,
    /// The order the reservation is for, so that filling can be told to it without loading the reservation.
    pub order: Option<super::id::OrderId>,
    /// Units that wait; never zero.
    pub quantity: Quantity,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::sku::Sku;

    fn level(on_hand: u32, reserved: u32, backordered: u32) -> StockLevel {
        StockLevel {
            on_hand: on_hand.into(),
            reserved: reserved.into(),
            backordered: backordered.into(),
            ..StockLevel::new(Sku::new("A").unwrap().into())
        }
    }

    #[test]
    fn available_is_on_hand_less_reserved_less_safety_stock() {
        let level = StockLevel { safety_stock: 2.into(), ..level(10, 3, 0) };
        assert_eq!(level.available(), 5);
        assert_eq!(level.grantable(), 5.into());
    }

    #[test]
    fn sellable_counts_backorders_within_the_limit() {
        let limited = StockLevel { backorder_limit: 5.into(), ..level(0, 3, 3) };
        assert_eq!(limited.available(), -3);
        assert_eq!(limited.sellable(), 2.into());
        let unlimited = StockLevel { backorder_limit: Quantity::MAX, ..level(0, 3, 3) };
        assert_eq!(unlimited.backorderable().get(), Quantity::MAX.get() - 3);
    }

    #[test]
    fn oversold_means_more_promised_than_there() {
        assert!(!level(5, 5, 0).is_oversold());
        assert!(level(5, 6, 0).is_oversold());
        assert!(!level(5, 6, 1).is_oversold());
        assert!(level(5, 1, 2).is_oversold());
    }
}
