//! A price as it is written, in minor units, without a detour through binary fractions.

/// Why a text is no price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PriceError {
    /// Not a finite decimal number.
    NoNumber,
    /// Below zero.
    Negative,
}

/// Minor units (pence) of a decimal number such as `2.55`, `.5` or `1e-3`: exact, half a penny
/// rounds up, and what is too large for an `i64` is `i64::MAX`.
pub(super) fn minor_units(text: &[u8]) -> Result<i64, PriceError> {
    let (negative, text) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    let (mantissa, exponent) = match text.iter().position(|b| matches!(b, b'e' | b'E')) {
        Some(at) => (&text[..at], parse_exponent(&text[at + 1..])?),
        None => (text, 0),
    };
    let (whole, fraction) = match mantissa.iter().position(|b| *b == b'.') {
        Some(at) => (&mantissa[..at], &mantissa[at + 1..]),
        None => (mantissa, &[][..]),
    };
    let mut digits = whole.iter().chain(fraction);
    if (whole.is_empty() && fraction.is_empty()) || !digits.all(u8::is_ascii_digit) {
        return Err(PriceError::NoNumber);
    }
    if whole.iter().chain(fraction).all(|d| *d == b'0') {
        return Ok(0);
    }
    if negative {
        return Err(PriceError::Negative);
    }
    // How many of the digits stand before the point once the price is in minor units.
    let point = (i64::try_from(whole.len()).unwrap_or(i64::MAX)).saturating_add(exponent).saturating_add(2);
    Ok(round_at(whole.iter().chain(fraction), point))
}

/// The number made of the first `point` digits, zeros to the right as needed, rounded half up.
fn round_at<'a>(mut digits: impl Iterator<Item = &'a u8>, point: i64) -> i64 {
    if point < 0 {
        return 0;
    }
    let mut units: i64 = 0;
    for _ in 0..point {
        let digit = digits.next().map_or(0, |d| i64::from(d - b'0'));
        units = match units.checked_mul(10).and_then(|u| u.checked_add(digit)) {
            Some(units) => units,
            None => return i64::MAX,
        };
    }
    let up = digits.next().is_some_and(|d| *d >= b'5');
    units.saturating_add(i64::from(up))
}

fn parse_exponent(text: &[u8]) -> Result<i64, PriceError> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(PriceError::NoNumber);
    }
    let size = digits.iter().fold(0_i64, |n, d| n.saturating_mul(10).saturating_add(i64::from(d - b'0')));
    Ok(if negative { -size } else { size })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_become_pence_exactly() {
        for (text, pence) in [
            ("2.55", 255),
            ("0", 0),
            ("0.0", 0),
            ("7", 700),
            (".5", 50),
            ("5.", 500),
            ("+1.10", 110),
            ("-0.00", 0),
            ("0.001", 0),
            ("0.0049999", 0),
            ("0.005", 1),
            ("1.005", 101),
            ("9.995", 1000),
            ("000012.30", 1230),
            ("1e3", 100_000),
            ("12.345E-1", 123),
            ("5e-3", 1),
            ("5e-4", 0),
            ("5e-99999999999999999999", 0),
            ("0e99999999999999999999", 0),
            ("11062.06", 1_106_206),
            ("92233720368547758.07", i64::MAX),
            ("92233720368547758.06", i64::MAX - 1),
            ("92233720368547758.065", i64::MAX),
            ("92233720368547758.09", i64::MAX),
            ("1e400", i64::MAX),
            ("1e99999999999999999999", i64::MAX),
        ] {
            assert_eq!(minor_units(text.as_bytes()), Ok(pence), "{text}");
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in [
            "", ".", "-", "+", "free", "NaN", "inf", "-inf", "infinity", "1,50", "1.2.3", " 1", "1 ", "1_0", "0x10",
            "e5", "1e", "1e+", "1e1.5", "--1", "£2", "\u{663}",
        ] {
            assert_eq!(minor_units(text.as_bytes()), Err(PriceError::NoNumber), "{text}");
        }
        assert_eq!(minor_units(b"1\xFF"), Err(PriceError::NoNumber));
    }

    #[test]
    fn anything_below_zero_is_negative() {
        for text in ["-1", "-11062.06", "-0.001", "-1e-400", "-.5"] {
            assert_eq!(minor_units(text.as_bytes()), Err(PriceError::Negative), "{text}");
        }
    }
}
