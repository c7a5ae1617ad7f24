//! From records to envelopes.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use compact_str::CompactString;
use rdkafka::Message;
use serde::de::IgnoredAny;
use stockpulse_core::model::{Envelope, EventId, EventType, Timestamp, TraceContext, derive};
use uuid::Uuid;

use super::headers::Fields;
use crate::plain::{PlainRecord, PlainTopic};

/// Where a record lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place<'a> {
    pub(crate) topic: &'a str,
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    /// Milliseconds since the epoch, if known.
    pub(crate) timestamp: Option<i64>,
}

/// What a record is.
#[derive(Debug)]
pub(crate) enum Decoded {
    /// An event that is wanted.
    Event(Envelope),
    /// An event of another type.
    Other,
    /// None that can be read, and why.
    Foreign(String),
}

/// Reads records for one subscription.
#[derive(Debug)]
pub(crate) struct Decoder {
    /// Wanted types by both of their names.
    wanted: HashMap<&'static str, EventType>,
    /// `order.placed` and so on, to tell another version of what is wanted from what is not.
    plain: BTreeMap<String, PlainTopic>,
    max_event_bytes: usize,
}

impl Decoder {
    /// A reader of these types. `plain` names topics in full.
    pub(crate) fn new(types: &[EventType], plain: BTreeMap<String, PlainTopic>, max_event_bytes: usize) -> Self {
        let wanted = types.iter().flat_map(|known| [(known.cloud_event_type(), *known), (known.name(), *known)]);
        Self { wanted: wanted.collect(), plain, max_event_bytes }
    }

    /// Reads a record. `topic` is the one that it was first published to, which a retry topic's name does not say.
    pub(crate) fn decode<M: Message>(&self, record: &M, topic: &str) -> Decoded {
        let fields = Fields::read(record.headers());
        let place = Place {
            topic,
            partition: record.partition(),
            offset: record.offset(),
            timestamp: record.timestamp().to_millis(),
        };
        let decoded = match (fields.type_name, self.plain.get(topic)) {
            (None, Some(plain)) => self.plain(plain, record, &place),
            (None, None) => Err("no ce_type header: not a CloudEvent in binary mode".to_owned()),
            (Some(type_name), _) => self.cloud_event(type_name, &fields, record, &place),
        };
        match decoded {
            Ok(Some(envelope)) => Decoded::Event(envelope),
            Ok(None) => Decoded::Other,
            Err(reason) => Decoded::Foreign(reason),
        }
    }

    fn cloud_event<M: Message>(
        &self,
        type_name: &[u8],
        fields: &Fields<'_>,
        record: &M,
        place: &Place<'_>,
    ) -> Result<Option<Envelope>, String> {
        let type_name = text("ce_type", type_name)?;
        let Some(known) = self.wanted.get(type_name) else {
            return match self.other_version(type_name) {
                true => Err(format!("another version of a known type: {type_name}")),
                false => Ok(None),
            };
        };
        match fields.spec_version {
            Some(b"1.0") => {}
            other => return Err(format!("ce_specversion is {}", shown(other))),
        }
        if fields.content_type.is_some_and(|kind| !is_json(kind)) {
            return Err(format!("content-type is {}", shown(fields.content_type)));
        }
        let data = self.document(record.payload())?;
        let key = key(record.key());
        let source = text("ce_source", fields.source.ok_or("no ce_source header")?)?;
        let id = text("ce_id", fields.id.ok_or("no ce_id header")?)?;
        let optional = |name, value: Option<&[u8]>, otherwise: &str| -> Result<CompactString, String> {
            Ok(CompactString::from(value.map_or(Ok(otherwise), |value| text(name, value))?))
        };
        Ok(Some(Envelope {
            id: event_id(id, source),
            source: source.into(),
            type_name: if type_name == known.cloud_event_type() {
                CompactString::const_new(known.cloud_event_type())
            } else {
                type_name.into()
            },
            subject: optional("ce_subject", fields.subject, &key)?,
            time: time(fields.time, place)?,
            partition_key: optional("ce_partitionkey", fields.partition_key, &key)?,
            sequence: sequence(fields.sequence, place)?,
            trace: fields.trace_parent.and_then(trace),
            data,
        }))
    }

    fn plain<M: Message>(&self, plain: &PlainTopic, record: &M, place: &Place<'_>) -> Result<Option<Envelope>, String> {
        let data = self.document(record.payload())?;
        let record = PlainRecord {
            topic: place.topic,
            partition: place.partition,
            offset: place.offset,
            at: millis(place.timestamp),
            key: &key(record.key()),
            data: &data,
        };
        let envelope = plain.read(&record)?;
        let wanted = envelope.event_type().is_ok_and(|known| self.wanted.contains_key(known.name()));
        Ok(wanted.then_some(envelope))
    }

    /// The body, if it is a JSON document of a size that can be handled.
    fn document(&self, payload: Option<&[u8]>) -> Result<Bytes, String> {
        let payload = payload.ok_or("no body")?;
        if payload.len() > self.max_event_bytes {
            return Err(format!("a body of {} bytes, and {} are the most", payload.len(), self.max_event_bytes));
        }
        serde_json::from_slice::<IgnoredAny>(payload).map_err(|error| format!("not JSON: {error}"))?;
        Ok(Bytes::copy_from_slice(payload))
    }

    /// Whether this is a wanted type but for its version: `com.stockpulse.order.placed.v2`.
    fn other_version(&self, type_name: &str) -> bool {
        let named = type_name.strip_prefix("com.stockpulse.").and_then(|name| name.rsplit_once(".v"));
        named.is_some_and(|(name, version)| {
            self.wanted.contains_key(name) && version.chars().all(|digit| digit.is_ascii_digit())
        })
    }
}

/// The event's identity. Those of StockPulse are UUIDs; any other is derived from source and id, which together name a
/// CloudEvent.
fn event_id(id: &str, source: &str) -> EventId {
    let named = |_| derive(Uuid::nil(), &format!("cloudevent:{source}:{id}"), 0);
    EventId::new(Uuid::parse_str(id).unwrap_or_else(named))
}

fn text<'a>(name: &str, value: &'a [u8]) -> Result<&'a str, String> {
    std::str::from_utf8(value).map_err(|_| format!("{name} is not UTF-8"))
}

fn key(key: Option<&[u8]>) -> Cow<'_, str> {
    String::from_utf8_lossy(key.unwrap_or_default())
}

fn is_json(content_type: &[u8]) -> bool {
    // As nearly everybody writes it.
    if content_type == b"application/json" {
        return true;
    }
    let kind = String::from_utf8_lossy(content_type).to_ascii_lowercase();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    kind == "application/json" || (kind.ends_with("+json") && !kind.starts_with("application/cloudevents"))
}

fn shown(value: Option<&[u8]>) -> String {
    value.map_or_else(|| "missing".to_owned(), |value| format!("'{}'", String::from_utf8_lossy(value)))
}

fn millis(timestamp: Option<i64>) -> Timestamp {
    Timestamp::from_micros(timestamp.unwrap_or(0).saturating_mul(1_000))
}

fn time(header: Option<&[u8]>, place: &Place<'_>) -> Result<Timestamp, String> {
    let Some(header) = header else { return Ok(millis(place.timestamp)) };
    let written = text("ce_time", header)?;
    let time: jiff::Timestamp = written.parse().map_err(|error| format!("ce_time is '{written}': {error}"))?;
    Ok(Timestamp::from_micros(time.as_microsecond()))
}

/// An event without a sequence gets its offset: it grows with each event of a key.
fn sequence(header: Option<&[u8]>, place: &Place<'_>) -> Result<u64, String> {
    let Some(header) = header else { return Ok(u64::try_from(place.offset).unwrap_or(0)) };
    let written = text("ce_sequence", header)?;
    written.parse().map_err(|_| format!("ce_sequence is '{written}'"))
}

fn trace(header: &[u8]) -> Option<TraceContext> {
    TraceContext::parse(std::str::from_utf8(header).ok()?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rdkafka::message::{OwnedMessage, Timestamp as RecordTime};

    use super::*;
    use crate::wire::event_headers;

    fn record(envelope: &Envelope) -> OwnedMessage {
        OwnedMessage::new(
            Some(envelope.data.to_vec()),
            Some(envelope.partition_key.as_bytes().to_vec()),
            "orders".to_owned(),
            RecordTime::CreateTime(7),
            3,
            42,
            Some(event_headers(envelope)),
        )
    }

    fn decoder(types: &[EventType]) -> Decoder {
        Decoder::new(types, BTreeMap::new(), 1_000)
    }

    prop_compose! {
        fn envelopes()(
            id in any::<u128>(), source in "/.{0,40}", key in ".{0,60}", subject in ".{0,60}",
            micros in 0..4_000_000_000_000_000_i64, sequence in any::<u64>(), sampled in any::<bool>(), text in ".{0,40}",
        ) -> Envelope {
            let trace = sampled.then_some(TraceContext { trace_id: [9; 16], span_id: [7; 8], flags: 1 });
            Envelope {
                id: EventId::from_u128(id),
                source: source.into(),
                type_name: EventType::StockUpdated.cloud_event_type().into(),
                subject: subject.into(),
                time: Timestamp::from_micros(micros),
                partition_key: key.into(),
                sequence,
                trace,
                data: serde_json::Value::from(text).to_string().into(),
            }
        }
    }

    proptest! {
        #[test]
        fn an_envelope_is_read_as_it_was_written(envelope in envelopes()) {
            let read = decoder(&[EventType::StockUpdated]).decode(&record(&envelope), "orders");
            match read {
                Decoded::Event(read) => prop_assert_eq!(read, envelope),
                other => prop_assert!(false, "{:?}", other),
            }
        }
    }

    #[test]
    fn only_another_version_of_what_is_wanted_is_foreign() {
        let decoder = decoder(&[EventType::OrderPlaced]);
        let with = |type_name: &str| {
            let envelope = Envelope {
                id: EventId::from_u128(1),
                source: "/tests".into(),
                type_name: type_name.into(),
                subject: "key".into(),
                time: Timestamp::from_secs(1),
                partition_key: "key".into(),
                sequence: 1,
                trace: None,
                data: Bytes::from_static(b"{}"),
            };
            decoder.decode(&record(&envelope), "orders")
        };
        assert!(matches!(with("com.stockpulse.order.placed.v1"), Decoded::Event(_)));
        assert!(matches!(with("order.placed"), Decoded::Event(_)));
        assert!(matches!(with("com.stockpulse.order.placed.v2"), Decoded::Foreign(_)));
        for other in ["com.stockpulse.order.cancelled.v2", "com.stockpulse.order.gifted.v1", "org.example.placed"] {
            assert!(matches!(with(other), Decoded::Other), "{other}");
        }
    }
}
