//! Rows as arrays, one for each column.

use std::borrow::Cow;

use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use uuid::Uuid;

use crate::table::{Kind, Rows, Table};
use crate::value::Value;

pub(super) type PgQuery<'q> = Query<'q, sqlx::Postgres, PgArguments>;

/// An insert of all rows at once, from one array for each column, the first of them numbered `first`. Side by side in the
/// list of what is selected the arrays are read in half the time that they take in `FROM`, where each is copied first.
pub(super) fn insert(table: &Table, first: usize) -> String {
    let arrays = arrays(table.columns, first);
    let columns: Vec<String> = arrays.split(", ").map(|array| format!("unnest({array})")).collect();
    format!("INSERT INTO {} ({}) SELECT {}", table.name, table.names(""), columns.join(", "))
}

/// The arrays of columns as they are bound, numbered from `first`.
pub(super) fn arrays(columns: &[(&str, Kind)], first: usize) -> String {
    let array = |(index, (_, kind)): (usize, &(&str, Kind))| {
        let number = first + index;
        match kind {
            Kind::Int => format!("${number}::bigint[]"),
            Kind::Bool => format!("${number}::boolean[]"),
            Kind::Id => format!("${number}::uuid[]"),
            Kind::Text => format!("${number}::text[]"),
            Kind::Bytes => format!("${number}::bytea[]"),
        }
    };
    let arrays: Vec<String> = columns.iter().enumerate().map(array).collect();
    arrays.join(", ")
}

pub(super) fn names_of(columns: &[(&str, Kind)]) -> String {
    names(columns, "")
}

pub(super) fn names(columns: &[(&str, Kind)], prefix: &str) -> String {
    let names: Vec<String> = columns.iter().map(|(name, _)| format!("{prefix}{name}")).collect();
    names.join(", ")
}

/// Binds each column as one array.
pub(super) fn bind_columns<'q>(mut query: PgQuery<'q>, rows: &'q Rows, columns: &[(&str, Kind)]) -> PgQuery<'q> {
    for (index, (_, kind)) in columns.iter().enumerate() {
        let column = rows.column(index);
        query = match kind {
            Kind::Int => query.bind(column.map(int).collect::<Vec<_>>()),
            Kind::Bool => query.bind(column.map(|value| int(value).map(|int| int != 0)).collect::<Vec<_>>()),
            Kind::Id => query.bind(column.map(id).collect::<Vec<_>>()),
            Kind::Text => query.bind(column.map(text).collect::<Vec<_>>()),
            Kind::Bytes => query.bind(column.map(bytes).collect::<Vec<_>>()),
        };
    }
    query
}

fn int(value: &Value) -> Option<i64> {
    match value {
        Value::Int(int) => Some(*int),
        Value::Bool(bool) => Some(i64::from(*bool)),
        _ => None,
    }
}

fn id(value: &Value) -> Option<Uuid> {
    if let Value::Id(id) = value { Some(*id) } else { None }
}

fn text(value: &Value) -> Option<Cow<'_, str>> {
    if let Value::Text(text) = value { Some(without_nul(text)) } else { None }
}

/// PostgreSQL refuses a text that holds a NUL, and with it the batch that the text is in.
pub(super) fn without_nul(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', "\u{fffd}")) } else { Cow::Borrowed(text) }
}

fn bytes(value: &Value) -> Option<&[u8]> {
    if let Value::Bytes(bytes) = value { Some(bytes) } else { None }
}
