//! A database server of a test's own, to be killed.

use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal};
use tempfile::TempDir;

use crate::support::{Kind, skipped};

/// Whom servers run as when the tests run as root: PostgreSQL refuses root. `nobody`, as everywhere.
const NOBODY: u32 = 65_534;

/// A server with its folder. Dropped it is killed, and its folder deleted.
#[derive(Debug)]
pub(crate) struct Server {
    kind: Kind,
    running: Option<Child>,
    port: u16,
    folder: TempDir,
}

impl Server {
    /// A running server, or nothing where there is no program for it; then it says so.
    pub(crate) async fn new(kind: Kind) -> Option<Self> {
        let variables: &[&str] = match kind {
            Kind::Postgres => &["STOCKPULSE_PG_BIN"],
            _ => &["STOCKPULSE_MARIADBD", "STOCKPULSE_MARIADB_INSTALL_DB"],
        };
        if let Some(variable) = variables.iter().find(|variable| std::env::var(variable).is_err()) {
            skipped(kind, &format!("{variable} does not name the programs of a server to be killed"));
            return None;
        }
        let folder = tempfile::Builder::new().prefix("stockpulse-kills.").tempdir().unwrap();
        std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o700)).unwrap();
        if is_root() {
            chown(folder.path(), Some(NOBODY), Some(NOBODY)).unwrap();
        }
        let mut server = Self { kind, running: None, port: free_port(), folder };
        server.install();
        server.start().await;
        Some(server)
    }

    pub(crate) fn url(&self) -> String {
        let port = self.port;
        match self.kind {
            Kind::Postgres => format!("postgres://stockpulse@127.0.0.1:{port}/postgres"),
            _ => format!("mysql://stockpulse:stockpulse@127.0.0.1:{port}/stockpulse"),
        }
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A program in the server's folder, as the server's user, with its output in the log.
    fn command(&self, program: impl AsRef<Path>) -> Command {
        let folder = self.folder.path();
        let log = File::options().create(true).append(true).open(folder.join("log")).unwrap();
        let mut command = Command::new(program.as_ref());
        command.current_dir(folder).env("HOME", folder).env("TMPDIR", folder).stdin(Stdio::null());
        command.stdout(log.try_clone().unwrap()).stderr(log);
        if is_root() {
            command.uid(NOBODY).gid(NOBODY);
        }
        command
    }

    fn install(&self) {
        let mut command = match self.kind {
            Kind::Postgres => {
                let mut command = self.command(program("STOCKPULSE_PG_BIN").join("initdb"));
                command.args(["-U", "stockpulse", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "-D"]);
                command.arg(self.data());
                command
            }
            _ => {
                let users = "CREATE DATABASE IF NOT EXISTS stockpulse;\n\
                             CREATE USER IF NOT EXISTS stockpulse@127.0.0.1 IDENTIFIED BY 'stockpulse';\n\
                             GRANT ALL ON *.* TO stockpulse@127.0.0.1;\n";
                std::fs::write(self.folder.path().join("users.sql"), users).unwrap();
                let mut command = self.command(program("STOCKPULSE_MARIADB_INSTALL_DB"));
                command.args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"]);
                command.arg(setting("datadir", &self.data()));
                command
            }
        };
        let installed = command.status().unwrap();
        assert!(installed.success(), "{}", self.log());
    }

    /// Starts it, and waits until it answers.
    pub(crate) async fn start(&mut self) {
        let mut tries = 0;
        while !self.answers().await {
            tries += 1;
            assert!(tries < 1_200, "the server does not answer: {}", self.log());
            // What a killed server leaves behind may still keep its successor from starting.
            let ended = self.running.as_mut().is_none_or(|running| running.try_wait().unwrap().is_some());
            if ended {
                self.running = Some(self.program().spawn().unwrap());
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }

    fn program(&self) -> Command {
        let folder = self.folder.path();
        let mut command;
        match self.kind {
            Kind::Postgres => {
                command = self.command(program("STOCKPULSE_PG_BIN").join("postgres"));
                command.arg("-D").arg(self.data()).args(["-p", &self.port.to_string()]);
                command.args(["-c", "listen_addresses=127.0.0.1", "-c"]);
                command.arg(format!("unix_socket_directories={}", folder.display()));
            }
            _ => {
                command = self.command(program("STOCKPULSE_MARIADBD"));
                command.arg("--no-defaults").arg(setting("datadir", &self.data()));
                command.arg(setting("socket", &folder.join("socket"))).arg(setting("pid-file", &folder.join("pid")));
                command.arg(setting("init-file", &folder.join("users.sql"))).arg(format!("--port={}", self.port));
                command.args(["--bind-address=127.0.0.1", "--skip-name-resolve", "--innodb-buffer-pool-size=64M"]);
            }
        }
        command
    }

    async fn answers(&mut self) -> bool {
        use sqlx::Connection;
        if self.running.is_none() {
            return false;
        }
        match self.kind {
            Kind::Postgres => sqlx::PgConnection::connect(&self.url()).await.is_ok(),
            _ => sqlx::MySqlConnection::connect(&self.url()).await.is_ok(),
        }
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Kills it with SIGKILL: no signal that it could answer. PostgreSQL's own children would end their statements first.
    pub(crate) fn kill(&mut self) {
        let Some(mut running) = self.running.take() else { return };
        let children = children(running.id());
        let _ = running.kill();
        for child in children {
            let _ = rustix::process::kill_process(child, Signal::KILL);
        }
        let _ = running.wait();
    }
}

/// The processes that a process has started, where the system tells.
fn children(id: u32) -> Vec<Pid> {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let of_parent = |process: std::fs::DirEntry| {
        let stat = std::fs::read_to_string(process.path().join("stat")).ok()?;
        // `id (name) state parent …`; the name may contain anything.
        let (_, rest) = stat.rsplit_once(") ")?;
        let parent: u32 = rest.split(' ').nth(1)?.parse().ok()?;
        let child = process.file_name().to_str()?.parse().ok()?;
        if parent == id { Pid::from_raw(child) } else { None }
    };
    processes.filter_map(of_parent).collect()
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

fn program(variable: &str) -> PathBuf {
    PathBuf::from(std::env::var_os(variable).unwrap_or_default())
}

fn setting(name: &str, path: &Path) -> String {
    format!("--{name}={}", path.display())
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Below the range that the system takes for outgoing connections: one of those could meet itself there while the server
/// is down, and keep it from starting.
fn free_port() -> u16 {
    let random = RandomState::new().hash_one(std::process::id());
    let from = u16::try_from(random % 11_000).unwrap();
    let mut ports = (0..1_000).map(|number| 20_000 + from + number);
    ports.find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()).expect("a free port")
}
