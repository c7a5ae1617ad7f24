//! What the clones of a bus share.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use stockpulse_core::{Error, Result};
use tokio_util::sync::CancellationToken;

use crate::admin::{KafkaAdmin, TopicSettings};
use crate::options::KafkaOptions;
use crate::producer::Producer;

/// A connection to a cluster: one producer, and what its subscriptions need.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) options: KafkaOptions,
    pub(crate) producer: Producer,
    pub(crate) admin: KafkaAdmin,
    /// Ends the subscriptions.
    pub(crate) closed: CancellationToken,
    /// Topics that are known to exist.
    known: Mutex<BTreeSet<String>>,
}

impl Connection {
    pub(crate) fn new(options: KafkaOptions) -> Result<Self> {
        let producer = Producer::new(&options)?;
        let admin = KafkaAdmin::new(options.clone())?;
        Ok(Self { options, producer, admin, closed: CancellationToken::new(), known: Mutex::default() })
    }

    pub(crate) fn check(&self) -> Result<()> {
        if self.closed.is_cancelled() { Err(Error::closed("bus")) } else { Ok(()) }
    }

    /// Makes a topic of dead letters if there is none. A letter stays until it is replayed or dropped: the topic keeps the
    /// last record of each key, and each letter has a key of its own.
    pub(crate) async fn ensure_dead_letter_topic(&self, name: &str) -> Result<()> {
        let settings = TopicSettings::default().with_partitions(1).with_retention(None);
        self.ensure_topic(name, settings.with_setting("cleanup.policy", "compact")).await
    }

    /// Makes a topic if there is none.
    pub(crate) async fn ensure_topic(&self, name: &str, settings: TopicSettings) -> Result<()> {
        if self.known.lock().unwrap_or_else(PoisonError::into_inner).contains(name) {
            return Ok(());
        }
        // Looked for first: whoever may not make topics may still use those that somebody made.
        if !self.admin.all().await?.contains_key(name) {
            let settings = TopicSettings { replication: self.options.replication, ..settings };
            self.admin.create(&[name.to_owned()], &settings).await?;
        }
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned());
        Ok(())
    }
}
