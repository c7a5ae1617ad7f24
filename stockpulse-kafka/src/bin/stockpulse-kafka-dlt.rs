//! The `stockpulse-kafka-dlt` command: lists, shows, replays and drops dead letters. See `stockpulse-kafka-dlt --help`.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use stockpulse_core::{Error, ErrorKind, Result};
use stockpulse_kafka::{DeadLetter, DeadLetterId, DeadLetters, KafkaOptions};

/// Looks after the records that consumer groups of StockPulse put aside.
#[derive(Debug, Parser)]
#[command(name = "stockpulse-kafka-dlt", version)]
struct Command {
    /// The brokers, as host:port,host:port.
    #[arg(long)]
    brokers: String,
    /// What stands before the name of every topic and group.
    #[arg(long, default_value = "")]
    prefix: String,
    /// A file with properties of librdkafka, one `key=value` a line: TLS, SASL and the like. Lines that begin with # are
    /// comments.
    #[arg(long)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Lists the topics of dead letters.
    Topics,
    /// Lists the dead letters of a topic: one a line, with id, time, group and reason.
    List {
        /// The topic, as `topics` lists it.
        topic: String,
    },
    /// Shows dead letters whole.
    Show(Chosen),
    /// Publishes dead letters again to the topic that they came from. Every group of that topic receives them.
    Replay(Chosen),
    /// Drops dead letters.
    Drop(Chosen),
}

#[derive(Debug, Args)]
#[group(skip)]
struct Chosen {
    /// The topic, as `topics` lists it.
    topic: String,
    /// Their ids, as `list` lists them.
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    ids: Vec<String>,
    /// All of the topic.
    #[arg(long)]
    all: bool,
}

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let done = runtime
        .map_err(|error| Error::new(ErrorKind::Unexpected, "no runtime").with_source(error))
        .and_then(|runtime| runtime.block_on(run(Command::parse())));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Where even this cannot be written, the exit code says it.
            let _ = writeln!(std::io::stderr(), "error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> Result<()> {
    let mut options = KafkaOptions::new(&command.brokers).with_prefix(&command.prefix);
    if let Some(path) = &command.config {
        let text = std::fs::read_to_string(path).map_err(|error| unreadable(&path.display().to_string(), error))?;
        for (key, value) in properties(&text)? {
            options = options.with_setting(key, value);
        }
    }
    let letters = DeadLetters::new(options)?;
    match command.action {
        Action::Topics => letters.topics().await?.iter().try_for_each(|topic| print(topic)),
        Action::List { topic } => letters.list(&topic).await?.iter().try_for_each(|letter| print(&line(letter))),
        Action::Show(chosen) => {
            let ids = ids(&letters, &chosen).await?;
            let all = letters.list(&chosen.topic).await?;
            all.iter().filter(|letter| ids.contains(&letter.id)).try_for_each(|letter| print(&whole(letter)))
        }
        Action::Replay(chosen) => {
            let replayed = letters.replay(&chosen.topic, &ids(&letters, &chosen).await?).await?;
            print(&format!("{replayed} replayed"))
        }
        Action::Drop(chosen) => {
            let dropped = letters.discard(&chosen.topic, &ids(&letters, &chosen).await?).await?;
            print(&format!("{dropped} dropped"))
        }
    }
}

async fn ids(letters: &DeadLetters, chosen: &Chosen) -> Result<Vec<DeadLetterId>> {
    match chosen.all {
        true => Ok(letters.list(&chosen.topic).await?.into_iter().map(|letter| letter.id).collect()),
        false => Ok(chosen.ids.iter().map(|id| DeadLetterId::from(id.as_str())).collect()),
    }
}

/// The properties in a file.
fn properties(text: &str) -> Result<Vec<(&str, &str)>> {
    let lines = text.lines().map(str::trim).zip(1..).filter(|(line, _)| !line.is_empty() && !line.starts_with('#'));
    // A value may be a secret, so the message does not repeat the line.
    let parsed = lines.map(|(line, number)| {
        let (key, value) = line.split_once('=').ok_or_else(|| {
            Error::new(ErrorKind::Config, format!("line {number} of the configuration is not key=value"))
        })?;
        Ok((key.trim(), value.trim()))
    });
    parsed.collect()
}

fn line(letter: &DeadLetter) -> String {
    let at = letter.at.map_or_else(|| "-".to_owned(), |at| at.to_string());
    format!("{}\t{at}\t{}\t{}", letter.id, letter.group, letter.reason)
}

fn whole(letter: &DeadLetter) -> String {
    use std::fmt::Write;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut shown = line(letter);
    let _ = write!(shown, "\n  topic {} partition {} offset {}", letter.topic, letter.partition, letter.offset);
    if let Some(key) = &letter.key {
        let _ = write!(shown, "\n  key {}", text(key));
    }
    for (name, value) in &letter.headers {
        let _ = write!(shown, "\n  {name}: {}", text(value.as_deref().unwrap_or_default()));
    }
    let body = if letter.body_omitted { "(omitted, as it is too large)".to_owned() } else { text(&letter.value) };
    let _ = write!(shown, "\n  {body}");
    shown
}

fn print(text: &str) -> Result<()> {
    writeln!(std::io::stdout(), "{text}").map_err(|error| unreadable("the terminal", error))
}

fn unreadable(what: &str, error: std::io::Error) -> Error {
    Error::new(ErrorKind::Config, format!("{what}: {error}")).with_source(error)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Command::command().debug_assert();
        let parse = |action: &[&str]| Command::try_parse_from([&["dlt", "--brokers", "host:9092"], action].concat());
        assert!(parse(&["replay", "orders.inventory.dlt", "--all"]).is_ok());
        assert!(parse(&["drop", "orders.inventory.dlt", "orders/0/7/1"]).is_ok());
        assert!(parse(&["drop", "orders.inventory.dlt"]).is_err(), "nothing is dropped unless it is named");
    }

    #[test]
    fn properties_are_read_and_a_bad_line_is_not_repeated() {
        let read = properties("# secrets\nsasl.password = a=b\n\nsecurity.protocol=SASL_SSL\n").unwrap();
        assert_eq!(read, [("sasl.password", "a=b"), ("security.protocol", "SASL_SSL")]);
        let error = properties("sasl.password hunter2").unwrap_err().to_string();
        assert!(!error.contains("hunter2"), "{error}");
    }
}
