//! Reading a topic of dead letters from its beginning to its end.

use std::collections::HashMap;
use std::time::Duration;

use rdkafka::config::{ClientConfig, FromClientConfigAndContext};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::Message;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use stockpulse_core::{Error, ErrorKind, Result};
use tokio::time::Instant;

use super::letter::DeadLetter;
use crate::client::Quiet;
use crate::error::failure;

/// Letters that are neither replayed nor dropped, oldest first. It blocks.
pub(super) fn letters(
    config: &ClientConfig,
    topic: &str,
    partitions: usize,
    timeout: Duration,
) -> Result<Vec<DeadLetter>> {
    let kafka = |error: KafkaError| failure(&error);
    let consumer: BaseConsumer<Quiet> = BaseConsumer::from_config_and_context(config, Quiet).map_err(kafka)?;
    let mut list = TopicPartitionList::with_capacity(partitions);
    for partition in 0..partitions {
        let partition = i32::try_from(partition).unwrap_or(i32::MAX);
        list.add_partition_offset(topic, partition, Offset::Beginning).map_err(kafka)?;
    }
    consumer.assign(&list).map_err(kafka)?;
    let mut letters = Letters::default();
    let mut open = partitions;
    let mut deadline = Instant::now() + timeout;
    while open > 0 {
        match consumer.poll(Duration::from_millis(100)) {
            Some(Ok(record)) => {
                letters.read(&record);
                deadline = Instant::now() + timeout;
            }
            Some(Err(KafkaError::PartitionEOF(_))) => open -= 1,
            Some(Err(error)) => tracing::warn!(%error, topic, "reading dead letters"),
            None if Instant::now() > deadline => {
                return Err(Error::new(ErrorKind::Timeout, format!("'{topic}' was not read within {timeout:?}")));
            }
            None => {}
        }
    }
    Ok(letters.all.into_iter().flatten().collect())
}

/// The last word on each letter: a record without a body says that it is done with.
#[derive(Default)]
struct Letters {
    all: Vec<Option<DeadLetter>>,
    places: HashMap<String, usize>,
}

impl Letters {
    fn read(&mut self, record: &impl Message) {
        let Some(Ok(id)) = record.key_view::<str>() else { return };
        let letter = record.payload().and_then(|_| DeadLetter::read(id, record));
        let place = *self.places.entry(id.to_owned()).or_insert(self.all.len());
        match self.all.get_mut(place) {
            Some(slot) => *slot = letter,
            None => self.all.push(letter),
        }
    }
}
