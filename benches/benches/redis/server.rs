//! The Redis that is measured on.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use stockpulse_core::port::{Clock, IdGenerator};
use stockpulse_core::{RandomIds, SystemClock};
use stockpulse_redis::{RedisConnection, RedisOptions};
use tempfile::TempDir;
use uuid::Uuid;

/// A server, and a prefix of keys that nobody else uses.
#[derive(Debug)]
pub(crate) struct Redis {
    pub(crate) url: String,
    pub(crate) prefix: String,
    /// The program `redis-benchmark`, perhaps.
    pub(crate) tool: PathBuf,
    client: redis::Client,
    _own: Option<Own>,
}

impl Redis {
    /// A server of its own, or the one that the environment names; or why there is none.
    pub(crate) async fn new() -> Result<Self, String> {
        let named = |variable| std::env::var(variable).ok().filter(|value| !value.is_empty());
        let program = named("STOCKPULSE_REDIS_SERVER").map(PathBuf::from);
        let own = program.as_deref().map(Own::start);
        let url = match &own {
            Some(own) => format!("redis://127.0.0.1:{}", own.port),
            None => named("STOCKPULSE_REDIS").ok_or("STOCKPULSE_REDIS is not set; `make bench` starts a server")?,
        };
        let folder = program.as_deref().and_then(Path::parent).unwrap_or(Path::new(""));
        let client = redis::Client::open(url.as_str()).map_err(|error| error.category().to_owned())?;
        let prefix = format!("bench-{}:", new_id().simple());
        let redis = Self { url, prefix, tool: folder.join("redis-benchmark"), client, _own: own };
        for _ in 0..100 {
            if redis.client.get_multiplexed_async_connection().await.is_ok() {
                return Ok(redis);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Err("the server does not answer".to_owned())
    }

    /// A connection of the library, as people use it.
    pub(crate) async fn connect(&self) -> MultiplexedConnection {
        self.client.get_multiplexed_async_connection().await.expect("redis answers")
    }

    /// A connection of StockPulse.
    pub(crate) fn connection(&self) -> RedisConnection {
        RedisConnection::new(RedisOptions::new(&self.url).with_prefix(&self.prefix)).expect("options that are right")
    }

    /// Deletes all keys of this benchmark.
    pub(crate) async fn clear(&self) {
        let (mut connection, mut cursor) = (self.connect().await, 0_u64);
        loop {
            let mut scan = redis::cmd("SCAN");
            scan.arg(cursor).arg("MATCH").arg(format!("{}*", self.prefix)).arg("COUNT").arg(10_000);
            let (next, keys): (u64, Vec<Vec<u8>>) = scan.query_async(&mut connection).await.expect("redis answers");
            if !keys.is_empty() {
                let delete = redis::cmd("DEL").arg(keys).query_async::<u64>(&mut connection).await;
                delete.expect("redis answers");
            }
            if next == 0 {
                return;
            }
            cursor = next;
        }
    }

    /// The seconds of processors that the server has taken so far.
    pub(crate) async fn processor(&self) -> f64 {
        let info: String =
            redis::cmd("INFO").arg("cpu").query_async(&mut self.connect().await).await.expect("redis answers");
        let figure = |name: &str| -> f64 {
            let line = info.lines().find_map(|line| line.strip_prefix(name)).expect("a figure");
            line.parse().expect("a number")
        };
        figure("used_cpu_user:") + figure("used_cpu_sys:")
    }
}

/// A server that ends with the benchmark.
#[derive(Debug)]
struct Own {
    child: Child,
    port: u16,
    _folder: TempDir,
}

impl Own {
    fn start(program: &Path) -> Self {
        let folder = TempDir::new().expect("a folder");
        let port = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port").port();
        let mut command = Command::new(program);
        command.args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", "", "--appendonly", "no", "--dir"]);
        let child = command.arg(folder.path()).stdout(Stdio::null()).spawn().expect("a server that starts");
        Self { child, port, _folder: folder }
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        self.child.kill().and_then(|()| self.child.wait()).expect("it ends");
    }
}

/// A new id, which begins with the time.
pub(crate) fn new_id() -> Uuid {
    RandomIds.next_id(SystemClock.now())
}
