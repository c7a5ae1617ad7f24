//! A member's place in one partition.

use stockpulse_core::bus::{Read, Window};
use tokio::time::Instant;

use super::member::Lease;

/// What a member has read of a partition and is not done with.
#[derive(Debug)]
pub(super) struct Cursor {
    pub(super) generation: u64,
    /// The entry behind which to read pending ones, until there are none.
    pub(super) pending: Option<String>,
    /// The last entry that the group has read: to wait for those behind it.
    pub(super) last: String,
    /// Numbers the calls that read.
    pub(super) turn: u64,
    /// By the number of their delivery tags, with their ids in the stream.
    pub(super) window: Window<String>,
    /// An event of which an earlier owner said that it has to wait.
    retry: Option<(String, Instant)>,
    /// What was acknowledged, and Redis does not know yet.
    pub(super) done: Vec<String>,
}

impl Cursor {
    /// A place as a lease gives it. What is pending comes first.
    pub(super) fn new(lease: Lease) -> Self {
        Self {
            generation: lease.generation,
            pending: Some("0-0".to_owned()),
            last: lease.last,
            turn: 0,
            window: Window::default(),
            retry: lease.retry,
            done: Vec::new(),
        }
    }

    /// Takes in what was read, numbered from `number` on.
    pub(super) fn fill(&mut self, number: &mut u64, events: Vec<Read<String>>) {
        for mut read in events {
            read.due = self.retry.as_ref().filter(|(waits, _)| *waits == read.note).map(|(_, due)| *due);
            self.window.put(*number, read);
            *number += 1;
        }
    }

    /// Some call that read got no answer: what it read is pending and came to nobody.
    pub(super) fn read_again(&mut self) {
        if self.pending.is_none() {
            self.pending = Some(self.last.clone());
        }
    }
}
