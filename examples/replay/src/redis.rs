//! The replay's bus on Redis Streams.

use std::sync::Arc;
use std::time::Duration;

use stockpulse_core::Result;
use stockpulse_core::model::{EventType, TopicMap};
use stockpulse_redis::{RedisConnection, RedisOptions, RedisStreamsBus, StreamsOptions};

use crate::address::{RedisAddress, without_secrets};
use crate::backends::{Bus, LEASE, MAX_EVENT_BYTES};
use crate::error::ReplayError;

/// Every event goes to one partition of one topic, as on Kafka.
const TOPIC: &str = "events";

/// How long an answer may take: an event may be large, and a store in a container slow.
const RESPONSE: Duration = Duration::from_secs(5);

/// The bus, and whether it is used for the first time.
pub(crate) async fn open(address: &RedisAddress) -> std::result::Result<(Bus, bool), ReplayError> {
    let bus = format!("{}#{}", without_secrets(&address.url), address.name);
    connect(address).await.map_err(|error| ReplayError::Bus { bus, error })
}

async fn connect(address: &RedisAddress) -> Result<(Bus, bool)> {
    let topics = EventType::ALL.iter().fold(TopicMap::default(), |topics, known| topics.with_topic(*known, TOPIC));
    let connection =
        RedisOptions::new(&address.url).with_prefix(format!("{}:", address.name)).with_response_timeout(RESPONSE);
    let mut options = StreamsOptions::default()
        .with_topics(topics)
        .with_partitions(1)
        .with_max_event_bytes(MAX_EVENT_BYTES)
        .with_lease(LEASE, LEASE / 4);
    // Events that are published twice on purpose are to come twice.
    options.remember = Duration::ZERO;
    let bus = Arc::new(RedisStreamsBus::new(RedisConnection::new(connection)?, options)?);
    let is_new = bus.create().await?;
    Ok(((bus.clone(), bus), is_new))
}
