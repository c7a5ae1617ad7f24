//! A server of a test's own, to be killed and to be stopped.

use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitOptions};
use tempfile::TempDir;

use super::support::found_or_skip;

/// Whom it runs as when the tests run as root: `nobody`, as all servers of the tests.
const NOBODY: u32 = 65_534;

/// A server that writes each change to its disk before it answers. Dropped it is killed, and its folder deleted. Every call
/// blocks until it is done.
#[derive(Debug)]
pub(crate) struct Server {
    program: PathBuf,
    arguments: &'static [&'static str],
    running: Option<Child>,
    port: u16,
    folder: TempDir,
}

impl Server {
    /// A running server, or nothing where there is no program for it; then it says so.
    pub(crate) fn new(test: &str) -> Option<Self> {
        Self::with(test, &[])
    }

    /// One with these arguments more.
    pub(crate) fn with(test: &str, arguments: &'static [&'static str]) -> Option<Self> {
        let program = std::env::var_os("STOCKPULSE_REDIS_SERVER").map(PathBuf::from);
        let reason = || "STOCKPULSE_REDIS_SERVER names no server to be killed".to_owned();
        let program = found_or_skip(test, program.ok_or_else(reason))?;
        let folder = tempfile::Builder::new().prefix("stockpulse-redis-own.").tempdir().unwrap();
        if rustix::process::geteuid().is_root() {
            chown(folder.path(), Some(NOBODY), Some(NOBODY)).unwrap();
        }
        let mut server = Self { program, arguments, running: None, port: 0, folder };
        // Somebody else may take the port in between.
        let started = (0..5).any(|_| {
            server.port = free_port();
            server.starts()
        });
        assert!(started, "the server does not start: {}", server.log());
        Some(server)
    }

    /// Its URL, which stays the same.
    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Starts it again, and waits until it has read its file.
    pub(crate) fn start(&mut self) {
        assert!(self.starts(), "the server does not start: {}", self.log());
    }

    /// Kills it with SIGKILL, and waits until it is gone.
    pub(crate) fn kill(&mut self) {
        if let Some(mut running) = self.running.take() {
            let _ = running.kill();
            let _ = running.wait();
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
        let id = Pid::from_child(self.running.as_ref().expect("a running server"));
        rustix::process::kill_process(id, signal).unwrap();
        id
    }

    fn starts(&mut self) -> bool {
        let log = File::options().create(true).append(true).open(self.folder.path().join("log")).unwrap();
        let mut command = Command::new(&self.program);
        command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "yes", "--appendfsync", "always"]);
        command.args(self.arguments).arg("--port").arg(self.port.to_string()).arg("--dir").arg(self.folder.path());
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        if rustix::process::geteuid().is_root() {
            command.uid(NOBODY).gid(NOBODY);
        }
        let mut running = command.spawn().unwrap();
        for _ in 0..1_200 {
            if running.try_wait().unwrap().is_some() {
                return false;
            }
            if self.answers().unwrap_or(false) {
                self.running = Some(running);
                return true;
            }
            sleep(Duration::from_millis(20));
        }
        let _ = running.kill();
        let _ = running.wait();
        false
    }

    /// While it reads its file it refuses to look anything up.
    fn answers(&self) -> std::io::Result<bool> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        stream.write_all(b"EXISTS a\r\n")?;
        let mut answer = [0; 2];
        stream.read_exact(&mut answer)?;
        Ok(answer == *b":0")
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Below the range that the system takes for outgoing connections: one of those could meet itself there while the server
/// is down, and keep it from starting.
fn free_port() -> u16 {
    let random = RandomState::new().hash_one(std::process::id());
    let from = u16::try_from(random % 11_000).unwrap();
    let mut ports = (0..1_000).map(|number| 20_000 + from + number);
    ports.find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok()).expect("a free port")
}
