//! A bus under a prefix of its own for each rule.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use stockpulse_core::Result;
use stockpulse_core::conformance::{BusBackend, Harness};
use stockpulse_kafka::{KafkaAdmin, KafkaBus, KafkaOptions, TopicSettings};

use crate::support::{broker, fresh, options};

/// Opens buses on the broker.
pub(crate) struct Kafka {
    broker: Result<String, String>,
    /// Where it opened last.
    prefix: Mutex<String>,
    /// Settings of consumers.
    settings: Vec<(&'static str, &'static str)>,
}

/// Buses on the broker that the environment names.
pub(crate) fn kafka() -> Kafka {
    Kafka { broker: broker(), prefix: Mutex::default(), settings: Vec::new() }
}

impl Kafka {
    /// Sets something for all consumers.
    pub(crate) fn with_consumer_setting(mut self, key: &'static str, value: &'static str) -> Self {
        self.settings.push((key, value));
        self
    }

    fn options(&self) -> KafkaOptions {
        let options = options(self.broker.as_deref().unwrap(), &self.prefix.lock().unwrap());
        self.settings.iter().fold(options, |options, (key, value)| options.with_consumer_setting(*key, *value))
    }

    fn backend(&self) -> Result<BusBackend> {
        let bus = Arc::new(KafkaBus::new(self.options())?);
        Ok(BusBackend { publisher: bus.clone(), subscriber: bus })
    }
}

#[async_trait]
impl Harness<BusBackend> for Kafka {
    async fn open(&self) -> Result<BusBackend> {
        *self.prefix.lock().unwrap() = fresh("rule");
        let admin = KafkaAdmin::new(self.options())?;
        admin.create_topics(&TopicSettings::default().with_partitions(4)).await?;
        self.backend()
    }

    async fn reopen(&self, backend: BusBackend) -> Result<BusBackend> {
        drop(backend);
        self.backend()
    }

    async fn another(&self) -> Result<Option<BusBackend>> {
        self.backend().map(Some)
    }

    fn skip(&self) -> Option<String> {
        self.broker.clone().err()
    }
}
