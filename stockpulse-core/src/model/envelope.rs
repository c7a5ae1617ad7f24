//! The envelope an event travels in: CloudEvents 1.0.

use bytes::Bytes;
use compact_str::CompactString;
use serde::{Deserialize, Serialize};

use super::command::TraceContext;
use super::event::{Event, EventData};
use super::event_type::EventType;
use super::id::EventId;
use super::time::Timestamp;
use crate::error::{Error, Result};

/// A CloudEvents 1.0 event, in the form every bus carries. On Kafka it is binary mode: the attributes are
/// `ce_` headers and `data` is the value.
///
/// It may be one that StockPulse does not know: `event_type` is text, and only [`Envelope::event_type`] reads it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// `id`: the event's identity, for the receiver's duplicate check.
    pub id: EventId,
    /// `source`: who published it, as `/stockpulse/inventory`.
    pub source: CompactString,
    /// `type`, as `com.stockpulse.order.placed.v1`.
    pub type_name: CompactString,
    /// `subject`: what it is about.
    pub subject: CompactString,
    /// `time`: when it happened.
    pub time: Timestamp,
    /// `partitionkey`: events with one key keep their order.
    pub partition_key: CompactString,
    /// `sequence`: the version of what it is about, written with leading zeros so that text order is its order.
    pub sequence: u64,
    /// `traceparent`.
    pub trace: Option<TraceContext>,
    /// The JSON document; never empty.
    pub data: Bytes,
}

impl Envelope {
    /// How long each of the type, the source, the subject and the partition key may be, in bytes.
    pub const MAX_ATTRIBUTE_BYTES: usize = 1_024;

    /// Puts an event into its envelope.
    ///
    /// # Errors
    /// `Unexpected` if the document cannot be written, which no value of this crate causes.
    pub fn seal(event: &Event, source: &str) -> Result<Self> {
        let key = CompactString::from(event.key().to_string());
        Ok(Self {
            id: event.id(),
            source: source.into(),
            type_name: CompactString::const_new(event.data.event_type().cloud_event_type()),
            subject: key.clone(),
            time: event.at,
            partition_key: key,
            sequence: event.sequence,
            trace: event.trace,
            data: event.data.to_json()?,
        })
    }

    /// The event's type, if it is one of StockPulse's.
    ///
    /// # Errors
    /// `InvalidInput` for an unknown type or another major version.
    pub fn event_type(&self) -> Result<EventType> {
        self.type_name.parse()
    }

    /// Reads what the event says.
    ///
    /// # Errors
    /// `InvalidInput` for an unknown type, `Corrupt` when the document does not fit its type.
    pub fn open(&self) -> Result<EventData> {
        EventData::from_json(self.event_type()?, &self.data).map_err(|error| error.during("envelope.open"))
    }

    /// The `sequence` attribute: 20 digits, so that comparing texts compares numbers.
    #[must_use]
    pub fn sequence_text(&self) -> String {
        format!("{:020}", self.sequence)
    }

    /// Checks what a publisher relies on.
    ///
    /// # Errors
    /// `InvalidInput` when the type, the source or the document is empty, the document is larger than `max_bytes`, or an
    /// attribute is longer than [`MAX_ATTRIBUTE_BYTES`](Self::MAX_ATTRIBUTE_BYTES) or contains a NUL.
    pub fn validate(&self, max_bytes: usize) -> Result<()> {
        let wrong = |what: String| Err(Error::invalid(format!("event {}: {what}", self.id)));
        if self.type_name.is_empty() || self.source.is_empty() {
            return wrong("type or source is empty".to_owned());
        }
        let Self { type_name, source, subject, partition_key, .. } = self;
        for (name, text) in
            [("type", type_name), ("source", source), ("subject", subject), ("partitionkey", partition_key)]
        {
            if text.len() > Self::MAX_ATTRIBUTE_BYTES {
                return wrong(format!("{name} is longer than {} bytes", Self::MAX_ATTRIBUTE_BYTES));
            }
            // PostgreSQL has no such text, and CloudEvents does not allow it.
            if text.contains('\0') {
                return wrong(format!("{name} contains a NUL"));
            }
        }
        match self.data.len() {
            0 => wrong("document is empty".to_owned()),
            size if size > max_bytes => wrong(format!("document of {size} bytes is larger than {max_bytes}")),
            _ => Ok(()),
        }
    }
}
