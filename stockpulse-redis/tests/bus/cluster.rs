//! Three nodes that share the partitions.

use stockpulse_core::conformance::{bus, run};

use crate::conformance::harness::{self, Redis};
use crate::support::cluster::Cluster;
use crate::support::found_or_skip;
use crate::support::node::program;

#[tokio::test(flavor = "multi_thread")]
async fn every_rule_of_a_bus_holds_on_a_cluster() {
    let Some(program) = found_or_skip("every_rule_of_a_bus_holds_on_a_cluster", program()) else { return };
    let cluster = Cluster::start(&program).await;
    let report = run(bus::RULES, &Redis::new(Ok(cluster.options()), harness::bus)).await;
    assert!(report.broken.is_empty(), "{:?}", report.broken);
    assert_eq!(report.held.len(), bus::RULES.len());
    for node in &cluster.nodes {
        let keys: u64 = node.command(&["DBSIZE"]).await.unwrap();
        assert!(keys > 0, "a node has nothing: the partitions are not spread");
    }
}
