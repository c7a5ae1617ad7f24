//! What is sold and where it lies: [`Sku`], [`LocationId`] and the pair of both, [`StockKey`].

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $what:literal, $max:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "CompactString", into = "CompactString")]
        pub struct $name(CompactString);

        impl $name {
            /// The longest allowed, in bytes.
            pub const MAX_BYTES: usize = $max;

            /// Checks and wraps a text. It is kept byte for byte: case and blanks count.
            ///
            /// # Errors
            /// `InvalidInput` when it is empty, longer than [`Self::MAX_BYTES`], or holds a control character.
            pub fn new(text: impl AsRef<str>) -> Result<Self> {
                let text = text.as_ref();
                if text.is_empty() {
                    return Err(Error::invalid(concat!($what, " is empty")));
                }
                if text.len() > $max {
                    let length = text.len();
                    return Err(Error::invalid(format!(concat!($what, " of {} bytes is longer than {}"), length, $max)));
                }
                if text.chars().any(char::is_control) {
                    return Err(Error::invalid(format!(concat!($what, " {:?} holds a control character"), text)));
                }
                Ok(Self(CompactString::new(text)))
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", self.as_str())
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                self.as_str()
            }
        }

        impl FromStr for $name {
            type Err = Error;

            fn from_str(text: &str) -> Result<Self> {
                Self::new(text)
            }
        }

        impl TryFrom<&str> for $name {
            type Error = Error;

            fn try_from(text: &str) -> Result<Self> {
                Self::new(text)
            }
        }

        impl TryFrom<CompactString> for $name {
            type Error = Error;

            fn try_from(text: CompactString) -> Result<Self> {
                Self::new(text)
            }
        }

        impl From<$name> for CompactString {
            fn from(name: $name) -> Self {
                name.0
            }
        }
    };
}

name! {
    /// What is sold: a stock keeping unit. Case-sensitive, compared byte for byte on every backend; texts of up
    /// to 24 bytes live inline, without an allocation.
    Sku, "SKU", 255
}
name! {
    /// Where stock lies: a warehouse, a shop, a bin. [`LocationId::main`] unless named.
    LocationId, "location", 64
}

impl LocationId {
    /// The location `main`, which a shop with a single stock room uses throughout.
    #[must_use]
    pub const fn main() -> Self {
        Self(CompactString::const_new("main"))
    }
}

impl Default for LocationId {
    fn default() -> Self {
        Self::main()
    }
}

/// Names one stock level: a SKU at a location. Ordered by SKU, then location: the order in which rows are
/// locked.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct StockKey {
    /// What.
    pub sku: Sku,
    /// Where.
    pub location: LocationId,
}

impl StockKey {
    /// A SKU at a location.
    #[must_use]
    pub const fn new(sku: Sku, location: LocationId) -> Self {
        Self { sku, location }
    }

    /// A SKU at the location `main`.
    #[must_use]
    pub const fn main(sku: Sku) -> Self {
        Self::new(sku, LocationId::main())
    }
}

impl From<Sku> for StockKey {
    fn from(sku: Sku) -> Self {
        Self::main(sku)
    }
}

impl fmt::Display for StockKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.sku, self.location)
    }
}

impl fmt::Debug for StockKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skus_compare_byte_for_byte() {
        assert_ne!(Sku::new("85114a").unwrap(), Sku::new("85114A").unwrap());
        assert_ne!(Sku::new("85114A ").unwrap(), Sku::new("85114A").unwrap());
        assert!(Sku::new("B").unwrap() < Sku::new("a").unwrap());
    }

    #[test]
    fn bad_names_are_refused_with_a_reason() {
        assert_eq!(Sku::new("").unwrap_err().to_string(), "SKU is empty");
        assert!(Sku::new("a\nb").unwrap_err().to_string().contains("control character"));
        assert!(LocationId::new("x".repeat(65)).unwrap_err().to_string().contains("65 bytes"));
        assert!(serde_json::from_str::<Sku>("\"\"").is_err());
    }
}
