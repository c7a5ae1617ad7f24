//! Three nodes that share the slots.

use std::sync::Arc;

use stockpulse_core::conformance::{Harness, cache, gate, run};
use stockpulse_core::port::{AdmissionGate, Cache};
use stockpulse_redis::{RedisCache, RedisGate};

use crate::conformance::harness::{Redis, sharded};
use crate::support::cluster::Cluster;
use crate::support::found_or_skip;
use crate::support::node::program;

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
    let cluster = Cluster::start(&program).await;
    let options = || Ok(cluster.options());
    let caches = Redis::<Arc<dyn Cache>>::new(options(), |connection| Arc::new(RedisCache::new(connection)));
    let gates = Redis::<Arc<dyn AdmissionGate>>::new(options(), |connection| Arc::new(RedisGate::new(connection)));
    let sharded = Redis::<Arc<dyn AdmissionGate>>::new(options(), sharded);
    holds(cache::RULES, &caches).await;
    for node in &cluster.nodes {
        let keys: u64 = node.command(&["DBSIZE"]).await.unwrap();
        assert!(keys > 0, "a node has nothing: the keys are not spread");
    }
    holds(gate::RULES, &gates).await;
    holds(gate::RULES, &sharded).await;
}
