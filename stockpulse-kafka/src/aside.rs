//! Putting records aside: into retry topics, and among the dead letters.

use std::borrow::Cow;
use std::str::FromStr;
use std::sync::Arc;

use rdkafka::message::{Headers, OwnedHeaders};
use stockpulse_core::{Error, ErrorKind, Result};

use crate::connection::Connection;
use crate::metrics;
use crate::topics::dead_letter_topic;
use crate::wire::{Outgoing, header};

/// The topic that a record was first published to.
pub(crate) const TOPIC: &str = "stockpulse_topic";
/// Its partition there.
pub(crate) const PARTITION: &str = "stockpulse_partition";
/// Its offset there.
pub(crate) const OFFSET: &str = "stockpulse_offset";
/// When it was published there, in milliseconds since the epoch.
pub(crate) const TIMESTAMP: &str = "stockpulse_timestamp";
/// The group that put it aside.
pub(crate) const GROUP: &str = "stockpulse_group";
/// Why.
pub(crate) const REASON: &str = "stockpulse_error";
/// The key that it had there.
pub(crate) const KEY: &str = "stockpulse_key";
/// Says that the body was too large to be kept; it is where the record was published.
pub(crate) const BODY_OMITTED: &str = "stockpulse_body_omitted";

/// What all of these begin with.
pub(crate) const PREFIX: &str = "stockpulse_";

/// Where a record was published first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) topic: Arc<str>,
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    /// Milliseconds since the epoch.
    pub(crate) timestamp: Option<i64>,
}

impl Origin {
    /// Reads it from the headers of a record that was put aside.
    pub(crate) fn read<H: Headers>(headers: &H) -> Option<Self> {
        Some(Self {
            topic: find(headers, TOPIC)?.into(),
            partition: parse(headers, PARTITION)?,
            offset: parse(headers, OFFSET)?,
            timestamp: parse(headers, TIMESTAMP),
        })
    }

    /// Names the record: the same one is always one dead letter, however often it is put aside.
    fn name(&self) -> String {
        let Self { topic, partition, offset, timestamp } = self;
        format!("{topic}/{partition}/{offset}/{}", timestamp.unwrap_or(0))
    }

    fn write(&self, headers: OwnedHeaders) -> OwnedHeaders {
        let headers = header(headers, TOPIC, &*self.topic);
        let headers = header(headers, PARTITION, self.partition.to_string());
        let headers = header(headers, OFFSET, self.offset.to_string());
        match self.timestamp {
            Some(timestamp) => header(headers, TIMESTAMP, timestamp.to_string()),
            None => headers,
        }
    }
}

/// A header's value as text.
pub(crate) fn find<H: Headers>(headers: &H, key: &str) -> Option<String> {
    let found = headers.iter().find(|header| header.key == key)?;
    Some(String::from_utf8_lossy(found.value?).into_owned())
}

fn parse<H: Headers, T: FromStr>(headers: &H, key: &str) -> Option<T> {
    find(headers, key)?.parse().ok()
}

/// Where a record is put that a group does not handle now.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Where<'a> {
    /// Into a topic for retries.
    Retry(&'a str),
    /// Among the dead letters.
    DeadLetters,
}

/// A record that a group does not handle now.
#[derive(Debug)]
pub(crate) struct Aside<'a> {
    pub(crate) to: Where<'a>,
    pub(crate) group: &'a str,
    pub(crate) origin: &'a Origin,
    pub(crate) key: Option<&'a [u8]>,
    pub(crate) value: Option<&'a [u8]>,
    /// The record's own headers.
    pub(crate) headers: OwnedHeaders,
    pub(crate) reason: &'a str,
}

/// A record that is put aside, as it is written.
struct Written<'a> {
    topic: Cow<'a, str>,
    key: Option<Cow<'a, [u8]>>,
    value: Option<&'a [u8]>,
    headers: OwnedHeaders,
}

impl<'a> Aside<'a> {
    fn write(&self) -> Written<'a> {
        let headers = header(self.origin.write(self.headers.clone()), GROUP, self.group);
        let headers = header(headers, REASON, self.reason);
        match self.to {
            Where::Retry(topic) => {
                Written { topic: topic.into(), key: self.key.map(Cow::from), value: self.value, headers }
            }
            // Its key names the record, so that it is one letter however often it is written; the record's own key becomes a
            // header. Without a body it would be a tombstone: it is there, and empty.
            Where::DeadLetters => Written {
                topic: dead_letter_topic(&self.origin.topic, self.group).into(),
                key: Some(self.origin.name().into_bytes().into()),
                value: self.value.or(Some(b"")),
                headers: match self.key {
                    Some(key) => header(headers, KEY, key),
                    None => headers,
                },
            },
        }
    }
}

impl Written<'_> {
    fn record(&self) -> Outgoing<'_> {
        let Self { topic, key, value, headers } = self;
        Outgoing { topic, key: key.as_deref(), value: *value, headers: headers.clone() }
    }
}

impl Connection {
    /// Puts records aside, all at once, and waits until all replicas have them. The answers are aligned.
    pub(crate) async fn put_aside(&self, asides: &[Aside<'_>]) -> Vec<Result<()>> {
        let mut written: Vec<Written<'_>> = asides.iter().map(Aside::write).collect();
        for (aside, written) in asides.iter().zip(&written) {
            if let Where::DeadLetters = aside.to
                && let Err(error) = self.ensure_dead_letter_topic(&written.topic).await
            {
                return asides.iter().map(|_| Err(error.duplicate())).collect();
            }
        }
        let mut answers = self.send_all(&written).await;
        for ((aside, written), answer) in asides.iter().zip(&mut written).zip(&mut answers) {
            if let (Where::DeadLetters, Err(error)) = (aside.to, &*answer)
                && error.kind() == ErrorKind::InvalidInput
            {
                // The letter says where the body lies.
                written.value = Some(b"");
                written.headers = header(std::mem::take(&mut written.headers), BODY_OMITTED, "too large");
                *answer = self.send_one(written.record()).await;
            }
        }
        for ((aside, written), answer) in asides.iter().zip(&written).zip(&answers) {
            if let (Where::DeadLetters, Ok(())) = (aside.to, answer) {
                let Aside { group, origin, reason, .. } = aside;
                tracing::error!(topic = %written.topic, record = origin.name(), reason, "a record was put aside");
                metrics::dead_letter(group, &origin.topic);
            }
        }
        answers
    }

    async fn send_all(&self, records: &[Written<'_>]) -> Vec<Result<()>> {
        let answers = self.producer.send(records.iter().map(Written::record).collect()).await;
        answers.into_iter().map(|answer| answer.map_or(Ok(()), |error| Err(self.producer.failure(&error)))).collect()
    }

    /// Produces one record, and waits until all replicas have it.
    pub(crate) async fn send_one(&self, record: Outgoing<'_>) -> Result<()> {
        let mut answers = self.producer.send(vec![record]).await;
        match answers.pop() {
            Some(None) => Ok(()),
            Some(Some(error)) => Err(self.producer.failure(&error)),
            None => Err(Error::new(ErrorKind::Unexpected, "no answer to a record")),
        }
    }
}
