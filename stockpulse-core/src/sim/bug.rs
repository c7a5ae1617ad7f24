//! Mistakes that are made on purpose, to see that they are found.

/// A mistake that [`Simulation::with_bug`](super::Simulation::with_bug) plants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Bug {
    /// A processor acknowledges events when it receives them, and not when they were handled.
    AckBeforeCommit,
    /// The stores do not know a command again.
    SkipDuplicateCheck,
    /// What a reservation claimed is given back to its levels twice.
    ReleaseTwice,
    /// The relay deletes events before they are published.
    SettleBeforePublish,
    /// The relay publishes the events of one key in another order.
    ReorderOutbox,
    /// The order store answers, and sometimes does not commit.
    ForgetCommit,
    /// The cache takes whatever comes last, however old it is.
    StaleCache,
}

impl Bug {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::AckBeforeCommit,
        Self::SkipDuplicateCheck,
        Self::ReleaseTwice,
        Self::SettleBeforePublish,
        Self::ReorderOutbox,
        Self::ForgetCommit,
        Self::StaleCache,
    ];

    /// Its name on a command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AckBeforeCommit => "ack-before-commit",
            Self::SkipDuplicateCheck => "skip-duplicate-check",
            Self::ReleaseTwice => "release-twice",
            Self::SettleBeforePublish => "settle-before-publish",
            Self::ReorderOutbox => "reorder-outbox",
            Self::ForgetCommit => "forget-commit",
            Self::StaleCache => "stale-cache",
        }
    }
}
