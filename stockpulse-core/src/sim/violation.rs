//! What must hold, and what did not.

use std::fmt;
use std::time::Duration;

/// What must hold of every run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Rule {
    /// After every commit, no level promises more than lies there, apart from backorders within its limit.
    NothingOversold,
    /// After every commit, the sum of a level's movements is the level.
    LedgerIsLevel,
    /// After every commit, what live reservations claim of a level is what it counts.
    ClaimsAreReserved,
    /// Versions of levels, reservations and orders go up, without a gap where they count entries, for every reader.
    VersionsGoUp,
    /// After every commit, nobody waits for units that are free.
    NobodyWaitsInVain,
    /// What orders say that left and came back is what left the levels and came back to them.
    GoodsAreConserved,
    /// No customer gets more of a product than its limit, nor less.
    PurchaseLimits,
    /// A reservation ends once.
    ReservationEndsOnce,
    /// A hold does not end before its time, and no long time after it.
    HoldsEnd,
    /// An accepted order ends, or waits for somebody outside.
    OrderEnds,
    /// An order ends once.
    OrderEndsOnce,
    /// An order and its reservation tell the same story.
    OrderFitsReservation,
    /// Who was told that something was accepted finds it.
    AcceptedIsThere,
    /// The same command gets the same answer.
    SameAnswer,
    /// A command that makes sense is never called wrong.
    SoundCommand,
    /// Every committed event reaches every group that wants it, and nothing else does.
    EventsArrive,
    /// Each group gets the events of one key in the order of their commits, when it first gets them.
    EventsInOrder,
    /// Nothing is put aside.
    NothingAside,
    /// A cached level never goes back, and comes to be what the store says.
    CacheConverges,
    /// What the gate lets through comes to be what the store says.
    GateConverges,
    /// Customers are told what happened to their orders, and nothing else.
    CustomersAreTold,
    /// When nothing goes wrong any more, everything comes to rest and shuts down in order.
    ComesToRest,
}

/// Something that did not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Violation {
    /// What should have held.
    pub rule: Rule,
    /// When it was seen, since the beginning, in the simulation's time.
    pub at: Duration,
    /// What was seen.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} at {:.3} s: {}", self.rule, self.at.as_secs_f64(), self.what)
    }
}
