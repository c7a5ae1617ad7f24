//! Cache and gate on a real Redis, beside the bare commands and beside what people write by hand; and a flash sale from end
//! to end, beside the database alone.
//!
//! `cargo bench -p stockpulse-benches --bench redis -- [cache] [gate] [flash]` measures part of it. Redis is a server of its
//! own by the program that `STOCKPULSE_REDIS_SERVER` names, which writes nothing to a disk, or else the one that
//! `STOCKPULSE_REDIS` names; Postgres is named by `STOCKPULSE_PG_URL`.

#![expect(clippy::expect_used, clippy::print_stdout, reason = "a benchmark stops when its set-up is wrong, and prints")]

mod cache;
#[expect(dead_code, reason = "it is for all databases, and only one is needed here")]
#[path = "../sql/place.rs"]
mod database;
mod flash;
mod gate;
#[path = "../sql/load.rs"]
mod load;
mod near;
mod server;
mod table;
mod tool;
mod usual;

use self::server::Redis;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let wants = |name: &str| wanted.is_empty() || wanted.iter().any(|wanted| wanted == name);
    let redis = match Redis::new().await {
        Ok(redis) => redis,
        Err(reason) => return println!("SKIP redis: {reason}"),
    };
    if wants("cache") {
        cache::run(&redis).await;
        near::run(&redis).await;
    }
    if wants("gate") {
        gate::run(&redis).await;
    }
    if wants("flash") {
        match database::Database::Postgres.url() {
            Ok(_) => flash::run(&redis).await,
            Err(reason) => println!("SKIP flash: {reason}"),
        }
    }
    redis.clear().await;
}
