//! Servers of a test's own, which it may end.

use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitOptions};
use stockpulse_core::SystemClock;
use stockpulse_core::port::Clock;
use tempfile::TempDir;

/// Whom servers run as when the tests run as root: `nobody`, as all servers of the tests.
const NOBODY: u32 = 65_534;

/// The program, or why there is none.
pub(crate) fn program() -> Result<String, String> {
    match std::env::var("STOCKPULSE_REDIS_SERVER") {
        Ok(program) if !program.is_empty() => Ok(program),
        _ => Err("STOCKPULSE_REDIS_SERVER names no redis-server".to_owned()),
    }
}

/// A server on loopback, in a folder of its own, which keeps nothing on disk unless it is told to. When this is dropped, it
/// is killed and its folder deleted.
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
        // A replica need not wait whether others come and want a copy too.
        let always = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--repl-diskless-sync-delay", "0"];
        let arguments = always.iter().chain(arguments).map(|argument| (*argument).to_owned()).collect();
        Self::begin(program, arguments, folder()).await
    }

    /// Starts a sentinel that is alone, and quick to find that the primary is gone.
    #[cfg(feature = "sentinel")]
    pub(crate) async fn sentinel(program: &str, primary: &Self, name: &str) -> Self {
        let folder = folder();
        let file = folder.path().join("sentinel.conf");
        let port = primary.port;
        let lines = format!(
            "bind 127.0.0.1\nsentinel monitor {name} 127.0.0.1 {port} 1\nsentinel down-after-milliseconds {name} 1000\n\
             sentinel failover-timeout {name} 5000\n"
        );
        std::fs::write(&file, lines).unwrap();
        give(&file);
        Self::begin(program, vec![file.display().to_string(), "--sentinel".to_owned()], folder).await
    }

    async fn begin(program: &str, arguments: Vec<String>, folder: TempDir) -> Self {
        let mut node = Self { program: program.to_owned(), arguments, folder, port: 0, child: None };
        for _ in 0..5 {
            node.port = free_port();
            if node.starts().await {
                return node;
            }
            // Somebody else took the port in between.
        }
        panic!("the server does not start: {}", node.log());
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Starts it again on the same port, with what is on its disk, and waits until it has read that.
    pub(crate) async fn restart(&mut self) {
        assert!(self.starts().await, "the server does not start: {}", self.log());
    }

    /// Ends it with SIGKILL, and waits until it is gone.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Stops it where it is: connections stay, and nobody answers.
    pub(crate) fn pause(&self) {
        let id = self.signal(Signal::STOP);
        let stopped = rustix::process::waitpid(Some(id), WaitOptions::UNTRACED).unwrap();
        assert!(stopped.is_some_and(|(_, status)| status.stopped()), "the server has ended: {}", self.log());
    }

    /// Lets it go on after [`pause`](Self::pause).
    pub(crate) fn resume(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) -> Pid {
        let id = Pid::from_child(self.child.as_ref().expect("a running server"));
        rustix::process::kill_process(id, signal).unwrap();
        id
    }

    async fn starts(&mut self) -> bool {
        let log = File::options().create(true).append(true).open(self.folder.path().join("log")).unwrap();
        let mut command = Command::new(&self.program);
        command
            .args(&self.arguments)
            .args(["--port", &self.port.to_string(), "--dir"])
            .arg(self.folder.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log);
        if rustix::process::geteuid().is_root() {
            command.uid(NOBODY).gid(NOBODY);
        }
        let mut child = command.spawn().unwrap();
        let started = until("the server answers", || {
            let ended = child.try_wait().unwrap().is_some();
            // While it reads its files it refuses even this.
            let node = &*self;
            async move {
                let answers = !ended && node.command::<String>(&["PING"]).await.is_ok();
                (ended || answers).then_some(!ended)
            }
        });
        let started = started.await;
        self.child = Some(child).filter(|_| started);
        started
    }

    /// Sends it a command past the crate.
    pub(crate) async fn command<T: redis::FromRedisValue>(&self, words: &[&str]) -> redis::RedisResult<T> {
        let mut command = redis::Cmd::new();
        for word in words {
            command.arg(*word);
        }
        command.query_async(&mut self.connection().await?).await
    }

    /// A connection that is patient: a machine may be busy.
    async fn connection(&self) -> redis::RedisResult<redis::aio::MultiplexedConnection> {
        let config = redis::AsyncConnectionConfig::new().set_response_timeout(Some(Duration::from_secs(30)));
        redis::Client::open(self.url())?.get_multiplexed_async_connection_with_config(&config).await
    }

    /// Waits until a replica knows everything that this server has said yes to so far.
    #[cfg(any(feature = "cluster", feature = "sentinel"))]
    pub(crate) async fn is_replicated(&self) {
        let mut connection = self.connection().await.unwrap();
        // `WAIT` is about what was written before the connection's last command.
        redis::cmd("PING").query_async::<()>(&mut connection).await.unwrap();
        let replicas: u64 = redis::cmd("WAIT").arg(1).arg(20_000).query_async(&mut connection).await.unwrap();
        assert!(replicas > 0, "no replica is in step");
    }

    /// Cuts its replicas off for good: they know nothing of what is written from now on.
    #[cfg(feature = "sentinel")]
    pub(crate) async fn cut_off(&self) {
        self.command::<()>(&["ACL", "SETUSER", "default", "-psync", "-sync"]).await.unwrap();
        self.command::<()>(&["CLIENT", "KILL", "TYPE", "replica"]).await.unwrap();
        until("no replica is connected", || async {
            let info: String = self.command(&["INFO", "replication"]).await.ok()?;
            info.contains("connected_slaves:0").then_some(())
        })
        .await;
    }

    /// Waits until it has copied its primary.
    #[cfg(any(feature = "cluster", feature = "sentinel"))]
    pub(crate) async fn follows(&self) {
        until("the replica is in step", || async {
            let info: String = self.command(&["INFO", "replication"]).await.ok()?;
            info.contains("master_link_status:up").then_some(())
        })
        .await;
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
    }
}

fn folder() -> TempDir {
    let folder = tempfile::Builder::new().prefix("stockpulse-redis-own.").tempdir().unwrap();
    give(folder.path());
    folder
}

/// Gives a file or folder to whom servers run as.
fn give(path: &Path) {
    if rustix::process::geteuid().is_root() {
        chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
    }
}

/// A port that is free, and has one for a cluster's bus 10,000 above it. Both are below the range that the system takes for
/// outgoing connections: one of those could meet itself there while the server is down, and keep it from starting.
fn free_port() -> u16 {
    let random = RandomState::new().hash_one(std::process::id());
    let from = 12_000 + u16::try_from(random % 9_000).unwrap();
    let free = |port: u16| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
    (from..from + 1_000).find(|port| free(*port) && free(*port + 10_000)).expect("a free port")
}

/// Tries until something is there, for a minute.
pub(crate) async fn until<T, F: Future<Output = Option<T>>>(what: &str, mut attempt: impl FnMut() -> F) -> T {
    let attempts = async {
        loop {
            if let Some(found) = attempt().await {
                return found;
            }
            SystemClock.sleep(Duration::from_millis(20)).await;
        }
    };
    match tokio::time::timeout(Duration::from_secs(60), attempts).await {
        Ok(found) => found,
        Err(_) => panic!("a minute passed, and not: {what}"),
    }
}
