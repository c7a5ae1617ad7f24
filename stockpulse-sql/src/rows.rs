//! What the rows of all stores have in common.

use std::collections::HashMap;
use std::hash::Hash;

use serde::Serialize;
use stockpulse_core::{Error, Result};

use crate::failure::Failure;
use crate::value::{Cells, Value};

/// A limit as it is bound.
pub(crate) fn bound(limit: usize) -> Value {
    Value::Int(i64::try_from(limit).unwrap_or(i64::MAX))
}

/// Keys in order, each once.
pub(crate) fn sorted<K: Ord + Clone>(keys: &[K]) -> Vec<K> {
    let mut sorted = keys.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    sorted
}

/// For each key what was found for it.
pub(crate) fn aligned<K: Eq + Hash, T: Clone>(keys: &[K], found: Vec<T>, key: impl Fn(&T) -> K) -> Vec<Option<T>> {
    let found: HashMap<K, T> = found.into_iter().map(|item| (key(&item), item)).collect();
    keys.iter().map(|key| found.get(key).cloned()).collect()
}

/// A stored number that stands for a state.
pub(crate) fn code<T>(
    row: &impl Cells,
    column: usize,
    what: &str,
    read: impl Fn(u8) -> Option<T>,
) -> Result<T, Failure> {
    let code = row.int(column)?;
    let known = u8::try_from(code).ok().and_then(read);
    known.ok_or_else(|| Failure::corrupt(format!("{code} is no {what}")))
}

/// A value as JSON text.
pub(crate) fn json<T: Serialize + ?Sized>(value: &T) -> Result<Value> {
    let text = serde_json::to_string(value);
    text.map(Value::Text).map_err(|error| Error::corrupt("a value cannot be written as JSON").with_source(error))
}
