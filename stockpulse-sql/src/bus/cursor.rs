//! A member's place in one partition.

use std::collections::BTreeSet;
use std::time::Duration;

use stockpulse_core::bus::{Read, Window, later};
use stockpulse_core::model::Envelope;
use tokio::time::Instant;

/// An event that somebody wanted to be delivered again later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pause {
    pub(super) offset: u64,
    /// How long from now on.
    pub(super) wait: Duration,
    pub(super) deliveries: u32,
}

/// An event as it was read: its offset, itself, and how often it was delivered before.
pub(super) type Entry = (u64, Envelope, u32);

/// A place in a partition: everything below the watermark is done; of what was read beyond it, what is not done is kept.
#[derive(Clone, Debug)]
pub(super) struct Cursor {
    /// Under which the partition was given to this member.
    pub(super) generation: u64,
    /// The next offset to read.
    pub(super) next: u64,
    /// The watermark that the database has.
    written: u64,
    /// By offset.
    pub(super) window: Window,
    /// An event of which an earlier owner said that it has to wait, and from when on the wait is measured.
    resume: Option<(Pause, Instant)>,
    /// Events beyond the watermark that were put aside already.
    aside: BTreeSet<u64>,
}

impl Cursor {
    /// A place as the database has it.
    pub(super) fn new(generation: u64, written: u64, resume: Option<Pause>, aside: BTreeSet<u64>) -> Self {
        let resume = resume.map(|pause| (pause, Instant::now()));
        Self { generation, next: written, written, window: Window::default(), resume, aside }
    }

    /// Takes in what was read: everything of interest from `from` up to, and without, `to`. It is ignored if the place is
    /// another one by now.
    pub(super) fn fill(&mut self, from: u64, to: u64, entries: Vec<Entry>) {
        if self.next != from {
            return;
        }
        self.next = to;
        for (offset, envelope, deliveries) in entries {
            if self.aside.contains(&offset) {
                continue;
            }
            let mut read = Read { envelope, deliveries, due: None, note: () };
            if let Some((pause, since)) = self.resume.filter(|(pause, _)| pause.offset == offset) {
                read.due = Some(later(since, pause.wait));
                read.deliveries = pause.deliveries;
            }
            self.window.put(offset, read);
        }
    }

    /// The first offset that is not done.
    pub(super) fn watermark(&self) -> u64 {
        self.window.first().unwrap_or(self.next)
    }

    /// The watermark, if the database does not have it.
    pub(super) fn unwritten(&self) -> Option<u64> {
        Some(self.watermark()).filter(|watermark| *watermark > self.written)
    }

    /// The database has this watermark now.
    pub(super) fn wrote(&mut self, watermark: u64) {
        self.written = self.written.max(watermark);
    }

    /// The first event that is to be delivered again at a time, for whoever reads the partition next.
    pub(super) fn pause(&self) -> Option<Pause> {
        let (offset, read) = self.window.pause()?;
        let wait = read.due?.saturating_duration_since(Instant::now());
        Some(Pause { offset, wait, deliveries: read.deliveries })
    }
}
