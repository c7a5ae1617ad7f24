//! A cluster of a test's own.

use stockpulse_redis::RedisOptions;

use super::node::{Node, until};

/// The slots that a cluster shares out.
const SLOTS: usize = 16_384;
/// Primaries, and so how many parts of the slots.
const PARTS: usize = 3;

/// Three nodes that share the slots.
pub(crate) struct Cluster {
    pub(crate) nodes: Vec<Node>,
}

impl Cluster {
    /// Starts nodes that know each other.
    pub(crate) async fn start(program: &str) -> Self {
        let mut nodes = Vec::new();
        for part in 0..PARTS {
            let node = Self::node(program).await;
            let [first, last] = [SLOTS * part / PARTS, SLOTS * (part + 1) / PARTS - 1].map(|slot| slot.to_string());
            node.command::<()>(&["CLUSTER", "ADDSLOTSRANGE", &first, &last]).await.unwrap();
            nodes.push(node);
        }
        let cluster = Self { nodes };
        for node in &cluster.nodes[1..] {
            cluster.meet(node).await;
        }
        cluster.agree().await;
        cluster
    }

    pub(crate) fn options(&self) -> RedisOptions {
        RedisOptions::cluster([self.nodes[0].url(), self.nodes[1].url()])
    }

    async fn node(program: &str) -> Node {
        Node::start(program, &["--cluster-enabled", "yes", "--cluster-node-timeout", "1000"]).await
    }

    async fn meet(&self, node: &Node) {
        node.command::<()>(&["CLUSTER", "MEET", "127.0.0.1", &self.nodes[0].port.to_string()]).await.unwrap();
    }

    /// Waits until all nodes know of all others and of all slots.
    async fn agree(&self) {
        let known = format!("cluster_known_nodes:{}\r", self.nodes.len());
        for node in &self.nodes {
            until("the nodes know each other", || async {
                let info: String = node.command(&["CLUSTER", "INFO"]).await.ok()?;
                (info.contains("cluster_state:ok") && info.contains(&known)).then_some(())
            })
            .await;
        }
    }
}
