//! Pieces of SQL that SQLite and MySQL have in common.

use crate::table::Kind;

/// The names of columns, separated by commas, each behind `prefix`.
pub(crate) fn names(columns: &[(&str, Kind)], prefix: &str) -> String {
    let names: Vec<String> = columns.iter().map(|(name, _)| format!("{prefix}{name}")).collect();
    names.join(", ")
}

/// That these columns of the keys `k` are those of the table `t`.
pub(crate) fn joined(columns: &[(&str, Kind)]) -> String {
    let joined: Vec<String> = columns.iter().map(|(name, _)| format!("t.{name} = k.{name}")).collect();
    joined.join(" AND ")
}
