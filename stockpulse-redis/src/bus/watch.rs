//! Waiting for what comes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use futures::future::BoxFuture;
use redis::Value;
use stockpulse_core::Result;

use super::member::Member;
use crate::{RedisConnection, RedisServers};

/// How long the server keeps one wait.
pub(super) const BLOCK: Duration = Duration::from_secs(1);

/// Waits for new entries of several streams, on a connection of its own: while it waits, nothing else can be asked on it.
pub(super) struct Watch {
    /// None on a cluster, whose nodes do not wait for each other's streams.
    connection: Option<RedisConnection>,
    /// The partitions that the wait under way is for. It goes on when whoever began it gave up.
    waiting: Option<(BTreeSet<u32>, BoxFuture<'static, Result<()>>)>,
}

impl Watch {
    pub(super) fn new(connection: &RedisConnection) -> Result<Self> {
        let options = connection.options();
        let connection = match options.servers {
            RedisServers::Cluster(_) => None,
            _ => {
                let limit = BLOCK + options.response_timeout;
                Some(RedisConnection::new(options.clone().with_response_timeout(limit))?)
            }
        };
        Ok(Self { connection, waiting: None })
    }

    /// Begins to wait for what comes behind these entries, unless a wait is under way. Answers whether that one is for all
    /// of them.
    pub(super) fn begin(&mut self, member: &Member, places: &BTreeMap<u32, String>) -> bool {
        let Some(connection) = self.connection.clone() else { return places.is_empty() };
        if self.waiting.is_none() && !places.is_empty() {
            let mut read = redis::cmd("XREAD");
            read.arg("COUNT").arg(1).arg("BLOCK").arg(BLOCK.as_millis().to_string()).arg("STREAMS");
            for partition in places.keys().filter_map(|index| member.partition(*index)) {
                read.arg(&partition.stream);
            }
            for last in places.values() {
                read.arg(last);
            }
            let wait = Box::pin(async move { connection.query::<Value>(&read).await.map(drop) });
            self.waiting = Some((places.keys().copied().collect(), wait));
        }
        let waiting = self.waiting.as_ref();
        waiting.map_or(places.is_empty(), |(waiting, _)| places.keys().all(|index| waiting.contains(index)))
    }

    /// Ends when something came, or the server kept the wait no longer; never if there is none.
    ///
    /// # Cancel safety
    /// The wait goes on.
    pub(super) async fn wait(&mut self) -> Result<()> {
        let Some((_, waiting)) = &mut self.waiting else { return std::future::pending().await };
        let ended = waiting.await;
        self.waiting = None;
        ended
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let waiting = self.waiting.as_ref().map(|(waiting, _)| waiting);
        f.debug_struct("Watch").field("waiting", &waiting).finish_non_exhaustive()
    }
}
