//! What really reaches a server: every text that the driver sends in this process.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use tracing::Metadata;
use tracing::field::{Field, Visit};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};

/// Names the test that has a process of its own.
const ALONE: &str = "STOCKPULSE_STATEMENTS_ALONE";

/// Texts by their shapes.
static RECORDED: Mutex<BTreeMap<String, String>> = Mutex::new(BTreeMap::new());

/// Whether this process is the test's own; otherwise it runs one, which has to succeed. What other tests send must not
/// count, and SQLite works on threads of which nobody knows whose they are.
pub(crate) fn alone(test: &str) -> bool {
    if std::env::var(ALONE).as_deref() == Ok(test) {
        let recorder = tracing_subscriber::registry().with(Recorder);
        tracing::subscriber::set_global_default(recorder).unwrap();
        return true;
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([test, "--exact", "--nocapture", "--test-threads=1"]).env(ALONE, test);
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    let (passed, out, err) = (output.status.success(), text(output.stdout), text(output.stderr));
    assert!(passed && out.contains("1 passed"), "{out}\n{err}");
    false
}

/// One text of each shape that was sent so far.
pub(crate) fn recorded() -> Vec<String> {
    RECORDED.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
}

struct Recorder;

impl<S: tracing::Subscriber> Layer<S> for Recorder {
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        metadata.target() == "sqlx::query"
    }

    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let mut sent = Sent::default();
        event.record(&mut sent);
        // A short text is its own summary.
        let text = if sent.statement.trim().is_empty() { sent.summary } else { sent.statement };
        let text = one_tuple(text.trim());
        let mut recorded = RECORDED.lock().unwrap_or_else(PoisonError::into_inner);
        recorded.entry(shape(&text)).or_insert(text);
    }
}

#[derive(Default)]
struct Sent {
    summary: String,
    statement: String,
}

impl Visit for Sent {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "summary" => value.clone_into(&mut self.summary),
            "db.statement" => value.clone_into(&mut self.statement),
            _ => {}
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}

/// How a value begins that is written out.
const LITERALS: [&str; 2] = ["x'", "_binary'"];

/// The words, numbers and signs of a text. A value that is written out is one of them.
pub(crate) fn tokens(sql: &str) -> Vec<&str> {
    let word = |char: char| char.is_alphanumeric() || matches!(char, '_' | '$');
    let mut tokens = Vec::new();
    let mut rest = sql.trim_start();
    while let Some(first) = rest.chars().next() {
        let literal = LITERALS.into_iter().find(|begin| rest.starts_with(begin)).map(str::len);
        let end = if let Some(begin) = literal {
            rest.get(begin..).and_then(|rest| rest.find('\'')).map_or(rest.len(), |end| begin + end + 1)
        } else if word(first) {
            rest.find(|char| !word(char)).unwrap_or(rest.len())
        } else {
            first.len_utf8()
        };
        let (token, others) = rest.split_at(end);
        tokens.push(token);
        rest = others.trim_start();
    }
    tokens
}

/// A text with one tuple of each list of tuples that are written out, which may be megabytes.
fn one_tuple(sql: &str) -> String {
    let mut kept = String::new();
    let mut rest = sql;
    while let Some((before, after)) = rest.split_once("),(") {
        kept += before;
        rest = after.split_once(')').map_or("", |_| after.trim_start_matches(|char| char != ')'));
    }
    kept + rest
}

/// A text without its values, and with one of each list of them.
fn shape(sql: &str) -> String {
    let value = |token: &str| {
        let number = token.starts_with(|char: char| char.is_ascii_digit() || char == '$');
        number || LITERALS.iter().any(|begin| token.starts_with(begin))
    };
    let mut shape: Vec<&str> = Vec::new();
    for token in tokens(sql) {
        shape.push(if value(token) || token == "NULL" { "?" } else { token });
        for repeated in [&["?", ",", "?"][..], &["(", "?", ")", ",", "(", "?", ")"]] {
            if shape.ends_with(repeated) {
                shape.truncate(shape.len() - repeated.len() / 2 - 1);
            }
        }
    }
    shape.join(" ")
}
