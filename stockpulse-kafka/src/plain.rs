//! Topics that other systems write: plain JSON, without the headers of CloudEvents.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use compact_str::{CompactString, format_compact};
use serde_json::Value;
use stockpulse_core::model::{Envelope, EventId, EventType, Timestamp, TopicMap, derive};
use uuid::Uuid;

/// A record of plain JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlainRecord<'a> {
    /// The topic, in full.
    pub topic: &'a str,
    /// The partition.
    pub partition: i32,
    /// The place in it.
    pub offset: i64,
    /// When it was published, as the record says.
    pub at: Timestamp,
    /// The record's key as text, empty if it has none.
    pub key: &'a str,
    /// The JSON document.
    pub data: &'a Bytes,
}

/// Turns another system's document into the one of an event type. The answer's error is the reason to put it aside.
pub type Translate = dyn Fn(&Value) -> Result<Bytes, String> + Send + Sync;

/// How a topic of plain JSON is read. A record on it becomes an envelope
///
/// - of `event_type`, or of the type that a field of the document names;
/// - with an id that is the same whenever the record comes again: from a field of the document if one is named, or from
///   topic, partition and offset;
/// - with the record's key, time and offset as partition key, time and sequence;
/// - with the document as it is, or translated.
///
/// Publishing needs nothing of the kind. An event's record holds its JSON document as value and its key as key, and who
/// does not know the `ce_` headers does not see them. A record that has them is read by them on these topics too.
#[derive(Clone)]
pub struct PlainTopic {
    event_type: EventType,
    type_field: Option<(String, Vec<(String, EventType)>)>,
    id_field: Option<String>,
    key_field: Option<String>,
    translate: Option<Arc<Translate>>,
}

impl PlainTopic {
    /// A topic on which every record is of this type.
    #[must_use]
    pub fn new(event_type: EventType) -> Self {
        Self { event_type, type_field: None, id_field: None, key_field: None, translate: None }
    }

    /// The topics of a map that carry one event type, and how to read them. A topic that carries several is not among
    /// them: what its records are, only a field can say.
    #[must_use]
    pub fn of(topics: &TopicMap) -> Vec<(String, Self)> {
        let names = topics.topics(EventType::ALL);
        let single = names.into_iter().filter_map(|name| {
            let mut types = EventType::ALL.iter().filter(|known| topics.topic(**known) == name);
            match (types.next(), types.next()) {
                (Some(only), None) => Some((name.to_owned(), Self::new(*only))),
                _ => None,
            }
        });
        single.collect()
    }

    /// Reads the type from a field of the document, by what stands in it; anything else is of the topic's own type.
    #[must_use]
    pub fn with_type_field<V: Into<String>>(
        mut self,
        field: impl Into<String>,
        values: impl IntoIterator<Item = (V, EventType)>,
    ) -> Self {
        self.type_field =
            Some((field.into(), values.into_iter().map(|(value, known)| (value.into(), known)).collect()));
        self
    }

    /// Takes the event's identity from a field of the document. What the other system publishes twice is then known to be
    /// the same. The id belongs to the event, not to what it is about: an order's id will not do where an order has several
    /// events on one topic.
    #[must_use]
    pub fn with_id_field(mut self, field: impl Into<String>) -> Self {
        self.id_field = Some(field.into());
        self
    }

    /// Takes the partition key from a field of the document, for records that have no key.
    #[must_use]
    pub fn with_key_field(mut self, field: impl Into<String>) -> Self {
        self.key_field = Some(field.into());
        self
    }

    /// Translates documents into those of StockPulse's type.
    #[must_use]
    pub fn with_translation(
        mut self,
        translate: impl Fn(&Value) -> Result<Bytes, String> + Send + Sync + 'static,
    ) -> Self {
        self.translate = Some(Arc::new(translate));
        self
    }

    /// Reads a record.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub fn read(&self, record: &PlainRecord<'_>) -> Result<Envelope, String> {
        let document: Value = serde_json::from_slice(record.data).map_err(|error| format!("not JSON: {error}"))?;
        let event_type = self.event_type(&document);
        let partition_key = match &self.key_field {
            Some(field) if record.key.is_empty() => field_text(&document, field)?.into(),
            _ => CompactString::from(record.key),
        };
        let data = match &self.translate {
            Some(translate) => translate(&document)?,
            None => record.data.clone(),
        };
        Ok(Envelope {
            id: self.id(&document, record)?,
            source: format_compact!("/kafka/{}", record.topic),
            type_name: CompactString::const_new(event_type.cloud_event_type()),
            subject: partition_key.clone(),
            time: record.at,
            partition_key,
            sequence: u64::try_from(record.offset).unwrap_or(0),
            trace: None,
            data,
        })
    }

    fn event_type(&self, document: &Value) -> EventType {
        let named = self.type_field.as_ref().and_then(|(field, values)| {
            let written = document.get(field)?.as_str()?;
            values.iter().find(|(value, _)| value == written).map(|(_, known)| *known)
        });
        named.unwrap_or(self.event_type)
    }

    fn id(&self, document: &Value, record: &PlainRecord<'_>) -> Result<EventId, String> {
        let topic = record.topic;
        let Some(field) = &self.id_field else {
            let domain = format!("kafka:{topic}/{}", record.partition);
            // With the record's time in front, as ids of version 7 have it, they are inserted in order.
            let from = Uuid::from_u128(u128::try_from(record.at.as_micros() / 1_000).unwrap_or(0) << 80);
            return Ok(EventId::new(derive(from, &domain, u64::try_from(record.offset).unwrap_or(0))));
        };
        let written = field_text(document, field)?;
        let derived = |_| derive(Uuid::nil(), &format!("kafka:{topic}:{field}:{written}"), 0);
        Ok(EventId::new(Uuid::parse_str(&written).unwrap_or_else(derived)))
    }
}

/// A field as text; numbers are written out.
fn field_text(document: &Value, field: &str) -> Result<String, String> {
    match document.get(field) {
        Some(Value::String(text)) if !text.is_empty() => Ok(text.clone()),
        Some(Value::Number(number)) => Ok(number.to_string()),
        _ => Err(format!("no field '{field}'")),
    }
}

impl PartialEq for PlainTopic {
    fn eq(&self, other: &Self) -> bool {
        let translate = match (&self.translate, &other.translate) {
            (None, None) => true,
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            _ => false,
        };
        let rest = |plain: &Self| {
            (plain.event_type, plain.type_field.clone(), plain.id_field.clone(), plain.key_field.clone())
        };
        translate && rest(self) == rest(other)
    }
}

impl fmt::Debug for PlainTopic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { event_type, type_field, id_field, key_field, translate } = self;
        f.debug_struct("PlainTopic")
            .field("event_type", event_type)
            .field("type_field", type_field)
            .field("id_field", id_field)
            .field("key_field", key_field)
            .field("translates", &translate.is_some())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(data: &Bytes, offset: i64, at: i64) -> PlainRecord<'_> {
        PlainRecord { topic: "order-created", partition: 2, offset, at: Timestamp::from_secs(at), key: "7", data }
    }

    #[test]
    fn an_id_is_the_same_whenever_the_record_comes_again_and_no_other_has_it() {
        let data = Bytes::from_static(b"{\"n\":1}");
        let plain = PlainTopic::new(EventType::OrderPlaced);
        let id = |offset| plain.read(&record(&data, offset, 1_700_000_000)).unwrap().id;
        assert_eq!(id(5), id(5));
        assert_ne!(id(5), id(6));
        assert_eq!(id(5).as_uuid().get_version_num(), 7);
    }

    #[test]
    fn an_id_may_be_a_field_whatever_the_place_and_the_time() {
        let plain = PlainTopic::new(EventType::OrderPlaced).with_id_field("event");
        let id = |data: &'static str, offset| plain.read(&record(&Bytes::from_static(data.as_bytes()), offset, offset));
        let uuid = "{\"event\":\"019b0000-0000-7000-8000-000000000001\"}";
        assert_eq!(id(uuid, 1).unwrap().id.to_string(), "019b0000-0000-7000-8000-000000000001");
        assert_eq!(id("{\"event\":17}", 1).unwrap().id, id("{\"event\":17}", 2).unwrap().id);
        assert_ne!(id("{\"event\":17}", 1).unwrap().id, id("{\"event\":18}", 1).unwrap().id);
        assert_eq!(id("{}", 1).unwrap_err(), "no field 'event'");
    }

    #[test]
    fn a_field_may_name_the_type() {
        let values = [("cancelled", EventType::OrderCancelled), ("shipped", EventType::OrderShipped)];
        let plain = PlainTopic::new(EventType::OrderUpdated).with_type_field("status", values);
        let read = |data: &'static str| {
            plain.read(&record(&Bytes::from_static(data.as_bytes()), 1, 1)).unwrap().event_type().unwrap()
        };
        assert_eq!(read("{\"status\":\"shipped\"}"), EventType::OrderShipped);
        assert_eq!(read("{\"status\":\"other\"}"), EventType::OrderUpdated);
        assert_eq!(read("{}"), EventType::OrderUpdated);
    }

    #[test]
    fn the_plain_topics_of_a_preset_are_those_of_one_type() {
        let names =
            |topics: &TopicMap| -> Vec<String> { PlainTopic::of(topics).into_iter().map(|(name, _)| name).collect() };
        let dashed = names(&TopicMap::dashed());
        assert!(dashed.contains(&"order-created".to_owned()) && dashed.contains(&"stock-updated".to_owned()));
        let underscored = names(&TopicMap::underscored());
        assert!(underscored.contains(&"order_placed".to_owned()) && !underscored.contains(&"out_of_stock".to_owned()));
        let few = names(&TopicMap::created_updated());
        assert!(few.contains(&"order.created".to_owned()) && !few.contains(&"inventory.updated".to_owned()));
    }
}
