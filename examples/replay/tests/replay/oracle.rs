//! The rules of the replay as anyone would write them down: maps, queues, one document after the
//! other. It shares nothing with the crate but the rows that the parser accepted; what kind of
//! document they make, which SKUs are tracked and what adds up it decides for itself.

use std::collections::{BTreeMap, HashMap, VecDeque};

use sha2::{Digest, Sha256};
use stockpulse_replay::args::Policy;
use stockpulse_replay::{Invoices, Report};

/// The report that a right replay ends with, but for the events and the time.
pub(crate) fn replay(invoices: &Invoices, opening: i64, policy: Policy) -> Report {
    let mut r = Report {
        rows: invoices.rows(),
        rows_rejected: invoices.rejections().len() as u64,
        ledger_consistent: true,
        ..Report::default()
    };
    let mut on_hand: BTreeMap<&str, i64> = BTreeMap::new();
    let mut waiting: HashMap<&str, VecDeque<i64>> = HashMap::new();
    let tracked = |sku: &str| sku.as_bytes()[0].is_ascii_digit();

    for document in invoices.documents() {
        let rows: Vec<(&str, i64)> =
            document.rows().iter().map(|row| (invoices.skus().name(row.sku), row.quantity)).collect();
        for (sku, _) in rows.iter().filter(|(sku, _)| tracked(sku)) {
            on_hand.entry(sku).or_insert(opening);
        }

        if document.invoice().as_bytes()[0] == b'C' {
            r.orders.returns += 1;
            for (sku, quantity) in rows.into_iter().filter(|(sku, _)| tracked(sku)) {
                let mut left = quantity.abs();
                r.units.returned += i128::from(left);
                let queue = waiting.entry(sku).or_default();
                while left > 0 && !queue.is_empty() {
                    let served = left.min(queue[0]);
                    left -= served;
                    queue[0] -= served;
                    r.units.shipped += i128::from(served);
                    if queue[0] == 0 {
                        queue.pop_front();
                    }
                }
                *on_hand.get_mut(sku).unwrap() += left;
            }
        } else if rows.iter().all(|(_, quantity)| *quantity <= 0) {
            for (sku, quantity) in rows {
                match on_hand.get_mut(sku) {
                    None => r.adjustments.untracked += 1,
                    Some(level) if *level + quantity < 0 => r.adjustments.rejected += 1,
                    Some(level) => {
                        *level += quantity;
                        r.adjustments.applied += 1;
                        r.units.adjusted += i128::from(quantity);
                    }
                }
            }
        } else {
            r.orders.placed += 1;
            let mut wanted: BTreeMap<&str, i64> = BTreeMap::new();
            for (sku, quantity) in rows.into_iter().filter(|(_, quantity)| *quantity > 0) {
                *wanted.entry(sku).or_default() += quantity;
            }
            r.units.ordered += wanted.values().map(|n| i128::from(*n)).sum::<i128>();

            let there = |sku: &str, n: i64| on_hand.get(sku).map_or(n, |level| n.min(*level));
            let granted: BTreeMap<&str, i64> = wanted.iter().map(|(sku, n)| (*sku, there(sku, *n))).collect();
            let complete = granted == wanted;
            match policy {
                Policy::AllOrNothing if !complete => {
                    r.orders.rejected += 1;
                    continue;
                }
                Policy::Partial if granted.values().all(|n| *n == 0) => {
                    r.orders.rejected += 1;
                    continue;
                }
                Policy::Partial if !complete => r.orders.partially_confirmed += 1,
                Policy::AllOrNothing | Policy::Partial | Policy::Backorder => {
                    r.orders.confirmed += 1;
                }
            }
            for (sku, n) in granted {
                r.units.shipped += i128::from(n);
                if let Some(level) = on_hand.get_mut(sku) {
                    *level -= n;
                }
                if policy == Policy::Backorder && n < wanted[sku] {
                    waiting.entry(sku).or_default().push_back(wanted[sku] - n);
                }
            }
        }
    }

    r.skus_tracked = on_hand.len() as u64;
    r.units_on_hand = on_hand.values().map(|n| i128::from(*n)).sum();
    r.units.backordered = waiting.values().flatten().map(|n| i128::from(*n)).sum();
    let lines: String = on_hand.iter().map(|(s, n)| format!("{s},{n}\n")).collect();
    let hash = Sha256::digest(lines);
    r.stock_digest = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    r
}
