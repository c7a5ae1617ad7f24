//! How events look on the wire.

mod decode;
mod encode;
mod headers;

pub(crate) use self::decode::{Decoded, Decoder};
pub(crate) use self::encode::{Outgoing, event_headers};
pub(crate) use self::headers::header;
