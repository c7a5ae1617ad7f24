//! StockPulse's bus on Kafka: the ports `Publisher`, `Subscriber` and `Subscription` of `stockpulse-core`.

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
mod wire;

pub use self::admin::{Finding, Health, KafkaAdmin, TopicSettings};
pub use self::bus::KafkaBus;
pub use self::dead_letters::{DeadLetter, DeadLetterId, DeadLetters};
pub use self::options::KafkaOptions;
pub use self::plain::{PlainRecord, PlainTopic, Translate};
