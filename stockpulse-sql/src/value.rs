//! Values on their way into a database, and cells on their way out.

use uuid::Uuid;

use crate::failure::Failure;

/// A value that is bound or written.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Null,
    Int(i64),
    Bool(bool),
    Id(Uuid),
    Text(String),
    Bytes(Vec<u8>),
}

impl From<i64> for Value {
    fn from(int: i64) -> Self {
        Self::Int(int)
    }
}

impl From<u64> for Value {
    fn from(int: u64) -> Self {
        // Versions and offsets count from 1 by ones: 2^63 is never reached.
        Self::Int(int.cast_signed())
    }
}

impl From<u8> for Value {
    fn from(code: u8) -> Self {
        Self::Int(i64::from(code))
    }
}

impl From<u32> for Value {
    fn from(int: u32) -> Self {
        Self::Int(i64::from(int))
    }
}

impl From<u16> for Value {
    fn from(int: u16) -> Self {
        Self::Int(i64::from(int))
    }
}

impl From<bool> for Value {
    fn from(bool: bool) -> Self {
        Self::Bool(bool)
    }
}

impl From<Uuid> for Value {
    fn from(id: Uuid) -> Self {
        Self::Id(id)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// A row of an answer. Columns are numbered as they were asked for.
pub trait Cells: Send {
    /// An integer of any width, or a truth value.
    fn maybe_int(&self, column: usize) -> Result<Option<i64>, Failure>;
    fn maybe_id(&self, column: usize) -> Result<Option<Uuid>, Failure>;
    fn maybe_text(&self, column: usize) -> Result<Option<String>, Failure>;
    fn maybe_bytes(&self, column: usize) -> Result<Option<Vec<u8>>, Failure>;

    fn int(&self, column: usize) -> Result<i64, Failure> {
        self.maybe_int(column)?.ok_or_else(|| missing(column))
    }

    /// A count, version or offset: never negative.
    fn count(&self, column: usize) -> Result<u64, Failure> {
        u64::try_from(self.int(column)?).map_err(|_| Failure::corrupt(format!("column {column} is negative")))
    }

    fn bool(&self, column: usize) -> Result<bool, Failure> {
        Ok(self.int(column)? != 0)
    }

    fn id(&self, column: usize) -> Result<Uuid, Failure> {
        self.maybe_id(column)?.ok_or_else(|| missing(column))
    }

    fn text(&self, column: usize) -> Result<String, Failure> {
        self.maybe_text(column)?.ok_or_else(|| missing(column))
    }

    fn bytes(&self, column: usize) -> Result<Vec<u8>, Failure> {
        self.maybe_bytes(column)?.ok_or_else(|| missing(column))
    }
}

fn missing(column: usize) -> Failure {
    Failure::corrupt(format!("column {column} is NULL"))
}
