//! The replay's bus on Kafka.

use std::sync::Arc;
use std::time::Duration;

use stockpulse_core::Result;
use stockpulse_core::model::{EventType, TopicMap};
use stockpulse_kafka::{KafkaAdmin, KafkaBus, KafkaOptions, TopicSettings};

use crate::address::KafkaAddress;
use crate::backends::{Bus, MAX_EVENT_BYTES};
use crate::error::ReplayError;

/// After how long a killed replay no longer counts as a reader of the bus. A resumed one takes its place at once, by the
/// name that both have.
const SESSION: Duration = Duration::from_secs(6);

/// Every event goes to one partition of one topic. Orders have to be reserved in the files' order, and what is on the bus
/// can then be counted up to a mark.
const TOPIC: &str = "events";

/// The bus, and whether its topic was made just now.
pub(crate) async fn open(address: &KafkaAddress) -> std::result::Result<(Bus, bool), ReplayError> {
    let bus = format!("kafka://{}/{}", address.brokers, address.name);
    connect(address).await.map_err(|error| ReplayError::Bus { bus, error })
}

async fn connect(address: &KafkaAddress) -> Result<(Bus, bool)> {
    let topics = EventType::ALL.iter().fold(TopicMap::default(), |topics, known| topics.with_topic(*known, TOPIC));
    let mut options = KafkaOptions::new(&address.brokers)
        .with_topics(topics)
        .with_prefix(format!("{}.", address.name))
        .with_instance_id("stockpulse-replay");
    options.max_event_bytes = MAX_EVENT_BYTES;
    options.session_timeout = SESSION;
    let settings = TopicSettings::default()
        .with_partitions(1)
        .with_retention(None)
        .with_setting("max.message.bytes", (MAX_EVENT_BYTES + (1 << 20)).to_string());
    let created = KafkaAdmin::new(options.clone())?.create_topics(&settings).await?;
    let bus = Arc::new(KafkaBus::new(options)?);
    Ok(((bus.clone(), bus), !created.is_empty()))
}
