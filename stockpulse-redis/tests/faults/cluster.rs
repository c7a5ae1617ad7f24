//! Three nodes that share the slots.

use std::sync::Arc;

use stockpulse_core::conformance::{Harness, cache, gate, run};
use stockpulse_core::port::{AdmissionGate, Cache};
use stockpulse_redis::{RedisCache, RedisGate, RedisOptions};

use crate::conformance::harness::{Redis, sharded};
use crate::support::found_or_skip;
use crate::support::node::{Node, program, until};

/// Nodes that know each other, with all slots among them.
async fn start(program: &str) -> Vec<Node> {
    let mut nodes = Vec::new();
    for slots in [["0", "5460"], ["5461", "10922"], ["10923", "16383"]] {
        let node = Node::start(program, &["--cluster-enabled", "yes", "--cluster-node-timeout", "2000"]).await;
        node.command::<()>(&["CLUSTER", "ADDSLOTSRANGE", slots[0], slots[1]]).await.unwrap();
        nodes.push(node);
    }
    for node in &nodes[1..] {
        let port = nodes[0].port.to_string();
        node.command::<()>(&["CLUSTER", "MEET", "127.0.0.1", &port]).await.unwrap();
    }
    for node in &nodes {
        until("the nodes know each other", || async {
            let info: String = node.command(&["CLUSTER", "INFO"]).await.ok()?;
            (info.contains("cluster_state:ok") && info.contains("cluster_known_nodes:3")).then_some(())
        })
        .await;
    }
    nodes
}

async fn holds<B: Clone + Send + Sync + 'static>(
    rules: &[stockpulse_core::conformance::Rule<B>],
    harness: &dyn Harness<B>,
) {
    let report = run(rules, harness).await;
    assert!(report.broken.is_empty(), "{:?}", report.broken);
    assert_eq!(report.held.len(), rules.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_rule_holds_on_a_cluster() {
    let Some(program) = found_or_skip("every_rule_holds_on_a_cluster", program()) else { return };
    let nodes = start(&program).await;
    let options = || Ok(RedisOptions::cluster([nodes[0].url(), nodes[1].url()]));
    let caches = Redis::<Arc<dyn Cache>>::new(options(), |connection| Arc::new(RedisCache::new(connection)));
    let gates = Redis::<Arc<dyn AdmissionGate>>::new(options(), |connection| Arc::new(RedisGate::new(connection)));
    let sharded = Redis::<Arc<dyn AdmissionGate>>::new(options(), sharded);
    holds(cache::RULES, &caches).await;
    for node in &nodes {
        let keys: u64 = node.command(&["DBSIZE"]).await.unwrap();
        assert!(keys > 0, "a node has nothing: the keys are not spread");
    }
    holds(gate::RULES, &gates).await;
    holds(gate::RULES, &sharded).await;
}
