//! StockPulse on Redis: **nothing is implemented yet**.
//!
//! This crate has its place in the workspace and its name; depending on it brings no code. What it will hold, each
//! behind its port of `stockpulse-core`:
//!
//! - the cache, which never replaces a newer version by an older one;
//! - the admission gate of a flash sale, which refuses early and cheaply what the database would refuse;
//! - a bus on Redis Streams.
//!
//! The database decides. Cache and gate only read fast or refuse early, and when Redis is down everybody is let
//! through to the database. A deployment without Redis lacks nothing but speed.
