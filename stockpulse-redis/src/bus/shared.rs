//! What the clones of a bus and its subscriptions share.

use stockpulse_core::model::EventType;
use stockpulse_core::{Error, Result};
use tokio::sync::{OnceCell, RwLock};
use tokio_util::sync::CancellationToken;

use super::keys::{self, Partition};
use super::options::StreamsOptions;
use crate::RedisConnection;

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) connection: RedisConnection,
    pub(super) options: StreamsOptions,
    pub(super) closed: CancellationToken,
    /// Read by each publication while it runs.
    pub(super) publishing: RwLock<()>,
    partitions: OnceCell<u32>,
}

impl Shared {
    pub(super) fn new(connection: RedisConnection, options: StreamsOptions) -> Self {
        let closed = CancellationToken::new();
        Self { connection, options, closed, publishing: RwLock::default(), partitions: OnceCell::new() }
    }

    /// Fails if it was closed.
    pub(super) fn check(&self) -> Result<()> {
        if self.closed.is_cancelled() { Err(Error::closed("bus")) } else { Ok(()) }
    }

    /// Makes the bus unless there is one. Answers whether there was none.
    pub(super) async fn create(&self) -> Result<bool> {
        let mut set = redis::cmd("SET");
        set.arg(keys::partitions(self.connection.options())).arg(self.options.partitions.max(1)).arg("NX");
        Ok(self.connection.query::<redis::Value>(&set).await? != redis::Value::Nil)
    }

    /// How many partitions a topic has: as many as whoever came first wanted.
    pub(super) async fn partitions(&self) -> Result<u32> {
        let found = self.partitions.get_or_try_init(|| async {
            self.create().await?;
            let key = keys::partitions(self.connection.options());
            self.connection.query::<u32>(redis::cmd("GET").arg(&key)).await
        });
        found.await.copied()
    }

    /// The topics of all event types.
    pub(super) fn topics(&self) -> Vec<&str> {
        self.options.topics.topics(EventType::ALL)
    }

    /// All partitions of topics, which have to be in order of name.
    pub(super) async fn partitions_of(&self, topics: &[&str]) -> Result<Vec<Partition>> {
        let count = self.partitions().await?;
        let options = self.connection.options();
        let all = topics.iter().flat_map(|topic| (0..count).map(|number| Partition::new(options, topic, number)));
        Ok(all.collect())
    }
}
