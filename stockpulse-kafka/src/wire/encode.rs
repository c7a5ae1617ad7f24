//! From envelopes to records: CloudEvents 1.0 in binary mode.

use rdkafka::message::OwnedHeaders;
use stockpulse_core::model::{Envelope, EventType};

use super::headers::{
    CONTENT_TYPE, DATA_SCHEMA, ID, PARTITION_KEY, SEQUENCE, SOURCE, SPEC_VERSION, SUBJECT, TIME, TRACE_PARENT, TYPE,
    with,
};

/// A record on its way to a broker.
pub(crate) struct Outgoing<'a> {
    pub(crate) topic: &'a str,
    pub(crate) key: Option<&'a [u8]>,
    pub(crate) value: Option<&'a [u8]>,
    pub(crate) headers: OwnedHeaders,
}

impl<'a> Outgoing<'a> {
    /// An event on its way to a topic. Clients that know nothing of CloudEvents see a JSON document and a text as key.
    pub(crate) fn event(topic: &'a str, envelope: &'a Envelope) -> Self {
        // An empty key is a key, too: without one, partitions are chosen by chance.
        let key = Some(envelope.partition_key.as_bytes());
        Self { topic, key, value: Some(&envelope.data), headers: event_headers(envelope) }
    }

    /// KiB that it counts for.
    pub(crate) fn kib(&self) -> u32 {
        let bytes = self.key.map_or(0, <[u8]>::len) + self.value.map_or(0, <[u8]>::len);
        u32::try_from(bytes / 1024).unwrap_or(u32::MAX).saturating_add(1)
    }
}

/// The attributes of an envelope. The key may be cut or changed by others on the way, so it is an attribute as well.
pub(crate) fn event_headers(envelope: &Envelope) -> OwnedHeaders {
    let mut headers = OwnedHeaders::new_with_capacity(11);
    headers = with(headers, SPEC_VERSION, b"1.0");
    headers = with(headers, ID, envelope.id.to_string().as_bytes());
    headers = with(headers, SOURCE, envelope.source.as_bytes());
    headers = with(headers, TYPE, envelope.type_name.as_bytes());
    headers = with(headers, SUBJECT, envelope.subject.as_bytes());
    headers = with(headers, TIME, envelope.time.to_string().as_bytes());
    headers = with(headers, PARTITION_KEY, envelope.partition_key.as_bytes());
    headers = with(headers, SEQUENCE, envelope.sequence_text().as_bytes());
    headers = with(headers, CONTENT_TYPE, b"application/json");
    if let Ok(known) = envelope.event_type() {
        headers = with(headers, DATA_SCHEMA, schema(known).as_bytes());
    }
    match &envelope.trace {
        Some(trace) => with(headers, TRACE_PARENT, trace.header().as_bytes()),
        None => headers,
    }
}

/// The name of a document's schema; the type's version is the schema's.
fn schema(event_type: EventType) -> String {
    format!("urn:stockpulse:{event_type}:v1")
}
