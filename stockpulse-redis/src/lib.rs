//! StockPulse on Redis: a cache, an admission gate, and the connection that they share.
//!
//! The database decides. Redis reads fast and refuses early, and while it is down everybody is let through to the
//! database. A deployment without Redis lacks nothing but speed.

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
