//! A request, in the words of the script.

use stockpulse_core::model::{Quantity, ReservationId, StockKey};
use stockpulse_core::port::{Admission, AdmitRequest};

use super::name;
use crate::lua::{ScriptCall, milliseconds};

/// The largest number of units that the gate counts, 2^50; more count as so many. Numbers in Lua are exact up to 2^53.
const MOST: i64 = 1 << 50;

/// Units as the gate counts them.
pub(super) fn units(quantity: Quantity) -> i64 {
    quantity.get().min(MOST)
}

/// A request: its lines, each level once, with the shards that they are in.
pub(super) struct Request<'a> {
    index: usize,
    asked: &'a AdmitRequest,
    lines: Vec<Line<'a>>,
    shards: Vec<u16>,
}

struct Line<'a> {
    key: &'a StockKey,
    name: String,
    units: i64,
    shard: u16,
}

impl<'a> Request<'a> {
    pub(super) fn new(index: usize, asked: &'a AdmitRequest, shard_of: impl Fn(&str) -> u16) -> Self {
        let mut lines: Vec<Line<'a>> = Vec::with_capacity(asked.lines.len());
        for line in &asked.lines {
            // A level is named once, but one that is named twice must not be sold twice.
            if let Some(known) = lines.iter_mut().find(|known| *known.key == line.key) {
                known.units = known.units.saturating_add(units(line.quantity)).min(MOST);
                continue;
            }
            let name = name(&line.key);
            let shard = shard_of(&name);
            lines.push(Line { key: &line.key, name, units: units(line.quantity), shard });
        }
        let mut shards: Vec<u16> = lines.iter().map(|line| line.shard).collect();
        shards.sort_unstable();
        shards.dedup();
        Self { index, asked, lines, shards }
    }

    pub(super) fn reservation(&self) -> ReservationId {
        self.asked.reservation
    }

    /// The shards that it needs, in the order in which it asks them.
    pub(super) fn shards(&self) -> &[u16] {
        &self.shards
    }

    /// What it wants of a shard.
    pub(super) fn part(&self, shard: u16) -> Part<'_> {
        Part { request: self, shard }
    }
}

/// What a request wants of a shard.
pub(super) struct Part<'a> {
    request: &'a Request<'a>,
    shard: u16,
}

impl<'a> Part<'a> {
    /// Which request of the batch it is of.
    pub(super) fn index(&self) -> usize {
        self.request.index
    }

    fn lines(&self) -> impl Iterator<Item = &'a Line<'a>> {
        let shard = self.shard;
        self.request.lines.iter().filter(move |line| line.shard == shard)
    }

    /// Adds it to a call of the script.
    pub(super) fn write(&self, call: &mut ScriptCall) {
        call.argument(self.request.reservation().as_uuid().into_bytes());
        call.argument(milliseconds(self.request.asked.ttl).to_string());
        call.argument(self.lines().count().to_string());
        for line in self.lines() {
            call.argument(line.name.as_str());
            call.argument(line.units.to_string());
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
