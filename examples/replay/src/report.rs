//! What a replay ends with: figures that anyone can recompute from the files.

use std::fmt;
use std::time::Duration;

use serde::Serialize;
use sha2::{Digest, Sha256};

/// A count of units. Wider than any one level, because it sums over all of them.
pub type Units = i128;

/// The result of a replay. Serialises with exactly these fields in this order; `cache` and `gate` only if there was one.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Report {
    /// Rows below the headers, the rejected ones included.
    pub rows: u64,
    /// Rows that were left out.
    pub rows_rejected: u64,
    /// SKUs of which stock is kept.
    pub skus_tracked: u64,
    /// What became of the documents.
    pub orders: OrderFigures,
    /// What became of the units.
    pub units: UnitFigures,
    /// What became of the rows of adjustments.
    pub adjustments: AdjustmentFigures,
    /// Units on hand at the end, over all tracked SKUs.
    pub units_on_hand: Units,
    /// [`stock_digest`] of all tracked SKUs at the end.
    pub stock_digest: String,
    /// Stock levels that at any time broke their invariant.
    pub oversold: u64,
    /// Whether the movements of every level add up to the level.
    pub ledger_consistent: bool,
    /// Events that went out over the bus, repeats not counted.
    pub events_published: u64,
    /// What the cache had at the end, if there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cache: Option<CacheFigures>,
    /// What the gate knew at the end, if there was one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gate: Option<GateFigures>,
    /// How long the replay took, in seconds, without the reading of the files.
    pub elapsed_s: f64,
    /// Orders placed per second of it.
    pub orders_per_s: f64,
}

/// How many documents ended how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct OrderFigures {
    /// Orders, whatever became of them.
    pub placed: u64,
    /// Orders that got everything, or with backorders will.
    pub confirmed: u64,
    /// Orders that got less than they asked for.
    pub partially_confirmed: u64,
    /// Orders that got nothing.
    pub rejected: u64,
    /// Return documents.
    pub returns: u64,
}

/// How many units went where.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct UnitFigures {
    /// Asked for by orders, services included.
    pub ordered: Units,
    /// Shipped, services included.
    pub shipped: Units,
    /// Returned, of tracked SKUs.
    pub returned: Units,
    /// The sum of all applied adjustments of tracked SKUs, so 0 or less.
    pub adjusted: Units,
    /// Still waiting for stock at the end.
    pub backordered: Units,
}

/// How many rows of adjustments ended how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct AdjustmentFigures {
    /// Applied to a tracked SKU.
    pub applied: u64,
    /// Refused because on-hand would have fallen below 0.
    pub rejected: u64,
    /// Rows of services, of which no stock is kept.
    pub untracked: u64,
}

/// What the cache had at the end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct CacheFigures {
    /// Levels of tracked SKUs that it had. They end after a while that nobody reads or changes them.
    pub levels: u64,
    /// Those of them that were not as in the store.
    pub levels_different: u64,
}

/// What the gate knew at the end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct GateFigures {
    /// Levels of tracked SKUs that it knew.
    pub levels: u64,
    /// Those of which it would have let through more or less than can be sold.
    pub levels_different: u64,
}

impl Report {
    /// Sets `elapsed_s`, to the millisecond, and `orders_per_s`, to a tenth, from the time taken.
    /// A replay too short to measure has a rate of 0.
    #[must_use]
    pub fn with_elapsed(mut self, elapsed: Duration) -> Self {
        let seconds = elapsed.as_secs_f64();
        self.elapsed_s = (seconds * 1e3).round() / 1e3;
        self.orders_per_s =
            if seconds > 0.0 { (self.orders.placed as f64 / seconds * 10.0).round() / 10.0 } else { 0.0 };
        self
    }
}

/// The lower-case hex SHA-256 over `sku,on_hand\n` for each level, in byte order of the SKUs.
#[must_use]
pub fn stock_digest<'a>(levels: impl IntoIterator<Item = (&'a str, i64)>) -> String {
    let mut levels: Vec<(&str, i64)> = levels.into_iter().collect();
    // `str` compares by bytes.
    levels.sort_unstable();
    let mut hash = Sha256::new();
    for (sku, on_hand) in levels {
        hash.update(format!("{sku},{on_hand}\n"));
    }
    let hex = hash.finalize();
    hex.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { orders, units, adjustments, .. } = self;
        let mut proof: Vec<(&str, Units)> =
            vec![("levels oversold", self.oversold.into()), ("events published", self.events_published.into())];
        if let Some(cache) = self.cache {
            proof.extend([("levels cached", cache.levels.into()), ("cached wrongly", cache.levels_different.into())]);
        }
        if let Some(gate) = self.gate {
            proof.extend([("known to the gate", gate.levels.into()), ("known wrongly", gate.levels_different.into())]);
        }
        let sections: [(&str, &[(&str, Units)]); 5] = [
            (
                "input",
                &[
                    ("rows", self.rows.into()),
                    ("rows rejected", self.rows_rejected.into()),
                    ("SKUs tracked", self.skus_tracked.into()),
                ],
            ),
            (
                "orders",
                &[
                    ("placed", orders.placed.into()),
                    ("confirmed", orders.confirmed.into()),
                    ("partially confirmed", orders.partially_confirmed.into()),
                    ("rejected", orders.rejected.into()),
                    ("returns", orders.returns.into()),
                ],
            ),
            (
                "units",
                &[
                    ("ordered", units.ordered),
                    ("shipped", units.shipped),
                    ("returned", units.returned),
                    ("adjusted", units.adjusted),
                    ("backordered", units.backordered),
                    ("on hand at the end", self.units_on_hand),
                ],
            ),
            (
                "adjustments",
                &[
                    ("applied", adjustments.applied.into()),
                    ("rejected", adjustments.rejected.into()),
                    ("untracked", adjustments.untracked.into()),
                ],
            ),
            ("proof", &proof),
        ];
        let numbers = sections.iter().flat_map(|(_, lines)| lines.iter());
        let width = numbers.map(|(_, n)| grouped(*n).len()).max().unwrap_or(0);
        for (title, lines) in sections {
            writeln!(f, "{title}")?;
            for (label, number) in lines {
                writeln!(f, "  {label:<20}{:>width$}", grouped(*number))?;
            }
        }
        let ledger = if self.ledger_consistent { "yes" } else { "NO" };
        writeln!(f, "  {:<20}{ledger:>width$}", "ledger consistent")?;
        writeln!(f, "  {:<20}{}", "stock digest", self.stock_digest)?;
        writeln!(f, "{:.3} s, {:.1} orders/s", self.elapsed_s, self.orders_per_s)
    }
}

/// Digits in groups of three: `-1,570,490`.
fn grouped(number: Units) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3 + 1);
    if number < 0 {
        text.push('-');
    }
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests;
