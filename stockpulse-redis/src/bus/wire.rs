//! How events lie in a stream: the attributes of CloudEvents 1.0 as fields, and the document in `data`.

use std::collections::HashMap;

use bytes::Bytes;
use redis::Value;
use stockpulse_core::model::{Envelope, EventId, Timestamp, TraceContext};
use stockpulse_core::{Error, Result};
use uuid::Uuid;

use crate::lua::ScriptCall;

/// Adds an event to a call: how many texts follow, and names and values.
pub(super) fn add(envelope: &Envelope, call: &mut ScriptCall) {
    let trace = envelope.trace.map(|trace| trace.header());
    let attributes = [
        ("type", envelope.type_name.as_str()),
        ("specversion", "1.0"),
        ("id", &envelope.id.to_string()),
        ("source", &envelope.source),
        ("subject", &envelope.subject),
        ("time", &envelope.time.to_string()),
        ("partitionkey", &envelope.partition_key),
        ("sequence", &envelope.sequence_text()),
    ];
    let traced = trace.as_deref().map(|trace| ("traceparent", trace));
    let texts = 2 * (attributes.len() + usize::from(traced.is_some()) + 1);
    call.argument(texts.to_string());
    for (name, value) in attributes.into_iter().chain(traced) {
        call.argument(name);
        call.argument(value);
    }
    call.argument("data");
    call.argument(envelope.data.as_ref());
}

/// An entry of a stream.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) id: String,
    /// How often it was delivered to the group before.
    pub(super) deliveries: u32,
    fields: HashMap<String, Bytes>,
}

impl Entry {
    /// Reads `[id, fields]` or `[id, deliveries, fields]`.
    pub(super) fn read(value: Value) -> Result<Self> {
        let mut parts = list(value)?.into_iter();
        let (Some(id), Some(second)) = (parts.next(), parts.next()) else { return Err(strange("an entry")) };
        let (deliveries, fields) = match (second, parts.next()) {
            (Value::Int(deliveries), Some(fields)) => (u32::try_from(deliveries).unwrap_or(u32::MAX), fields),
            (fields, _) => (0, fields),
        };
        let mut texts = list(fields)?.into_iter();
        let mut fields = HashMap::new();
        while let (Some(name), Some(value)) = (texts.next(), texts.next()) {
            fields.insert(text(name)?, bytes(value)?);
        }
        let mut entry = Self { id: text(id)?, deliveries, fields };
        // One that was put aside and replayed was delivered before that as well.
        let before = entry.get("replay.deliveries").ok().and_then(|count| count.parse::<u32>().ok());
        entry.deliveries = entry.deliveries.saturating_add(before.unwrap_or_default());
        Ok(entry)
    }

    /// A field as text.
    ///
    /// # Errors
    /// A reason to put the entry aside.
    pub(super) fn get(&self, name: &str) -> Result<&str, String> {
        let value = self.fields.get(name).ok_or_else(|| format!("no field '{name}'"))?;
        std::str::from_utf8(value).map_err(|_| format!("field '{name}' is not UTF-8"))
    }

    /// The event.
    ///
    /// # Errors
    /// A reason to put the entry aside: nobody will ever be able to read it.
    pub(super) fn envelope(&self) -> Result<Envelope, String> {
        let id = Uuid::parse_str(self.get("id")?).map_err(|error| format!("field 'id': {error}"))?;
        let time: jiff::Timestamp = self.get("time")?.parse().map_err(|error| format!("field 'time': {error}"))?;
        let sequence = self.get("sequence")?.parse().map_err(|error| format!("field 'sequence': {error}"))?;
        let data = self.fields.get("data").filter(|data| !data.is_empty()).ok_or("no document")?;
        Ok(Envelope {
            id: EventId::new(id),
            source: self.get("source")?.into(),
            type_name: self.get("type")?.into(),
            subject: self.get("subject")?.into(),
            time: Timestamp::from_micros(time.as_microsecond()),
            partition_key: self.get("partitionkey")?.into(),
            sequence,
            trace: self.get("traceparent").ok().and_then(TraceContext::parse),
            data: data.clone(),
        })
    }
}

/// What a list holds; a missing one is empty.
pub(super) fn list(value: Value) -> Result<Vec<Value>> {
    match value {
        Value::Array(values) => Ok(values),
        Value::Nil => Ok(Vec::new()),
        _ => Err(strange("a list")),
    }
}

pub(super) fn text(value: Value) -> Result<String> {
    String::from_utf8(bytes(value)?.into()).map_err(|_| strange("a text"))
}

pub(super) fn int(value: &Value) -> Result<i64> {
    match value {
        Value::Int(value) => Ok(*value),
        _ => Err(strange("a number")),
    }
}

fn bytes(value: Value) -> Result<Bytes> {
    match value {
        Value::BulkString(bytes) => Ok(bytes.into()),
        Value::SimpleString(text) => Ok(text.into()),
        _ => Err(strange("a text")),
    }
}

pub(super) fn strange(what: &str) -> Error {
    Error::corrupt(format!("Redis answered something else than {what}"))
}
