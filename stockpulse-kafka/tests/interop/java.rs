//! Kafka's own console clients, which are Java and share no code with librdkafka.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::support::{broker_or_skip, skip};

/// A record as they show it, or as they are to write it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) partition: u32,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) key: String,
    pub(crate) value: String,
}

/// Where they are, and the broker.
#[derive(Clone, Debug)]
pub(crate) struct Java {
    pub(crate) broker: String,
    program: PathBuf,
    jars: PathBuf,
}

impl Java {
    /// The clients; `None`, after saying so, if there are none.
    pub(crate) fn find(test: &str) -> Option<Self> {
        let broker = broker_or_skip(test)?;
        let variable = |name| std::env::var_os(name).map(PathBuf::from);
        if let (Some(libs), Some(program)) = (variable("STOCKPULSE_KAFKA_LIBS"), variable("STOCKPULSE_KAFKA_JAVA")) {
            return Some(Self { broker, program, jars: libs.join("*") });
        }
        skip(test, "STOCKPULSE_KAFKA_LIBS and STOCKPULSE_KAFKA_JAVA name no Kafka and no Java");
        None
    }

    fn client(&self, class: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.args(["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp"]).arg(&self.jars).arg(class);
        command.args(["--bootstrap-server", &self.broker]);
        command
    }

    /// Writes records with a Java producer.
    pub(crate) async fn write(&self, topic: &str, records: Vec<Record>) {
        let mut client = self.client("org.apache.kafka.tools.ConsoleProducer");
        client.args(["--topic", topic, "--property", "parse.headers=true", "--property", "parse.key=true"]);
        client.args(["--property", "null.marker=NONE"]).stdin(Stdio::piped());
        let lines: String = records.iter().map(line).collect();
        let written = tokio::task::spawn_blocking(move || {
            let mut child = client.spawn().unwrap();
            child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
            child.wait().unwrap()
        });
        assert!(written.await.unwrap().success());
    }

    /// Reads the first records of topics with a Java consumer. The pattern has to match a topic's whole name.
    pub(crate) async fn read(&self, topics: &str, records: usize) -> Vec<Record> {
        let mut client = self.client("org.apache.kafka.tools.consumer.ConsoleConsumer");
        client.args(["--include", topics, "--from-beginning", "--timeout-ms", "60000", "--max-messages"]);
        client.arg(records.to_string());
        for shown in ["partition", "headers", "key"] {
            client.args(["--property", &format!("print.{shown}=true")]);
        }
        let output =
            tokio::task::spawn_blocking(move || client.stderr(Stdio::inherit()).output().unwrap()).await.unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        // The client warns on standard output that newer releases name these options otherwise; older ones do not yet.
        let read: Vec<Record> = text.lines().filter(|line| line.starts_with("Partition:")).map(parse).collect();
        assert_eq!(read.len(), records, "{text}");
        read
    }
}

fn line(record: &Record) -> String {
    let headers: Vec<String> = record.headers.iter().map(|(name, value)| format!("{name}:{value}")).collect();
    let headers = if headers.is_empty() { "NONE".to_owned() } else { headers.join(",") };
    format!("{headers}\t{}\t{}\n", record.key, record.value)
}

/// Partition, headers, key and value, with tabs between them: `Partition:2`, `name:value,name:value` and so on.
fn parse(line: &str) -> Record {
    let mut fields = line.splitn(4, '\t').map(str::to_owned);
    let mut field = || fields.next().unwrap_or_else(|| panic!("a field is missing: {line}"));
    let (partition, headers, key, value) = (field(), field(), field(), field());
    let headers = headers.split(',').filter_map(|header| header.split_once(':'));
    Record {
        partition: partition.strip_prefix("Partition:").unwrap().parse().unwrap(),
        headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        key,
        value,
    }
}
