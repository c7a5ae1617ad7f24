//! The replay's bus on Redis Streams, and its cache and gate.

use std::sync::Arc;
use std::time::Duration;

use stockpulse_core::Result;
use stockpulse_core::model::{EventType, TopicMap};
use stockpulse_redis::{RedisCache, RedisConnection, RedisGate, RedisOptions, RedisStreamsBus, StreamsOptions};

use crate::address::{RedisAddress, without_secrets};
use crate::backends::{Bus, LEASE, MAX_EVENT_BYTES};
use crate::error::ReplayError;

/// Every event goes to one partition of one topic, as on Kafka.
const TOPIC: &str = "events";

/// How long an answer may take: an event may be large, and a store in a container slow.
const RESPONSE: Duration = Duration::from_secs(5);

/// The bus, and whether it is used for the first time.
pub(crate) async fn open(address: &RedisAddress) -> std::result::Result<(Bus, bool), ReplayError> {
    connect(address).await.map_err(|error| ReplayError::Bus { bus: shown(address), error })
}

async fn connect(address: &RedisAddress) -> Result<(Bus, bool)> {
    let topics = EventType::ALL.iter().fold(TopicMap::default(), |topics, known| topics.with_topic(*known, TOPIC));
    let mut options = StreamsOptions::default()
        .with_topics(topics)
        .with_partitions(1)
        .with_max_event_bytes(MAX_EVENT_BYTES)
        .with_lease(LEASE, LEASE / 4);
    // Events that are published twice on purpose are to come twice.
    options.remember = Duration::ZERO;
    let bus = Arc::new(RedisStreamsBus::new(connection(address)?, options)?);
    let is_new = bus.create().await?;
    Ok(((bus.clone(), bus), is_new))
}

/// The cache, which answers.
pub(crate) async fn cache(address: &RedisAddress) -> std::result::Result<RedisCache, ReplayError> {
    Ok(RedisCache::new(answering("--cache", address).await?))
}

/// The gate, which answers.
pub(crate) async fn gate(address: &RedisAddress) -> std::result::Result<RedisGate, ReplayError> {
    Ok(RedisGate::new(answering("--gate", address).await?))
}

/// A connection for an option: one that is never made would go unnoticed, since cache and gate may fail.
async fn answering(option: &'static str, address: &RedisAddress) -> std::result::Result<RedisConnection, ReplayError> {
    let wrong = |error| ReplayError::Front { option, front: shown(address), error };
    let connection = connection(address).map_err(wrong)?;
    connection.ping().await.map_err(wrong)?;
    Ok(connection)
}

fn connection(address: &RedisAddress) -> Result<RedisConnection> {
    let options =
        RedisOptions::new(&address.url).with_prefix(format!("{}:", address.name)).with_response_timeout(RESPONSE);
    RedisConnection::new(options)
}

fn shown(address: &RedisAddress) -> String {
    format!("{}#{}", without_secrets(&address.url), address.name)
}
