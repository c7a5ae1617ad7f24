//! A dead letter.

use std::fmt;

use bytes::Bytes;
use rdkafka::message::{Headers, Message, OwnedHeaders};
use stockpulse_core::model::Timestamp;

use crate::aside::{BODY_OMITTED, GROUP, KEY, Origin, PREFIX, REASON, find};
use crate::wire::header;

/// Names a dead letter within its topic: the record's topic, partition, offset and time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeadLetterId(String);

impl DeadLetterId {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for DeadLetterId {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Display for DeadLetterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A record that a group put aside.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeadLetter {
    /// Its name.
    pub id: DeadLetterId,
    /// The topic that it was published to.
    pub topic: String,
    /// The partition there.
    pub partition: i32,
    /// The offset there.
    pub offset: i64,
    /// When it was published there, if the record says so.
    pub at: Option<Timestamp>,
    /// The group that put it aside.
    pub group: String,
    /// Why.
    pub reason: String,
    /// The record's key.
    pub key: Option<Bytes>,
    /// The record's body.
    pub value: Bytes,
    /// Whether the body was too large to be kept. It may still lie where the record was published.
    pub body_omitted: bool,
    /// The record's own headers.
    pub headers: Vec<(String, Option<Bytes>)>,
}

impl DeadLetter {
    /// Reads a letter; `None` for a record that is none.
    pub(super) fn read(id: &str, record: &impl Message) -> Option<Self> {
        let headers = record.headers()?;
        let Origin { topic, partition, offset, timestamp } = Origin::read(headers)?;
        let bytes = |value: Option<&[u8]>| value.map(Bytes::copy_from_slice);
        let own = headers.iter().filter(|header| !header.key.starts_with(PREFIX));
        Some(Self {
            id: DeadLetterId(id.to_owned()),
            topic: topic.to_string(),
            partition,
            offset,
            at: timestamp.map(|millis| Timestamp::from_micros(millis.saturating_mul(1_000))),
            group: find(headers, GROUP)?,
            reason: find(headers, REASON).unwrap_or_default(),
            key: headers.iter().find(|header| header.key == KEY).and_then(|header| bytes(header.value)),
            value: bytes(record.payload()).unwrap_or_default(),
            body_omitted: headers.iter().any(|header| header.key == BODY_OMITTED),
            headers: own.map(|header| (header.key.to_owned(), bytes(header.value))).collect(),
        })
    }

    /// The headers that the record had.
    pub(super) fn own_headers(&self) -> OwnedHeaders {
        let valued = self.headers.iter().filter_map(|(key, value)| Some((key, value.as_ref()?)));
        valued.fold(OwnedHeaders::new(), |headers, (key, value)| header(headers, key, value))
    }
}
