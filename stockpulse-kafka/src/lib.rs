//! StockPulse's bus on Kafka: the ports `Publisher`, `Subscriber` and `Subscription` of `stockpulse-core`.
//!
//! ```no_run
//! use stockpulse_core::model::EventType;
//! use stockpulse_core::port::{SubscribeOptions, Subscriber, Subscription};
//! use stockpulse_kafka::{KafkaAdmin, KafkaBus, KafkaOptions, TopicSettings};
//!
//! # async fn run() -> stockpulse_core::Result<()> {
//! let options = KafkaOptions::new("kafka-1:9092,kafka-2:9092");
//! KafkaAdmin::new(options.clone())?.create_topics(&TopicSettings::default().with_replication(3)).await?;
//!
//! let bus = KafkaBus::new(options)?;
//! let mut orders = bus.subscribe(SubscribeOptions::new("reports", [EventType::OrderPlaced])).await?;
//! for delivery in orders.receive(100).await? {
//!     println!("{}", delivery.envelope.subject);
//!     orders.ack(&[delivery.tag]).await?;
//! }
//! orders.close().await
//! # }
//! ```
//!
//! # What is guaranteed
//! - An event that was acknowledged to its publisher is on all replicas in sync, once: the producer is idempotent. One that
//!   was not may be there all the same; the relay publishes it again, and its id says that it is the same.
//! - Every group receives every event at least once, and those of one key on one topic in their order, as often as brokers,
//!   members and connections fail. What is committed is only what was acknowledged, without a gap. A member that comes back
//!   after it was given up acknowledges nothing of what others have by then.
//! - A record that cannot be read or handled lies in `<topic>.<group>.dlt` with its reason, its key, its headers and where
//!   it came from, before its group goes on; it stays there until [`DeadLetters`] replays or drops it.
//! - While no broker can be reached, publishing waits for room, in bounded memory, and fails after
//!   [`KafkaOptions::delivery_timeout`]; subscriptions wait.
//!
//! # Settings
//! Every setting of librdkafka can be overridden, and [`KafkaOptions::effective`] lists them all but for secrets. A managed
//! Kafka usually wants the feature `ssl` and
//!
//! ```
//! # use stockpulse_kafka::KafkaOptions;
//! # let (key, secret) = ("key", "secret");
//! let options = KafkaOptions::new("broker.example.com:9092")
//!     .with_setting("security.protocol", "SASL_SSL")
//!     .with_setting("sasl.mechanisms", "PLAIN")
//!     .with_setting("sasl.username", key)
//!     .with_setting("sasl.password", secret);
//! assert!(!format!("{options:?}").contains(secret));
//! ```
//!
//! # Features
//! - `ssl`: TLS, and SASL with SCRAM, with the system's OpenSSL. SASL PLAIN is always there. OAUTHBEARER is not supported.
//! - `zstd`: Zstandard compression.
//! - `cli`: the program `stockpulse-kafka-dlt`, which lists, shows, replays and drops dead letters.
//!
//! Features are off by default. Others of rdkafka, such as `ssl-vendored` or `gssapi` for Kerberos, are had by naming rdkafka
//! with them among an application's own dependencies.

mod admin;
mod aside;
mod bus;
mod client;
mod connection;
mod dead_letters;
mod error;
pub mod metrics;
mod options;
mod plain;
mod producer;
mod subscription;
mod topics;
mod trouble;
mod wire;

pub use self::admin::{Finding, Health, KafkaAdmin, TopicSettings};
pub use self::bus::KafkaBus;
pub use self::dead_letters::{DeadLetter, DeadLetterId, DeadLetters};
pub use self::options::KafkaOptions;
pub use self::plain::{PlainRecord, PlainTopic, Translate};
