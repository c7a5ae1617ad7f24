//! The program `stockpulse-kafka-dlt`, as who operates a shop runs it.

use std::process::Command;

use stockpulse_core::port::Nack;

use crate::support::{Place, TYPE, broker_or_skip, event, handle, receive, skip};

/// The program, if it was built.
#[cfg(feature = "cli")]
const PROGRAM: Option<&str> = Some(env!("CARGO_BIN_EXE_stockpulse-kafka-dlt"));
#[cfg(not(feature = "cli"))]
const PROGRAM: Option<&str> = None;

/// What a run ended with, and what it said.
#[derive(Debug, PartialEq, Eq)]
struct Ran {
    code: Option<i32>,
    output: String,
    errors: String,
}

impl Ran {
    /// What it printed, after it went well.
    fn printed(self) -> Vec<String> {
        assert_eq!((self.code, self.errors.as_str()), (Some(0), ""), "{}", self.output);
        self.output.lines().map(str::to_owned).collect()
    }

    /// What it complained about, and nothing else was printed.
    fn failed(self, code: i32) -> String {
        assert_eq!((self.code, self.output.as_str()), (Some(code), ""), "{}", self.errors);
        self.errors
    }
}

/// Runs it.
async fn run(arguments: &[&str]) -> Ran {
    let mut command = Command::new(PROGRAM.unwrap());
    command.args(arguments);
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code(), output: text(output.stdout), errors: text(output.stderr) }
}

/// Whether there is a program; says so if there is none.
fn built(test: &str) -> bool {
    if PROGRAM.is_none() {
        skip(test, "it is the program of the feature `cli`");
    }
    PROGRAM.is_some()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_lists_shows_replays_and_drops() {
    let test = "the_program_lists_shows_replays_and_drops";
    let Some(broker) = broker_or_skip(test).filter(|_| built(test)) else { return };
    let place = Place::new(&broker, 1).await;
    let sent: Vec<_> = (1..=4).map(|number| event(&format!("key-{number}"), number)).collect();
    place.publish(&sent).await;
    let mut subscription = place.join("readers").await;
    let mut found = Vec::new();
    while found.len() < 4 {
        found.extend(receive(subscription.as_mut()).await);
    }
    let dead = found.iter().map(|found| (found.tag, Nack::DeadLetter(format!("reason {}", found.envelope.sequence))));
    subscription.nack(&dead.collect::<Vec<_>>()).await.unwrap();

    let topic = format!("{}.readers.dlt", place.topic());
    let cluster = ["--brokers", &broker, "--prefix", &place.options.prefix];
    let run = async |arguments: &[&str]| run(&[&cluster[..], arguments].concat()).await;
    assert_eq!(run(&["topics"]).await.printed(), [topic.as_str()]);

    let listed = run(&["list", &topic]).await.printed();
    let fields: Vec<Vec<&str>> = listed.iter().map(|line| line.split('\t').collect()).collect();
    let ids: Vec<&str> = fields.iter().map(|fields| fields[0]).collect();
    for (number, fields) in (1..).zip(&fields) {
        let [id, at, group, reason] = fields[..] else { panic!("{fields:?}") };
        assert!(id.starts_with(&format!("{}/0/{}/", place.topic(), number - 1)), "{id}");
        assert!(at.ends_with('Z') && at.contains('T'), "{at}");
        assert_eq!((group, reason), ("readers", format!("reason {number}").as_str()));
    }
    assert_eq!(ids.len(), 4);

    let shown = run(&["show", &topic, ids[1]]).await.printed();
    assert_eq!(shown[0], listed[1]);
    assert_eq!(shown[1], format!("  topic {} partition 0 offset 1", place.topic()));
    assert_eq!(shown[2], "  key key-2");
    assert!(shown.contains(&format!("  ce_type: {}", TYPE.cloud_event_type())), "{shown:?}");
    assert!(shown.contains(&format!("  ce_id: {}", sent[1].id)), "{shown:?}");
    assert_eq!(shown.last().unwrap(), "  {\"number\":2}");
    let all = run(&["show", &topic, "--all"]).await.printed();
    assert!(listed.iter().all(|line| all.contains(line)), "{all:?}");

    assert_eq!(run(&["replay", &topic, ids[2]]).await.printed(), ["1 replayed"]);
    assert_eq!(handle(subscription.as_mut(), 1).await, sent[2..3]);
    assert_eq!(run(&["replay", &topic, ids[2]]).await.printed(), ["0 replayed"], "it is a dead letter no more");
    assert_eq!(run(&["drop", &topic, ids[0], "no-such-letter"]).await.printed(), ["1 dropped"]);
    assert_eq!(run(&["list", &topic]).await.printed(), [listed[1].as_str(), &listed[3]]);
    assert_eq!(run(&["replay", &topic, "--all"]).await.printed(), ["2 replayed"]);
    assert_eq!(handle(subscription.as_mut(), 2).await, [sent[1].clone(), sent[3].clone()]);
    assert_eq!(run(&["list", &topic]).await.printed(), [""; 0]);
    assert_eq!(run(&["drop", &topic, "--all"]).await.printed(), ["0 dropped"]);
    assert_eq!(run(&["list", "no-such-topic"]).await.printed(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_says_what_is_wrong_and_ends_with_1_or_2() {
    let test = "the_program_says_what_is_wrong_and_ends_with_1_or_2";
    let Some(broker) = broker_or_skip(test).filter(|_| built(test)) else { return };
    let here = ["--brokers", broker.as_str()];
    let wrong: [(&[&str], &str); 6] = [
        (&[], "Usage: stockpulse-kafka-dlt"),
        (&["list"], "<TOPIC>"),
        (&["drop", "orders.readers.dlt"], "<IDS>..."),
        (&["replay", "orders.readers.dlt", "orders/0/0/0", "--all"], "cannot be used with"),
        (&["delete", "orders.readers.dlt"], "unrecognized subcommand 'delete'"),
        (&["topics", "--broker", "x"], "unexpected argument '--broker'"),
    ];
    for (arguments, complaint) in wrong {
        let said = run(&[&here[..], arguments].concat()).await.failed(2);
        assert!(said.contains(complaint), "{arguments:?}: {said}");
    }
    let said = run(&["topics"]).await.failed(2);
    assert!(said.contains("--brokers <BROKERS>"), "{said}");

    // What is in the file reaches librdkafka; what is wrong in it is named, and its secrets are not.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("client.properties");
    let file = file.to_str().unwrap();
    let configured = [&here[..], &["--config", file, "topics"]].concat();
    let said = run(&configured).await.failed(1);
    assert!(said.starts_with("error: ") && said.contains(file), "{said}");
    for (text, named) in [
        ("sasl.password hunter2", "line 1 of the configuration is not key=value"),
        ("# secrets\nsasl.pasword=hunter2", "'sasl.pasword'"),
        ("security.protocol=hunter2", "'security.protocol'"),
    ] {
        std::fs::write(file, text).unwrap();
        let said = run(&configured).await.failed(1);
        assert!(said.contains(named) && !said.contains("hunter2"), "{said}");
    }
    std::fs::write(file, "client.id = operator\n").unwrap();
    assert_eq!(run(&configured).await.code, Some(0));
    let said = run(&["--brokers", "127.0.0.1:1", "topics"]).await.failed(1);
    assert!(said.starts_with("error: kafka.admin: ") && said.contains("Connection refused"), "{said}");
}
