//! Three nodes that share the partitions.

use std::time::Duration;

use redis::FromRedisValue;
use stockpulse_core::conformance::{bus, run};
use stockpulse_redis::RedisOptions;

use super::harness::Redis;
use super::server::Server;

/// Sends a node a command past the crate.
async fn command<T: FromRedisValue>(node: &Server, words: &[&str]) -> T {
    let client = redis::Client::open(node.url()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    redis::cmd(words[0]).arg(&words[1..]).query_async(&mut connection).await.unwrap()
}

/// Nodes that know each other, with all slots among them.
async fn start(test: &str) -> Option<Vec<Server>> {
    let mut nodes = Vec::new();
    for (first, last) in [("0", "5460"), ("5461", "10922"), ("10923", "16383")] {
        let node = Server::with(test, &["--cluster-enabled", "yes", "--cluster-node-timeout", "2000"])?;
        command::<()>(&node, &["CLUSTER", "ADDSLOTSRANGE", first, last]).await;
        nodes.push(node);
    }
    let url = nodes[0].url();
    let port = url.rsplit(':').next().unwrap();
    for node in &nodes[1..] {
        command::<()>(node, &["CLUSTER", "MEET", "127.0.0.1", port]).await;
    }
    for node in &nodes {
        let mut info = String::new();
        for _ in 0..1_200 {
            info = command(node, &["CLUSTER", "INFO"]).await;
            if info.contains("cluster_state:ok") && info.contains("cluster_known_nodes:3") {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert!(info.contains("cluster_state:ok"), "{info}");
    }
    Some(nodes)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_rule_holds_on_a_cluster() {
    let Some(nodes) = start("every_rule_holds_on_a_cluster").await else { return };
    let harness = Redis::new(Ok(RedisOptions::cluster([nodes[0].url(), nodes[1].url()])));
    let report = run(bus::RULES, &harness).await;
    assert!(report.broken.is_empty(), "{:?}", report.broken);
    assert_eq!(report.held.len(), bus::RULES.len());
    for node in &nodes {
        assert!(command::<u64>(node, &["DBSIZE"]).await > 0, "a node has nothing: the partitions are not spread");
    }
}
