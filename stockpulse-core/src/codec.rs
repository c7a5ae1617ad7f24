//! The compact, versioned binary form of commands, outcomes and events.
//!
//! One version byte, then [postcard](https://postcard.jamesmunns.com/wire-format.html). Stores keep outcomes and
//! outbox rows in it; a journal of commands would too.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, ErrorKind, Result};

/// The version that is written. Every version up to it can be read.
pub const CODEC_VERSION: u8 = 1;

/// Writes a value.
///
/// # Errors
/// `Unexpected` if it cannot be written, which no value of this crate causes.
pub fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>> {
    postcard::to_extend(value, vec![CODEC_VERSION])
        .map_err(|error| Error::new(ErrorKind::Unexpected, "value cannot be written").with_source(error))
}

/// Reads a value.
///
/// # Errors
/// `Corrupt` when the bytes are of another version, are cut off, or hold something else.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    let (version, body) = bytes.split_first().ok_or_else(|| Error::corrupt("no bytes to read"))?;
    if *version != CODEC_VERSION {
        return Err(Error::corrupt(format!("written in version {version}; versions up to {CODEC_VERSION} are known")));
    }
    match postcard::take_from_bytes(body) {
        Ok((value, [])) => Ok(value),
        Ok((_, rest)) => Err(Error::corrupt(format!("{} bytes too many", rest.len()))),
        Err(error) => Err(Error::corrupt("unreadable bytes").with_source(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::stock::{Reserve, StockAction, StockCommand};
    use crate::model::{Command, CommandId, ReservationId, Sku, Timestamp};

    fn command() -> StockCommand {
        let reserve = Reserve::new(ReservationId::from_u128(2)).with_line(Sku::new("85123A").unwrap(), 6);
        Command::new(CommandId::from_u128(1), Timestamp::from_secs(1), StockAction::Reserve(reserve))
    }

    #[test]
    fn commands_round_trip() {
        let bytes = encode(&command()).unwrap();
        assert_eq!(decode::<StockCommand>(&bytes).unwrap(), command());
        assert!(bytes.len() < 100, "{} bytes", bytes.len());
    }

    #[test]
    fn damage_is_an_error_and_never_a_panic() {
        let bytes = encode(&command()).unwrap();
        assert!(decode::<StockCommand>(&[]).is_err());
        assert!(decode::<StockCommand>(&[2, 1]).unwrap_err().to_string().contains("version 2"));
        assert!(decode::<StockCommand>(&bytes[..bytes.len() - 1]).is_err());
        assert!(
            decode::<StockCommand>(&[bytes.as_slice(), &[0]].concat()).unwrap_err().to_string().contains("1 bytes")
        );
    }
}
