//! A Kafka broker of a test's own, to be killed and to be stopped. The replay's tests use this file too.

use std::fs::File;
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use rustix::process::{Pid, Signal, WaitOptions};
use tempfile::TempDir;

/// Whom the broker runs as when the tests run as root: `nobody`, as all servers of the tests.
const NOBODY: u32 = 65_534;

/// A further listener, for clients that have to show who they are.
#[derive(Debug)]
pub(crate) struct Guarded {
    /// Its protocol, as brokers name it.
    pub(crate) protocol: &'static str,
    /// Settings of the broker, a line each.
    pub(crate) settings: String,
    /// Arguments with which its folders are formatted, such as users.
    pub(crate) format: Vec<String>,
}

/// As `.ci/servers/kafka.sh` has them, which says why.
const SETTINGS: &str = "\
    process.roles=broker,controller\n\
    node.id=1\n\
    controller.listener.names=CONTROLLER\n\
    inter.broker.listener.name=PLAINTEXT\n\
    auto.create.topics.enable=false\n\
    offsets.topic.replication.factor=1\n\
    offsets.topic.num.partitions=1\n\
    transaction.state.log.replication.factor=1\n\
    transaction.state.log.min.isr=1\n\
    transaction.state.log.num.partitions=1\n\
    share.coordinator.state.topic.replication.factor=1\n\
    share.coordinator.state.topic.min.isr=1\n\
    share.coordinator.state.topic.num.partitions=1\n\
    group.initial.rebalance.delay.ms=0\n\
    broker.session.timeout.ms=1000\n\
    broker.heartbeat.interval.ms=200\n\
    num.network.threads=2\n\
    num.io.threads=4\n\
    log.cleaner.dedupe.buffer.size=4194304\n";

const LOGGING: &str = "\
    status=error\n\
    appender.console.type=Console\n\
    appender.console.name=console\n\
    rootLogger.level=warn\n\
    rootLogger.appenderRef.console.ref=console\n";

/// A broker with its folder. Dropped it is killed, and its folder deleted. Every call blocks until it is done.
#[derive(Debug)]
pub(crate) struct Broker {
    java: PathBuf,
    /// The class path.
    jars: PathBuf,
    running: Option<Child>,
    port: u16,
    guarded: Option<(Guarded, u16)>,
    /// Everything it writes: the records of a partition are in `data/<topic>-<partition>`.
    pub(crate) folder: TempDir,
}

impl Broker {
    /// A running broker, or nothing where there is no program for it; then it says so.
    pub(crate) fn new(test: &str) -> Option<Self> {
        Self::with(test, None)
    }

    /// One with a further listener.
    pub(crate) fn with(test: &str, guarded: Option<Guarded>) -> Option<Self> {
        let (Some(libs), Some(java)) = (variable("STOCKPULSE_KAFKA_LIBS"), variable("STOCKPULSE_KAFKA_JAVA")) else {
            skipped(test, "STOCKPULSE_KAFKA_LIBS and STOCKPULSE_KAFKA_JAVA do not name a broker to be killed");
            return None;
        };
        let folder = tempfile::Builder::new().prefix("stockpulse-broker.").tempdir().unwrap();
        let guarded = guarded.map(|guarded| (guarded, 0));
        let mut broker = Self { java, jars: libs.join("*"), running: None, port: 0, guarded, folder };
        broker.install();
        // Somebody else may take the port until Java has got so far.
        let started = (0..5).any(|_| {
            broker.configure();
            broker.starts()
        });
        assert!(started, "the broker does not start: {}", broker.log());
        Some(broker)
    }

    /// Host and port, which stay the same.
    pub(crate) fn address(&self) -> String {
        self.socket().to_string()
    }

    /// Host and port of the further listener.
    pub(crate) fn guarded(&self) -> String {
        let (_, port) = self.guarded.as_ref().expect("a further listener");
        SocketAddr::from((Ipv4Addr::LOCALHOST, *port)).to_string()
    }

    /// Starts it again, and waits until it answers and has a coordinator for groups.
    pub(crate) fn start(&mut self) {
        assert!(self.starts(), "the broker does not start: {}", self.log());
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
        assert!(stopped.is_some_and(|(_, status)| status.stopped()), "the broker has ended: {}", self.log());
    }

    /// Lets it go on after [`pause`](Self::pause).
    pub(crate) fn resume(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) -> Pid {
        let id = Pid::from_child(self.running.as_ref().expect("a running broker"));
        rustix::process::kill_process(id, signal).unwrap();
        id
    }

    fn socket(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn install(&self) {
        for name in ["data", "meta", "tmp"] {
            std::fs::create_dir(self.path(name)).unwrap();
        }
        std::fs::write(self.path("log4j2.properties"), LOGGING).unwrap();
        if rustix::process::geteuid().is_root() {
            for name in ["", "data", "meta", "tmp"] {
                chown(self.path(name), Some(NOBODY), Some(NOBODY)).unwrap();
            }
        }
    }

    /// The settings, with ports that nobody has; and the folders with their first contents.
    fn configure(&mut self) {
        self.port = free_port();
        let (port, controller) = (self.port, free_port());
        let (data, meta) = (self.path("data"), self.path("meta"));
        let (mut listeners, mut protocols, mut more) = (format!("PLAINTEXT://127.0.0.1:{port}"), String::new(), "");
        if let Some((guarded, port)) = &mut self.guarded {
            *port = free_port();
            let protocol = guarded.protocol;
            listeners += &format!(",{protocol}://127.0.0.1:{port}");
            protocols = format!(",{protocol}:{protocol}");
            more = &guarded.settings;
        }
        let own = format!(
            "{SETTINGS}controller.quorum.voters=1@127.0.0.1:{controller}\n\
             listeners={listeners},CONTROLLER://127.0.0.1:{controller}\n\
             advertised.listeners={listeners}\n\
             listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT{protocols}\n\
             log.dirs={}\nmetadata.log.dir={}\n{more}",
            data.display(),
            meta.display()
        );
        std::fs::write(self.path("server.properties"), own).unwrap();
        let mut format = self.program("kafka.tools.StorageTool");
        format.args(["format", "--ignore-formatted", "-t", "MkU3OEVBNTcwNTJENDM2Qk"]);
        format.args(self.guarded.iter().flat_map(|(guarded, _)| &guarded.format)).arg("-c");
        assert!(format.arg(self.path("server.properties")).status().unwrap().success(), "{}", self.log());
    }

    /// A class of the broker's in its folder, as its user, with its output in the log.
    fn program(&self, class: &str) -> Command {
        let log = File::options().create(true).append(true).open(self.path("log")).unwrap();
        let mut command = Command::new(&self.java);
        command.args(["-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData"]);
        command.arg(format!("-Djava.io.tmpdir={}", self.path("tmp").display()));
        command.arg(format!("-Dlog4j2.configurationFile={}", self.path("log4j2.properties").display()));
        command.arg("-cp").arg(&self.jars).arg(class);
        command.current_dir(self.folder.path()).stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        if rustix::process::geteuid().is_root() {
            command.uid(NOBODY).gid(NOBODY);
        }
        command
    }

    /// Whether it runs and answers; not if it has ended.
    fn starts(&mut self) -> bool {
        if self.running.is_none() {
            let mut command = self.program("kafka.Kafka");
            self.running = Some(command.arg(self.path("server.properties")).spawn().unwrap());
        }
        for _ in 0..1_200 {
            if self.running.as_mut().is_some_and(|running| running.try_wait().unwrap().is_some()) {
                self.running = None;
                return false;
            }
            if self.answers().is_ok_and(|ready| ready) {
                return true;
            }
            sleep(Duration::from_millis(50));
        }
        false
    }

    /// Asks for the coordinator of a group (FindCoordinator 0). Before there is one, the error is not 0.
    fn answers(&self) -> io::Result<bool> {
        let limit = Duration::from_secs(2);
        let mut stream = TcpStream::connect_timeout(&self.socket(), limit)?;
        stream.set_read_timeout(Some(limit))?;
        // Length; API 10, version 0; a number to tell the answer by; no client's name; the group `g`.
        stream.write_all(b"\0\0\0\x0d\0\x0a\0\0\0\0\0\x01\xff\xff\0\x01g")?;
        // Length, number, error.
        let mut answer = [0; 10];
        stream.read_exact(&mut answer)?;
        Ok(answer[8..] == [0, 0])
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.path("log")).unwrap_or_default()
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.kill();
    }
}

fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).map(PathBuf::from)
}

/// Says past the test harness, which hides what passing tests print, that a test did not run.
fn skipped(test: &str, reason: &str) {
    let required = std::env::var("STOCKPULSE_REQUIRE").is_ok_and(|value| value == "all");
    assert!(!required, "{test} is required but cannot run: {reason}");
    let mut past_the_harness = io::stderr();
    writeln!(past_the_harness, "SKIP {test}: {reason}").unwrap();
}

/// Below the range that the system takes for outgoing connections: one of those could meet itself there while the broker
/// is down, and keep it from starting.
fn free_port() -> u16 {
    let random = RandomState::new().hash_one(std::process::id());
    let from = u16::try_from(random % 11_000).unwrap();
    let mut ports = (0..1_000).map(|number| 20_000 + from + number);
    ports.find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok()).expect("a free port")
}
