//! StockPulse's bus on Kafka: **nothing is implemented yet**.
//!
//! This crate has its place in the workspace and its name; depending on it brings no code. What it will hold: the
//! ports `Publisher`, `Subscriber` and `Subscription` of `stockpulse-core` on Kafka, with
//!
//! - CloudEvents 1.0 in binary mode: the attributes as `ce_` headers, the document as the record's value;
//! - the envelope's partition key as the record's key, so that events of one order or SKU keep their order;
//! - consumer groups, with acknowledgement after the handler's commit, retries and dead letters.
//!
//! Until then, `stockpulse_core::memory::MemoryBus` behaves as this will: topics with partitions, consumer groups with
//! offsets, rebalances, redelivery and dead letters, in one process.
