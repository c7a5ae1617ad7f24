//! Three nodes that share the partitions.

use stockpulse_core::conformance::{bus, run};
use stockpulse_redis::{RedisConnection, RedisStreamsBus};

use super::load::Load;
use super::support::quick;
use crate::conformance::harness::{self, Redis};
use crate::support::cluster::Cluster;
use crate::support::node::program;
use crate::support::{found_or_skip, fresh};

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

/// Buses with a connection of its own each.
fn buses<const N: usize>(cluster: &Cluster, prefix: &str) -> [RedisStreamsBus; N] {
    let options = cluster.options().with_prefix(prefix);
    [(); N].map(|()| RedisStreamsBus::new(RedisConnection::new(options.clone()).unwrap(), quick()).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_while_partitions_move_to_other_nodes() {
    let name = "nothing_is_lost_while_partitions_move_to_other_nodes";
    let Some(program) = found_or_skip(name, program()) else { return };
    let cluster = Cluster::start(&program).await;
    let prefix = fresh();
    let load = Load::begin(buses(&cluster, &prefix));
    load.flows().await;
    for partition in [0, 1, 2, 3] {
        cluster.move_slot(&format!("{prefix}bus:{{stockpulse.orders:{partition}}}")).await;
        load.flows().await;
    }
    load.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_dies_is_replaced_by_its_replica() {
    let Some(program) = found_or_skip("a_node_that_dies_is_replaced_by_its_replica", program()) else { return };
    let mut cluster = Cluster::start(&program).await;
    let prefix = fresh();
    let load = Load::begin(buses(&cluster, &prefix));
    load.flows().await;
    load.end().await;
    let primary = cluster.owner(&format!("{prefix}bus:{{stockpulse.orders:0}}")).await;
    cluster.replicate(&program, primary).await;
    cluster.nodes[primary].is_replicated().await;
    cluster.nodes[primary].kill();
    // What is acknowledged now is acknowledged by the replica: had it been by the primary, it could be lost.
    let load = Load::begin(buses(&cluster, &prefix));
    load.flows().await;
    load.end().await;
    cluster.nodes.remove(primary);
    let promoted = cluster.owner(&format!("{prefix}bus:{{stockpulse.orders:0}}")).await;
    assert_eq!(promoted + 1, cluster.nodes.len(), "the replica has the partition");
}
