//! Putting records aside: into retry topics, and among the dead letters.

use std::str::FromStr;
use std::sync::Arc;

use rdkafka::message::{Headers, OwnedHeaders};
use stockpulse_core::{Error, ErrorKind, Result};

use crate::connection::Connection;
use crate::error::failure;
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

/// A record that a group does not handle now.
#[derive(Debug)]
pub(crate) struct Aside<'a> {
    pub(crate) group: &'a str,
    pub(crate) origin: &'a Origin,
    pub(crate) key: Option<&'a [u8]>,
    pub(crate) value: Option<&'a [u8]>,
    /// The record's own headers.
    pub(crate) headers: OwnedHeaders,
    pub(crate) reason: &'a str,
}

impl Aside<'_> {
    fn headers(&self) -> OwnedHeaders {
        let headers = header(self.origin.write(self.headers.clone()), GROUP, self.group);
        header(headers, REASON, self.reason)
    }
}

impl Connection {
    /// Writes a dead letter, and waits until all replicas have it. Its key names the record, so that it is one however often
    /// it is written; the record's own key becomes a header.
    pub(crate) async fn put_aside(&self, aside: Aside<'_>) -> Result<()> {
        let topic = dead_letter_topic(&aside.origin.topic, aside.group);
        self.ensure_dead_letter_topic(&topic).await?;
        let key = aside.origin.name();
        let mut headers = aside.headers();
        if let Some(key) = aside.key {
            headers = header(headers, KEY, key);
        }
        let letter = |value, headers| Outgoing { topic: &topic, key: Some(key.as_bytes()), value, headers };
        let omitted = header(headers.clone(), BODY_OMITTED, "too large");
        // A dead letter without a body would be a tombstone: it is there, and empty.
        let sent = match self.send_one(letter(aside.value.or(Some(b"")), headers)).await {
            Err(error) if error.kind() == ErrorKind::InvalidInput => self.send_one(letter(Some(b""), omitted)).await,
            sent => sent,
        };
        sent?;
        tracing::error!(topic, record = key, reason = aside.reason, "a record was put aside");
        metrics::dead_letter(aside.group, &aside.origin.topic);
        Ok(())
    }

    /// Writes a record to a retry topic, and waits until all replicas have it.
    pub(crate) async fn put_off(&self, topic: &str, aside: Aside<'_>) -> Result<()> {
        let headers = aside.headers();
        self.send_one(Outgoing { topic, key: aside.key, value: aside.value, headers }).await
    }

    /// Produces one record, and waits until all replicas have it.
    pub(crate) async fn send_one(&self, record: Outgoing<'_>) -> Result<()> {
        let mut answers = self.producer.send(vec![record]).await;
        match answers.pop() {
            Some(None) => Ok(()),
            Some(Some(error)) => Err(failure(&error)),
            None => Err(Error::new(ErrorKind::Unexpected, "no answer to a record")),
        }
    }
}
