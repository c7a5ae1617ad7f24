//! The replay from outside: its inputs, its rejections, its command line, and its rules against a
//! plain model of them.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking, in its helpers too")]

#[cfg(all(feature = "kafka", unix))]
#[expect(dead_code, reason = "it is shared, and not all of it is needed here")]
#[path = "../../../../stockpulse-kafka/tests/broker/mod.rs"]
mod broker;
mod command;
mod documents;
mod drive;
mod figures;
mod inputs;
#[cfg(all(feature = "kafka", unix))]
mod kafka;
mod known;
mod oracle;
#[cfg(all(feature = "redis", unix))]
mod redis;
mod rejections;
mod stores;
mod support;
