//! Looking after dead letters.

mod letter;
mod read;

use std::fmt;
use std::sync::Arc;

use rdkafka::message::OwnedHeaders;
use stockpulse_core::{Error, ErrorKind, Result};

pub use self::letter::{DeadLetter, DeadLetterId};

use crate::client;
use crate::connection::Connection;
use crate::options::KafkaOptions;
use crate::topics::{DEAD_LETTERS, dead_letter_topic};
use crate::wire::Outgoing;

/// The records that groups put aside. A group's dead letters from a topic lie in `<topic>.<group>.dlt` until they are
/// replayed or dropped.
#[derive(Clone)]
pub struct DeadLetters {
    connection: Arc<Connection>,
}

impl DeadLetters {
    /// The dead letters of all groups under the options' prefix.
    ///
    /// # Errors
    /// `Config` when librdkafka does not take the options.
    pub fn new(options: KafkaOptions) -> Result<Self> {
        Ok(Self { connection: Arc::new(Connection::new(options)?) })
    }

    /// The topic of a group's dead letters from one of its topics, which is named without the prefix.
    #[must_use]
    pub fn topic(&self, topic: &str, group: &str) -> String {
        dead_letter_topic(&format!("{}{topic}", self.connection.options.prefix), group)
    }

    /// All topics of dead letters, by their names in full.
    ///
    /// # Errors
    /// What the cluster reports.
    ///
    /// # Cancel safety
    /// It only reads.
    pub async fn topics(&self) -> Result<Vec<String>> {
        let topics = self.connection.admin.all().await?.into_keys();
        let prefix = &self.connection.options.prefix;
        Ok(topics.filter(|name| name.ends_with(DEAD_LETTERS) && name.starts_with(prefix)).collect())
    }

    /// The dead letters of a topic, oldest first. It reads all of them; there are none where there is no such topic.
    ///
    /// # Errors
    /// What the cluster reports; `Timeout` when it stops answering.
    ///
    /// # Cancel safety
    /// It only reads.
    pub async fn list(&self, topic: &str) -> Result<Vec<DeadLetter>> {
        let options = &self.connection.options;
        let Some(partitions) = self.connection.admin.all().await?.get(topic).copied() else { return Ok(Vec::new()) };
        let mut properties = options.consumer_properties();
        // It is not a member of the group, which needs a name all the same.
        properties.insert("group.id".to_owned(), options.group("stockpulse-dead-letters"));
        properties.insert("enable.auto.commit".to_owned(), "false".to_owned());
        properties.insert("enable.partition.eof".to_owned(), "true".to_owned());
        properties.remove("group.instance.id");
        let (config, topic, timeout) = (client::config(properties), topic.to_owned(), options.request_timeout);
        let read = tokio::task::spawn_blocking(move || read::letters(&config, &topic, partitions, timeout)).await;
        read.map_err(|error| Error::new(ErrorKind::Unexpected, "reading ended").with_source(error))?
            .map_err(|error| error.during("dead_letters.list"))
    }

    /// Publishes dead letters again, each to the topic that it came from, with the key and the headers that it had; then
    /// they are dead letters no more. Answers how many there were; those that do not exist are passed over.
    ///
    /// They come behind everything that waits, and to every group of that topic: one that has handled the event knows it by
    /// its id.
    ///
    /// # Errors
    /// `InvalidInput` for a letter whose body was omitted. Otherwise what the cluster reports; letters before the one that
    /// failed were replayed.
    ///
    /// # Cancel safety
    /// A dropped future leaves open which were replayed. One that was published and is still listed comes twice if it is
    /// replayed again, with the same id.
    pub async fn replay(&self, topic: &str, ids: &[DeadLetterId]) -> Result<usize> {
        let chosen = self.chosen(topic, ids).await?;
        for letter in &chosen {
            if letter.body_omitted {
                let message = format!("the body of {} was too large to be kept", letter.id);
                return Err(Error::invalid(message).during("dead_letters.replay"));
            }
            let record = Outgoing {
                topic: &letter.topic,
                key: letter.key.as_deref(),
                value: Some(&letter.value),
                headers: letter.own_headers(),
            };
            let published = self.connection.send_one(record).await;
            published.map_err(|error| error.during("dead_letters.replay"))?;
            self.forget(topic, letter).await?;
        }
        Ok(chosen.len())
    }

    /// Drops dead letters. Answers how many there were; those that do not exist are passed over.
    ///
    /// # Errors
    /// What the cluster reports; letters before the one that failed were dropped.
    ///
    /// # Cancel safety
    /// A dropped future leaves open which were dropped.
    pub async fn discard(&self, topic: &str, ids: &[DeadLetterId]) -> Result<usize> {
        let chosen = self.chosen(topic, ids).await?;
        for letter in &chosen {
            self.forget(topic, letter).await?;
        }
        Ok(chosen.len())
    }

    async fn chosen(&self, topic: &str, ids: &[DeadLetterId]) -> Result<Vec<DeadLetter>> {
        let mut letters = self.list(topic).await?;
        letters.retain(|letter| ids.contains(&letter.id));
        Ok(letters)
    }

    /// A record of the same key without a body: the topic keeps nothing of the letter.
    async fn forget(&self, topic: &str, letter: &DeadLetter) -> Result<()> {
        let key = Some(letter.id.as_str().as_bytes());
        let tombstone = Outgoing { topic, key, value: None, headers: OwnedHeaders::new() };
        self.connection.send_one(tombstone).await.map_err(|error| error.during("dead_letters.discard"))
    }
}

impl fmt::Debug for DeadLetters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeadLetters").field("prefix", &self.connection.options.prefix).finish_non_exhaustive()
    }
}
