//! A primary with a replica that Sentinel promotes.

use stockpulse_redis::RedisOptions;

use super::fresh;
use super::node::{Node, until};

/// The primary's name.
const NAME: &str = "shop";

/// A primary, its replica, and a sentinel that is alone.
pub(crate) struct Watched {
    pub(crate) primary: Node,
    replica: Node,
    sentinel: Node,
}

impl Watched {
    /// Starts them, the primary with these arguments more, and waits until the replica is in step and known.
    pub(crate) async fn start(program: &str, arguments: &[&str]) -> Self {
        let primary = Node::start(program, arguments).await;
        let replica = Node::start(program, &["--replicaof", "127.0.0.1", &primary.port.to_string()]).await;
        replica.follows().await;
        let sentinel = Node::sentinel(program, &primary, NAME).await;
        until("the sentinel knows the replica", || async {
            let replicas: Vec<redis::Value> = sentinel.command(&["SENTINEL", "REPLICAS", NAME]).await.ok()?;
            (replicas.len() == 1).then_some(())
        })
        .await;
        Self { primary, replica, sentinel }
    }

    /// How it is reached, under a prefix that nobody else uses.
    pub(crate) fn options(&self) -> RedisOptions {
        RedisOptions::sentinel([self.sentinel.url()], NAME).with_prefix(fresh())
    }

    /// Ends the primary, and waits until the replica is one.
    pub(crate) async fn fail_over(&mut self) {
        self.primary.kill();
        until("the replica is promoted", || async {
            let role: Vec<redis::Value> = self.replica.command(&["ROLE"]).await.ok()?;
            (role.first() == Some(&redis::Value::BulkString(b"master".to_vec()))).then_some(())
        })
        .await;
    }
}
