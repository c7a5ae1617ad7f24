//! Identifiers: UUIDv7 newtypes, and ids derived from other ids.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use siphasher::sip128::{Hasher128, SipHasher13};
use uuid::Uuid;

/// Derives a UUIDv7 from another UUID, a domain and a number.
///
/// The result keeps the first 48 bits of `from` (its millisecond timestamp), so that derived ids sort with
/// the ids they come from; the rest is SipHash-1-3 of the three inputs. The same inputs give the same id on
/// every machine, which is what makes a redelivered event the same command again.
#[must_use]
pub fn derive(from: Uuid, domain: &str, number: u64) -> Uuid {
    let mut hasher = SipHasher13::new_with_keys(0x5374_6f63_6b50_756c, 0x7365_2d69_6430_3031);
    hasher.write(from.as_bytes());
    hasher.write(domain.as_bytes());
    hasher.write(&number.to_le_bytes());
    let mut bytes = hasher.finish128().as_bytes();
    bytes[..6].copy_from_slice(&from.as_bytes()[..6]);
    bytes[6] = (bytes[6] & 0x0f) | 0x70;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    Uuid::from_bytes(bytes)
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl Hash for $name {
            fn hash<H: Hasher>(&self, state: &mut H) {
                // One number is hashed several times faster than sixteen bytes behind their length.
                state.write_u128(self.0.as_u128());
            }
        }

        impl $name {
            /// Wraps a UUID. Time-ordered ids (version 7) keep inserts at the end of an index.
            #[must_use]
            pub const fn new(id: Uuid) -> Self {
                Self(id)
            }

            /// The UUID itself.
            #[must_use]
            pub const fn as_uuid(&self) -> Uuid {
                self.0
            }

            /// A UUID made from a plain number, for tests and examples.
            #[must_use]
            pub const fn from_u128(id: u128) -> Self {
                Self(Uuid::from_u128(id))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    };
}

id! {
    /// Identifies one command. The same id is the same command: it is decided once, and asked again it gets
    /// the stored outcome.
    CommandId
}
id! {
    /// Identifies a reservation.
    ReservationId
}
id! {
    /// Identifies an order.
    OrderId
}
id! {
    /// Identifies a customer.
    CustomerId
}
id! {
    /// Identifies an event; derived from the command that caused it.
    EventId
}
id! {
    /// Identifies a notification; derived from the event it is about and the channel.
    NotificationId
}

impl OrderId {
    /// The reservation that an order's `attempt` at stock uses. The first attempt's reservation has the
    /// order's own UUID; later ones (a hold that was lost while a payment ran) are derived.
    #[must_use]
    pub fn reservation(&self, attempt: u32) -> ReservationId {
        match attempt {
            0 | 1 => ReservationId(self.0),
            n => ReservationId(derive(self.0, "reservation", u64::from(n))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn derived_ids_are_version_7_sort_with_their_source_and_differ() {
        let from = Uuid::from_u128(0x0193_0000_1234_7abc_8def_0123_4567_89ab);
        let one = derive(from, "event", 1);
        assert_eq!(one, derive(from, "event", 1));
        assert_ne!(one, derive(from, "event", 2));
        assert_ne!(one, derive(from, "order", 1));
        assert_eq!(one.get_version_num(), 7);
        assert_eq!(one.as_bytes()[..6], from.as_bytes()[..6]);
    }

    #[test]
    fn derivation_is_stable_across_releases() {
        let id = derive(Uuid::from_u128(1), "event", 1);
        assert_eq!(id.to_string(), include_str!("derived_id.golden").trim());
    }
}
