//! How tables are described to the databases.

use crate::value::Value;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Int,
    Bool,
    Id,
    Text,
    Bytes,
}

/// A table as far as rows are written to it: columns that the database fills in itself are left out.
#[derive(Debug)]
pub struct Table {
    pub name: &'static str,
    /// Those of the key come first.
    pub columns: &'static [(&'static str, Kind)],
    /// How many columns the key has.
    pub key: usize,
}

impl Table {
    /// The columns' names, separated by commas, each behind `prefix`.
    pub fn names(&self, prefix: &str) -> String {
        let names: Vec<String> = self.columns.iter().map(|(name, _)| format!("{prefix}{name}")).collect();
        names.join(", ")
    }

    pub fn key_columns(&self) -> &'static [(&'static str, Kind)] {
        self.columns.get(..self.key).unwrap_or_default()
    }

    pub fn other_columns(&self) -> &'static [(&'static str, Kind)] {
        self.columns.get(self.key..).unwrap_or_default()
    }
}

/// Rows of a fixed number of values, one after the other.
#[derive(Clone, Debug)]
pub struct Rows {
    width: usize,
    values: Vec<Value>,
}

impl Rows {
    /// None yet, of so many columns.
    pub fn new(width: usize) -> Self {
        Self { width: width.max(1), values: Vec::new() }
    }

    /// Room for rows of a table.
    pub fn of(table: &Table, rows: usize) -> Self {
        let width = table.columns.len();
        Self { width, values: Vec::with_capacity(width * rows) }
    }

    /// Rows of one column.
    pub fn single<V: Into<Value>>(values: impl IntoIterator<Item = V>) -> Self {
        Self { width: 1, values: values.into_iter().map(Into::into).collect() }
    }

    pub fn push<const N: usize>(&mut self, row: [Value; N]) {
        debug_assert_eq!(N, self.width, "a row has as many values as its table has columns");
        self.values.extend(row);
    }

    /// Puts rows into the order of their ids, which are their first column: the order in which every transaction writes
    /// them, and the one that an index likes.
    pub fn sort_by_id(&mut self) {
        let id = |row: &&[Value]| if let Some(Value::Id(id)) = row.first() { Some(*id) } else { None };
        if self.iter().is_sorted_by_key(|row| id(&row)) {
            return;
        }
        let mut rows: Vec<&[Value]> = self.iter().collect();
        rows.sort_by_key(id);
        self.values = rows.concat();
    }

    /// Adds values to the last row, or begins one.
    pub fn extend<const N: usize>(&mut self, values: [Value; N]) {
        self.values.extend(values);
    }

    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    pub fn len(&self) -> usize {
        self.values.len() / self.width
    }

    pub fn width(&self) -> usize {
        self.width
    }

    /// The values of all rows, row by row.
    pub fn values(&self) -> &[Value] {
        &self.values
    }

    pub fn iter(&self) -> std::slice::ChunksExact<'_, Value> {
        self.values.chunks_exact(self.width)
    }

    /// The values of one column.
    pub fn column(&self, column: usize) -> impl Iterator<Item = &Value> {
        self.values.iter().skip(column).step_by(self.width)
    }

    /// The same rows in parts of so many.
    pub fn chunks(&self, rows: usize) -> impl Iterator<Item = &[Value]> {
        self.values.chunks(self.width * rows.max(1))
    }
}
