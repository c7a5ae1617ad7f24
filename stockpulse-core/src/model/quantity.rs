//! Quantities: non-negative integers in a product's smallest unit.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// How many units of something: a non-negative integer in the product's smallest unit.
///
/// A product sold by weight declares a decimal scale ([`Scale`]); its quantities are then thousandths, say.
/// The largest quantity is 2⁵³ − 1, which JSON can carry exactly. All arithmetic is checked.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct Quantity(i64);

impl Quantity {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// One unit.
    pub const ONE: Self = Self(1);
    /// The largest quantity, 2⁵³ − 1. As a limit it means "no limit".
    pub const MAX: Self = Self((1 << 53) - 1);

    /// Makes a quantity.
    ///
    /// # Errors
    /// `InvalidInput` when `units` is negative or above [`Quantity::MAX`].
    pub fn new(units: i64) -> Result<Self> {
        if (0..=Self::MAX.0).contains(&units) {
            Ok(Self(units))
        } else {
            Err(Error::invalid(format!("quantity {units} is not in 0..={}", Self::MAX.0)))
        }
    }

    /// The units as a plain integer, never negative.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    /// Clamps any integer into the range of quantities.
    #[must_use]
    pub const fn saturating_from(units: i64) -> Self {
        if units < 0 {
            Self(0)
        } else if units > Self::MAX.0 {
            Self::MAX
        } else {
            Self(units)
        }
    }

    /// Whether this is nothing.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// Whether this, read as a limit, means "no limit".
    #[must_use]
    pub const fn is_unlimited(self) -> bool {
        self.0 == Self::MAX.0
    }

    /// The sum, or `None` above [`Quantity::MAX`].
    #[must_use]
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        let sum = self.0 + other.0;
        if sum > Self::MAX.0 { None } else { Some(Self(sum)) }
    }

    /// The difference, or `None` below zero.
    #[must_use]
    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        if other.0 > self.0 { None } else { Some(Self(self.0 - other.0)) }
    }

    /// The product, or `None` above [`Quantity::MAX`].
    #[must_use]
    pub const fn checked_mul(self, factor: Self) -> Option<Self> {
        match self.0.checked_mul(factor.0) {
            Some(product) if product <= Self::MAX.0 => Some(Self(product)),
            _ => None,
        }
    }

    /// The difference, zero at least.
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        if other.0 > self.0 { Self(0) } else { Self(self.0 - other.0) }
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<u32> for Quantity {
    fn from(units: u32) -> Self {
        Self(i64::from(units))
    }
}

impl TryFrom<i64> for Quantity {
    type Error = Error;

    fn try_from(units: i64) -> Result<Self> {
        Self::new(units)
    }
}

impl From<Quantity> for i64 {
    fn from(quantity: Quantity) -> Self {
        quantity.0
    }
}

/// How many decimal places a product's quantities have: 0 for pieces, 3 for kilograms counted in grams.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct Scale(u8);

impl Scale {
    /// Whole pieces.
    pub const PIECES: Self = Self(0);

    /// Makes a scale of at most nine decimal places.
    ///
    /// # Errors
    /// `InvalidInput` above nine.
    pub fn new(decimals: u8) -> Result<Self> {
        if decimals <= 9 { Ok(Self(decimals)) } else { Err(Error::invalid(format!("scale {decimals} is above 9"))) }
    }

    /// Decimal places.
    #[must_use]
    pub const fn decimals(self) -> u8 {
        self.0
    }

    /// Reads a decimal number such as `1.25` as a quantity in the smallest unit.
    ///
    /// # Errors
    /// `InvalidInput` when it is no plain decimal number, has more places than the scale, or is too large.
    pub fn parse(self, text: &str) -> Result<Quantity> {
        let bad = || Error::invalid(format!("'{text}' is no quantity with at most {} decimals", self.0));
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let places = usize::from(self.0);
        if whole.is_empty() || !digits(whole) || !digits(fraction) || fraction.len() > places || text.ends_with('.') {
            return Err(bad());
        }
        let padded = format!("{whole}{fraction:0<places$}");
        padded.parse::<i64>().ok().and_then(|units| Quantity::new(units).ok()).ok_or_else(bad)
    }

    /// Writes a quantity as a decimal number in the product's unit.
    #[must_use]
    pub fn format(self, quantity: Quantity) -> String {
        let places = usize::from(self.0);
        if places == 0 {
            return quantity.to_string();
        }
        let digits = format!("{:0>width$}", quantity.get(), width = places + 1);
        let (whole, fraction) = digits.split_at(digits.len() - places);
        format!("{whole}.{fraction}")
    }
}

impl TryFrom<u8> for Scale {
    type Error = Error;

    fn try_from(decimals: u8) -> Result<Self> {
        Self::new(decimals)
    }
}

impl From<Scale> for u8 {
    fn from(scale: Scale) -> Self {
        scale.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantity_is_never_negative_nor_beyond_json() {
        assert!(Quantity::new(-1).is_err());
        assert!(Quantity::new(1 << 53).is_err());
        assert_eq!(Quantity::new((1 << 53) - 1).unwrap(), Quantity::MAX);
        assert!(serde_json::from_str::<Quantity>("-1").is_err());
    }

    #[test]
    fn arithmetic_is_checked() {
        assert_eq!(Quantity::MAX.checked_add(Quantity::ONE), None);
        assert_eq!(Quantity::ZERO.checked_sub(Quantity::ONE), None);
        assert_eq!(Quantity::MAX.checked_mul(2.into()), None);
        assert_eq!(Quantity::from(2).saturating_sub(3.into()), Quantity::ZERO);
    }

    #[test]
    fn scaled_quantities_read_and_write_exactly() {
        let kilograms = Scale::new(3).unwrap();
        assert_eq!(kilograms.parse("1.25").unwrap(), Quantity::from(1250));
        assert_eq!(kilograms.format(Quantity::from(50)), "0.050");
        assert_eq!(Scale::PIECES.format(Quantity::from(50)), "50");
        for wrong in ["", ".", "1.", ".5", "-1", "1.2345", "1e3", " 1", "99999999999999"] {
            assert!(kilograms.parse(wrong).is_err(), "{wrong:?} was read");
        }
    }
}
