//! Rows by key: a map in memory, a list in the file.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::{Bound, RangeInclusive};

use serde::de::{Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A row that knows its key.
pub(crate) trait Row {
    /// What identifies it within its table.
    type Key: Ord + Clone + fmt::Debug;

    /// Its key.
    fn key(&self) -> Self::Key;
}

/// The rows of one kind, in the order of their keys.
///
/// JSON has no maps whose keys are structs, so a table is written as the list of its rows.
#[derive(Debug, Clone)]
pub(crate) struct Table<R: Row>(BTreeMap<R::Key, R>);

impl<R: Row> Default for Table<R> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<R: Row> Table<R> {
    pub(crate) fn get(&self, key: &R::Key) -> Option<&R> {
        self.0.get(key)
    }

    pub(crate) fn get_mut(&mut self, key: &R::Key) -> Option<&mut R> {
        self.0.get_mut(key)
    }

    /// Inserts a row, or replaces the one with its key.
    pub(crate) fn put(&mut self, row: R) {
        self.0.insert(row.key(), row);
    }

    pub(crate) fn remove(&mut self, key: &R::Key) {
        self.0.remove(key);
    }

    pub(crate) fn rows(&self) -> impl Iterator<Item = &R> {
        self.0.values()
    }

    pub(crate) fn range(&self, keys: RangeInclusive<R::Key>) -> impl Iterator<Item = &R> {
        self.0.range(keys).map(|(_, row)| row)
    }

    /// The rows with a key above `after`, or all of them.
    pub(crate) fn after(&self, after: Option<&R::Key>) -> impl Iterator<Item = &R> {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.0.range::<R::Key, _>((start, Bound::Unbounded)).map(|(_, row)| row)
    }
}

impl<R: Row + Serialize> Serialize for Table<R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.values())
    }
}

impl<'de, R: Row + Deserialize<'de>> Deserialize<'de> for Table<R> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(RowsVisitor(Table::default()))
    }
}

/// Reads a list of rows into a table.
struct RowsVisitor<R: Row>(Table<R>);

impl<'de, R: Row + Deserialize<'de>> Visitor<'de> for RowsVisitor<R> {
    type Value = Table<R>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut rows: A) -> Result<Self::Value, A::Error> {
        while let Some(row) = rows.next_element::<R>()? {
            let key = row.key();
            if self.0.get(&key).is_some() {
                return Err(A::Error::custom(format_args!("two rows have the key {key:?}")));
            }
            self.0.put(row);
        }
        Ok(self.0)
    }
}
