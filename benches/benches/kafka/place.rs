//! Where a measurement takes place: topics under a prefix of their own, and a schema of its own.

use std::collections::BTreeMap;

use rdkafka::config::ClientConfig;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use stockpulse_core::port::{Clock, IdGenerator};
use stockpulse_core::{RandomIds, SystemClock};
use stockpulse_kafka::{KafkaAdmin, KafkaOptions, TopicSettings};
use uuid::Uuid;

/// How many partitions a topic has, and how many consumers the usual way.
pub(crate) const PARTITIONS: u16 = 4;

/// A new id, which begins with the time.
pub(crate) fn new_id() -> Uuid {
    RandomIds.next_id(SystemClock.now())
}

/// Options under a prefix that nobody else uses, and its topics. An argument such as `fetch.queue.backoff.ms=10` sets that
/// for StockPulse's consumers, one such as `producer.linger.ms=5` for its producers, and for the bare ones too.
pub(crate) async fn topics(broker: &str) -> KafkaOptions {
    let mut options = KafkaOptions::new(broker).with_prefix(format!("bench-{}.", new_id().simple()));
    for argument in std::env::args().skip(1) {
        if let Some((key, value)) = argument.split_once('=') {
            options = match key.strip_prefix("producer.") {
                Some(key) => options.with_producer_setting(key, value),
                None => options.with_consumer_setting(key, value),
            };
        }
    }
    let admin = KafkaAdmin::new(options.clone()).expect("options that are right");
    admin.create_topics(&TopicSettings::default().with_partitions(PARTITIONS)).await.expect("topics");
    options
}

/// What a bare client of a role is made with: the same as StockPulse's.
pub(crate) fn same(options: &KafkaOptions, role: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    let all: BTreeMap<String, String> = options.effective().into_iter().collect();
    for (key, value) in &all {
        if let Some(key) = key.strip_prefix(role).and_then(|key| key.strip_prefix('.')) {
            config.set(key, value);
        }
    }
    config
}

/// An empty schema on Postgres.
#[derive(Debug)]
pub(crate) struct Schema {
    pub(crate) url: String,
    pub(crate) name: String,
}

impl Schema {
    pub(crate) async fn new(url: &str) -> Self {
        let name = format!("b{}", new_id().simple());
        let schema = Self { url: url.to_owned(), name };
        schema.execute(format!("CREATE SCHEMA {}; CHECKPOINT", schema.name)).await;
        schema
    }

    /// Takes away what was measured on.
    pub(crate) async fn remove(self) {
        self.execute(format!("DROP SCHEMA {} CASCADE", self.name)).await;
    }

    async fn execute(&self, sql: String) {
        let mut connection = PgConnection::connect(&self.url).await.expect("postgres answers");
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.expect("the schema");
    }
}
