//! What is looked at while a simulation runs, and at its end.

mod answers;
mod books;
pub(super) mod events;
pub(super) mod orders;
pub(super) mod rest;
pub(super) mod stock;

pub(super) use answers::Answer;

use std::num::NonZeroUsize;

/// Everything that was seen.
#[derive(Debug, Default)]
pub(super) struct History {
    pub(super) stock: stock::StockHistory,
    pub(super) orders: orders::OrderHistory,
    pub(super) events: events::EventHistory,
    pub(super) answers: answers::Answers,
}

/// More rows than any simulation has.
pub(super) const ALL: NonZeroUsize = NonZeroUsize::MAX;
