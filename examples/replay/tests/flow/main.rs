//! Whole orders over Kafka: orders, stock and their outboxes in Postgres or SQLite, Kafka between, whoever is killed.
//!
//! The shop, its books and its databases are those of the tests of `stockpulse-sql`, the broker that of `stockpulse-kafka`.

#![cfg(all(feature = "kafka", unix))]

#[cfg(test)]
#[expect(dead_code, reason = "these are shared, and not all of it is needed here")]
#[path = "../../../../stockpulse-sql/tests/kills/books.rs"]
mod books;
#[cfg(test)]
#[expect(dead_code, reason = "these are shared, and not all of it is needed here")]
#[path = "../../../../stockpulse-kafka/tests/broker/mod.rs"]
mod broker;
#[cfg(test)]
#[path = "../../../../stockpulse-sql/tests/kills/kill_at.rs"]
mod kill_at;
#[cfg(test)]
#[expect(dead_code, reason = "these are shared, and not all of it is needed here")]
#[path = "../../../../stockpulse-sql/tests/kills/shop.rs"]
mod shop;
#[cfg(test)]
#[expect(dead_code, reason = "these are shared, and not all of it is needed here")]
#[path = "../../../../stockpulse-sql/tests/support/mod.rs"]
mod support;

#[cfg(test)]
mod kafka;
#[cfg(test)]
mod member;
#[cfg(test)]
mod orders;
