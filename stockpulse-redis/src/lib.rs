//! StockPulse on Redis: the ports `Cache` and `AdmissionGate` of `stockpulse-core`, and a bus on Redis Streams,
//! [`RedisStreamsBus`].
//!
//! The database decides. Redis reads fast and refuses early, and while it is down everybody is let through to the
//! database. A deployment without Redis lacks nothing but speed.
//!
//! ```no_run
//! use std::{sync::Arc, time::Duration};
//! use stockpulse_core::layer::fail_fast;
//! use stockpulse_core::{memory::MemoryInventoryStore, service::Inventory};
//! use stockpulse_redis::{RedisCache, RedisConnection, RedisGate, RedisOptions};
//!
//! # async fn run() -> stockpulse_core::Result<()> {
//! let redis = RedisConnection::new(RedisOptions::new("redis://localhost:6379"))?;
//! // What Redis may cost a call; after five failures in a row, nothing but one trial a second.
//! let budget = Duration::from_millis(50);
//! let inventory = Inventory::builder(Arc::new(MemoryInventoryStore::default()))
//!     .with_cache(Arc::new(fail_fast(RedisCache::new(redis.clone()), budget)))
//!     .with_gate(Arc::new(fail_fast(RedisGate::new(redis), budget)))
//!     .start();
//! # Ok(())
//! # }
//! ```
//!
//! # What is guaranteed
//! - A newer version in the cache is never replaced by an older one, and nothing below an invalidation's floor is taken.
//! - The gate lets no more through than the database said there is, less what it let through already; each request with all
//!   its lines or none, and once however often it is asked.
//! - Without a layer around it, a call takes no longer than [`RedisOptions::connect_timeout`] and
//!   [`RedisOptions::response_timeout`], twice if the connection broke; with
//!   [`fail_fast`](stockpulse_core::layer::fail_fast), the budget.
//! - What Redis loses is learnt again, and nothing is sold wrongly meanwhile.
//!
//! # Features
//! - `cluster`: Redis Cluster.
//! - `sentinel`: the primary is found by Redis Sentinel, and found again after a failover.
//! - `tls`: TLS (`rediss://`), with rustls and the certificate authorities of the web.
//!
//! Features are off by default. Redis 6.2 or newer.

mod bus;
mod cache;
mod connection;
mod error;
mod gate;
mod lua;
mod options;

pub use self::bus::{DeadLetter, DeadLetterId, RedisStreamsBus, StreamsOptions};
pub use self::cache::RedisCache;
pub use self::connection::RedisConnection;
pub use self::gate::RedisGate;
pub use self::options::{RedisOptions, RedisServers};
