//! A cluster of a test's own.

use stockpulse_redis::RedisOptions;

use super::node::{Node, until};

/// The slots that a cluster shares out.
const SLOTS: usize = 16_384;
/// Primaries, and so how many parts of the slots.
const PARTS: usize = 3;

/// Three nodes that share the slots, and their replicas.
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

    /// Starts a replica of a node.
    pub(crate) async fn replicate(&mut self, program: &str, primary: usize) {
        let node = Self::node(program).await;
        self.meet(&node).await;
        self.nodes.push(node);
        self.agree().await;
        let (id, replica) = (self.id(primary).await, self.nodes.last().unwrap());
        replica.command::<()>(&["CLUSTER", "REPLICATE", &id]).await.unwrap();
        replica.follows().await;
    }

    /// Which node has a key.
    pub(crate) async fn owner(&self, key: &str) -> usize {
        let slot = self.slot(key).await;
        for (index, node) in self.nodes.iter().enumerate() {
            if node.command::<u64>(&["CLUSTER", "COUNTKEYSINSLOT", &slot]).await.unwrap() > 0 {
                return index;
            }
        }
        panic!("no node has {key}");
    }

    /// Moves the slot of a key, with all that is in it, to the next node.
    pub(crate) async fn move_slot(&self, key: &str) {
        let (slot, from) = (self.slot(key).await, self.owner(key).await);
        let to = (from + 1) % self.nodes.len();
        let ([source, target], [from, into]) =
            ([&self.nodes[from], &self.nodes[to]], [self.id(from).await, self.id(to).await]);
        target.command::<()>(&["CLUSTER", "SETSLOT", &slot, "IMPORTING", &from]).await.unwrap();
        source.command::<()>(&["CLUSTER", "SETSLOT", &slot, "MIGRATING", &into]).await.unwrap();
        let port = target.port.to_string();
        loop {
            let keys: Vec<String> = source.command(&["CLUSTER", "GETKEYSINSLOT", &slot, "100"]).await.unwrap();
            // One after the other, so that a call meets some of its keys here and some there.
            let Some(key) = keys.first() else { break };
            source.command::<()>(&["MIGRATE", "127.0.0.1", &port, key, "0", "5000"]).await.unwrap();
        }
        for node in [target, source] {
            node.command::<()>(&["CLUSTER", "SETSLOT", &slot, "NODE", &into]).await.unwrap();
        }
    }

    async fn slot(&self, key: &str) -> String {
        self.nodes[0].command::<u64>(&["CLUSTER", "KEYSLOT", key]).await.unwrap().to_string()
    }

    async fn id(&self, node: usize) -> String {
        self.nodes[node].command(&["CLUSTER", "MYID"]).await.unwrap()
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
