//! Servers of a test's own, which it may end.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use stockpulse_core::SystemClock;
use stockpulse_core::port::Clock;
use tempfile::TempDir;

/// The program, or why there is none.
pub(crate) fn program() -> Result<String, String> {
    match std::env::var("STOCKPULSE_REDIS_SERVER") {
        Ok(program) if !program.is_empty() => Ok(program),
        _ => Err("STOCKPULSE_REDIS_SERVER names no redis-server".to_owned()),
    }
}

/// A server on loopback, in a folder of its own, which keeps nothing on disk. It is killed when this is dropped.
pub(crate) struct Node {
    program: String,
    arguments: Vec<String>,
    folder: TempDir,
    pub(crate) port: u16,
    child: Option<Child>,
}

impl Node {
    /// Starts a server with these arguments more.
    pub(crate) async fn start(program: &str, arguments: &[&str]) -> Self {
        let arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        let folder = tempfile::tempdir().unwrap();
        let mut node = Self { program: program.to_owned(), arguments, folder, port: free_port(), child: None };
        node.restart().await;
        node
    }

    /// Starts a sentinel that is alone, and quick to find that the primary is gone.
    #[cfg(feature = "sentinel")]
    pub(crate) async fn sentinel(program: &str, primary: &Self, name: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("sentinel.conf");
        let port = primary.port;
        let lines = format!(
            "sentinel monitor {name} 127.0.0.1 {port} 1\nsentinel down-after-milliseconds {name} 500\n\
             sentinel failover-timeout {name} 5000\n"
        );
        std::fs::write(&file, lines).unwrap();
        let arguments = vec![file.display().to_string(), "--sentinel".to_owned()];
        let mut node = Self { program: program.to_owned(), arguments, folder, port: free_port(), child: None };
        node.restart().await;
        node
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Starts it again on the same port, empty.
    pub(crate) async fn restart(&mut self) {
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .args(["--bind", "127.0.0.1", "--port", &self.port.to_string(), "--save", "", "--appendonly", "no"])
            .arg("--dir")
            .arg(self.folder.path())
            .stdout(Stdio::null());
        self.child = Some(command.spawn().unwrap());
        let client = redis::Client::open(self.url()).unwrap();
        until("the server answers", || async {
            let mut connection = client.get_multiplexed_async_connection().await.ok()?;
            redis::cmd("PING").query_async::<String>(&mut connection).await.ok().map(drop)
        })
        .await;
    }

    /// Ends it as a power cut would.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Sends it a command past the crate.
    pub(crate) async fn command<T: redis::FromRedisValue>(&self, words: &[&str]) -> redis::RedisResult<T> {
        let client = redis::Client::open(self.url())?;
        let mut connection = client.get_multiplexed_async_connection().await?;
        let mut command = redis::Cmd::new();
        for word in words {
            command.arg(*word);
        }
        command.query_async(&mut connection).await
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A port that is free, and has one for a cluster's bus 10,000 above it.
pub(crate) fn free_port() -> u16 {
    loop {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        if port <= 55_000 {
            return port;
        }
    }
}

/// Tries until something is there, for a minute.
pub(crate) async fn until<T, F: Future<Output = Option<T>>>(what: &str, mut attempt: impl FnMut() -> F) -> T {
    let attempts = async {
        loop {
            if let Some(found) = attempt().await {
                return found;
            }
            SystemClock.sleep(Duration::from_millis(50)).await;
        }
    };
    match tokio::time::timeout(Duration::from_secs(60), attempts).await {
        Ok(found) => found,
        Err(_) => panic!("a minute passed, and not: {what}"),
    }
}
