//! Statements over many rows at once.

use crate::inventory::{AFTER, LEVEL, unchanged};
use crate::table::{Rows, Table};
use crate::value::Value;

/// `(?, ?), (?, ?), …`: so many rows of so many values.
pub(super) fn tuples(width: usize, rows: usize) -> String {
    let tuple = format!("({})", vec!["?"; width].join(", "));
    vec![tuple.as_str(); rows].join(", ")
}

/// An insert of so many rows.
pub(super) fn insert(table: &Table, rows: usize) -> String {
    format!("INSERT INTO {} ({}) VALUES {}", table.name, table.names(""), tuples(table.columns.len(), rows))
}

/// Gives so many levels new counters and versions. One that is not as it must be gets the version 0, which a constraint of
/// the table forbids.
pub(super) fn advance(levels: usize) -> String {
    let (columns, unchanged) = (LEVEL.names(""), unchanged());
    let values = tuples(LEVEL.columns.len() + AFTER.len(), levels);
    format!(
        "WITH d({columns}, {}) AS (VALUES {values})
         UPDATE stock_level AS t SET reserved = d.new_reserved, backordered = d.new_backordered,
            version = CASE WHEN {unchanged} THEN d.new_version ELSE 0 END
         FROM d WHERE t.sku = d.sku AND t.location = d.location",
        AFTER.join(", ")
    )
}

/// Rows in parts of `most`, and the rest in powers of two.
pub(super) fn parts(rows: &Rows, most: usize) -> impl Iterator<Item = &[Value]> {
    let width = rows.width();
    let mut rest = rows.values();
    std::iter::from_fn(move || {
        let left = rest.len() / width;
        let take = if left >= most { most } else { left.checked_ilog2().map_or(0, |power| 1 << power) };
        let (part, others) = rest.split_at_checked(take * width)?;
        rest = others;
        (!part.is_empty()).then_some(part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_cut_into_few_sizes() {
        for count in [0_i64, 1, 3, 255, 256, 700] {
            let rows = Rows::single(0..count);
            let parts: Vec<usize> = parts(&rows, 256).map(<[Value]>::len).collect();
            assert_eq!(parts.iter().sum::<usize>(), rows.len());
            assert!(parts.iter().all(|part| part.is_power_of_two()), "{parts:?}");
        }
    }

    #[test]
    fn places_for_values_are_counted() {
        assert_eq!(tuples(2, 3), "(?, ?), (?, ?), (?, ?)");
    }
}
