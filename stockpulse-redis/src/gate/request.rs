//! A request, in the words of the script.

use std::collections::BTreeSet;
use std::fmt;

use smallvec::SmallVec;
use stockpulse_core::model::{Quantity, ReservationId, StockKey};
use stockpulse_core::port::{Admission, AdmitRequest};

use super::clock::SLICE;
use crate::lua::{ScriptCall, milliseconds};

/// The largest number of units that the gate counts, 2^50; more count as so many. Numbers in Lua are exact up to 2^53.
const MOST: i64 = 1 << 50;

/// Units as the gate counts them.
pub(super) fn units(quantity: Quantity) -> i64 {
    quantity.get().min(MOST)
}

/// A level's name in Redis. SKUs and locations hold no control characters, so the separator is unambiguous, and so are those
/// of the scripts.
pub(super) struct Name<'a>(&'a StockKey);

pub(super) const fn named(key: &StockKey) -> Name<'_> {
    Name(key)
}

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\u{1f}{}", self.0.sku, self.0.location)
    }
}

/// A request: its lines, each level once, with the shards that they are in.
pub(super) struct Request<'a> {
    index: usize,
    asked: &'a AdmitRequest,
    lines: SmallVec<[Line<'a>; 2]>,
}

struct Line<'a> {
    key: &'a StockKey,
    units: i64,
    shard: u16,
}

impl<'a> Request<'a> {
    pub(super) fn new(index: usize, asked: &'a AdmitRequest, shard_of: impl Fn(&StockKey) -> u16) -> Self {
        let mut lines: SmallVec<[Line<'a>; 2]> = SmallVec::with_capacity(asked.lines.len());
        for line in &asked.lines {
            // A level is named once, but one that is named twice must not be sold twice.
            if let Some(known) = lines.iter_mut().find(|known| *known.key == line.key) {
                known.units = known.units.saturating_add(units(line.quantity)).min(MOST);
                continue;
            }
            lines.push(Line { key: &line.key, units: units(line.quantity), shard: shard_of(&line.key) });
        }
        Self { index, asked, lines }
    }

    pub(super) fn reservation(&self) -> ReservationId {
        self.asked.reservation
    }

    /// The shards that it needs, in the order in which it asks them.
    pub(super) fn shards(&self) -> BTreeSet<u16> {
        self.lines.iter().map(|line| line.shard).collect()
    }

    /// The shard that it needs, if that is one.
    pub(super) fn only_shard(&self) -> Option<u16> {
        let first = self.lines.first()?.shard;
        self.lines.iter().all(|line| line.shard == first).then_some(first)
    }

    /// What it wants of a shard.
    pub(super) fn part(&self, shard: u16) -> Part<'_, 'a> {
        Part { request: self, shard }
    }
}

/// What a request wants of a shard.
pub(super) struct Part<'r, 'a> {
    request: &'r Request<'a>,
    shard: u16,
}

impl<'r, 'a> Part<'r, 'a> {
    /// Which request of the batch it is of.
    pub(super) fn index(&self) -> usize {
        self.request.index
    }

    fn lines(&self) -> impl Iterator<Item = &'r Line<'a>> {
        let shard = self.shard;
        self.request.lines.iter().filter(move |line| line.shard == shard)
    }

    /// Adds it to a call of the script, at this time by the server's clock.
    pub(super) fn write(&self, now: u64, call: &mut ScriptCall) {
        let end = now.saturating_add(milliseconds(self.request.asked.ttl));
        call.argument(self.request.reservation().as_uuid().into_bytes());
        call.written(format_args!("{}", end / SLICE));
        call.written(format_args!("{}", self.lines().count()));
        for line in self.lines() {
            call.written(format_args!("{}", named(line.key)));
            call.written(format_args!("{}", line.units));
        }
    }

    /// What the script's answer means.
    pub(super) fn answer(&self, code: i64) -> Answer {
        match code {
            1 => Answer::Taken,
            2 => Answer::TakenBefore,
            short => {
                let line = usize::try_from(-short).ok().and_then(|line| self.lines().nth(line.checked_sub(1)?));
                line.map_or(Answer::Unknown, |line| Answer::Short(line.key.clone()))
            }
        }
    }
}

/// A shard's answer.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    /// It has a place.
    Taken,
    /// It had one before.
    TakenBefore,
    /// There is not enough of this level.
    Short(StockKey),
    /// A level is not known.
    Unknown,
}

impl From<Answer> for Admission {
    fn from(answer: Answer) -> Self {
        match answer {
            Answer::Taken | Answer::TakenBefore => Self::Admitted,
            Answer::Short(key) => Self::Refused(key),
            Answer::Unknown => Self::Unknown,
        }
    }
}
