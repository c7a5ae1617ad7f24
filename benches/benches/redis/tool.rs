//! `redis-benchmark`, which comes with Redis: what the server can do at most.

use std::process::Command;

use crate::server::Redis;
use crate::table::{Row, Spent};

/// Runs a command so often, on one connection with so many under way. `__rand_int__` in it becomes twelve digits below
/// 1,000. Nothing, after saying so, if there is no such program.
#[expect(clippy::cast_precision_loss, reason = "a batch")]
pub(crate) async fn run(redis: &Redis, depth: usize, calls: usize, items: usize, command: &[&str]) -> Option<Row> {
    let mut tool = Command::new(&redis.tool);
    tool.args(["-u", &redis.url, "-c", "1", "-r", "1000", "--csv", "-P", &depth.to_string()]);
    tool.args(["-n", &calls.to_string()]).args(command);
    let spent = Spent::begin(redis).await;
    let ran = tokio::task::spawn_blocking(move || tool.output()).await.expect("it does not panic");
    let Ok(output) = ran else {
        println!("SKIP redis-benchmark: there is none beside the server");
        return None;
    };
    let (by_redis, _) = spent.per_second(redis).await;
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    // "command","rps","avg","min","p50","p95","p99","max"; the command may hold commas.
    let fields: Vec<f64> = said
        .lines()
        .last()
        .map(|line| line.rsplit(',').map_while(|field| field.trim_matches('"').parse().ok()).collect())
        .unwrap_or_default();
    assert!(fields.len() >= 7, "{said}{output:?}");
    let (p99, p50, per_second) = (fields[1], fields[3], fields[6]);
    let per_second = per_second * items as f64;
    Some(Row { per_second, p50, p99, redis: by_redis * 1e6 / per_second, here: 0.0 })
}
