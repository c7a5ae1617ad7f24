//! The replay on databases: the same figures, also after kills.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::thread::sleep;
use std::time::Duration;

use clap::Parser;
use serde_json::Value;
use stockpulse_replay::chance::Chance;
use stockpulse_replay::{Args, Invoices, Report, drive};

use crate::known::{CASES, Input};
use crate::support::{Folder, december, january, skip};

/// The arguments that name backends of a test's own, which go with it.
pub(crate) struct Place {
    pub(crate) arguments: Vec<String>,
    _folder: Option<Folder>,
    _cleanup: Option<Cleanup>,
}

/// A schema or database on a server. Dropped it is deleted there, also when the test fails.
struct Cleanup {
    url: String,
    sql: String,
}

impl Cleanup {
    async fn run(&self) -> Result<(), sqlx::Error> {
        use sqlx::Connection;
        let sql = sqlx::raw_sql(sqlx::AssertSqlSafe(self.sql.clone()));
        if self.url.starts_with("mysql") {
            sql.execute(&mut sqlx::MySqlConnection::connect(&self.url).await?).await?;
        } else {
            sql.execute(&mut sqlx::PgConnection::connect(&self.url).await?).await?;
        }
        Ok(())
    }
}

impl Drop for Cleanup {
    fn drop(&mut self) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        if let Err(error) = runtime.block_on(self.run()) {
            let _ = writeln!(std::io::stderr(), "{}: {error}", self.sql);
        }
    }
}

impl Place {
    /// In memory.
    pub(crate) fn memory() -> Self {
        Self { arguments: Vec::new(), _folder: None, _cleanup: None }
    }

    /// With this bus.
    #[cfg(any(feature = "kafka", feature = "redis"))]
    pub(crate) fn with_bus(mut self, bus: &str) -> Self {
        self.arguments.extend(["--bus".to_owned(), bus.to_owned()]);
        self
    }
}

pub(crate) fn sqlite() -> Place {
    let folder = Folder::new();
    let file = folder.path().join("shop.db");
    let arguments = vec!["--store".into(), format!("sqlite:{}", file.display())];
    Place { arguments, _folder: Some(folder), _cleanup: None }
}

/// The URL that a variable names; without it the test cannot run.
pub(crate) fn server(test: &str, variable: &str) -> Option<String> {
    let url = std::env::var(variable).ok();
    if url.is_none() {
        skip(test, &format!("{variable} is not set; `make test` starts servers"));
    }
    url
}

pub(crate) fn postgres(test: &str) -> Option<Place> {
    let url = server(test, "STOCKPULSE_PG_URL")?;
    let schema = format!("replay_{test}_{}", std::process::id());
    let sql = format!("SET client_min_messages = warning; DROP SCHEMA IF EXISTS {schema} CASCADE");
    let _cleanup = Some(Cleanup { url: url.clone(), sql });
    Some(Place { arguments: vec!["--store".into(), url, "--schema".into(), schema], _folder: None, _cleanup })
}

fn mysql(test: &str) -> Option<Place> {
    use sqlx::Connection;
    let url = server(test, "STOCKPULSE_MYSQL_URL")?;
    let name = format!("replay_{test}_{}", std::process::id());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut connection = sqlx::MySqlConnection::connect(&url).await.unwrap();
        let sql = sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"));
        sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
    });
    let (server, _) = url.rsplit_once('/').unwrap();
    let arguments = vec!["--store".into(), format!("{server}/{name}")];
    let _cleanup = Some(Cleanup { sql: format!("DROP DATABASE IF EXISTS {name}"), url });
    Some(Place { arguments, _folder: None, _cleanup })
}

/// The sample on a store, with a policy and a stock under which everything happens.
pub(crate) fn check(place: &Place, options: &[&str]) -> Report {
    let files = [december(), january()];
    let invoices = Invoices::load(&files).unwrap();
    let args = Args::parse_from(
        ["stockpulse-replay", "sales.csv"]
            .into_iter()
            .chain(options.iter().copied())
            .chain(place.arguments.iter().map(String::as_str)),
    );
    let case = CASES
        .iter()
        .find(|case| (case.input, case.policy, case.opening) == (Input::Both, args.policy, args.opening_stock));
    let report = drive::run(&args, &invoices).unwrap();
    case.expect("known figures").check(&report);
    assert_eq!((report.oversold, report.ledger_consistent), (0, true));
    let memory = Args { store: "memory".into(), bus: None, cache: None, gate: None, schema: None, ..args };
    assert_eq!(report.events_published, drive::run(&memory, &invoices).unwrap().events_published);
    report
}

#[test]
fn sqlite_ends_as_memory() {
    check(&sqlite(), &["--opening-stock", "50", "--policy", "partial"]);
}

#[test]
fn sqlite_with_the_memory_bus_and_crashes_ends_as_memory() {
    check(&sqlite(), &["--bus", "memory", "--crash-every", "150", "--seed-duplicates", "0.3"]);
}

#[test]
fn sqlite_with_its_bus_and_crashes_ends_as_memory() {
    check(&sqlite(), &["--bus", "sql", "--crash-every", "150", "--seed-duplicates", "0.3"]);
}

#[test]
fn postgres_ends_as_memory() {
    if let Some(place) = postgres("postgres_ends_as_memory") {
        check(&place, &["--opening-stock", "50", "--policy", "backorder"]);
    }
}

#[test]
fn mysql_ends_as_memory() {
    if let Some(place) = mysql("mysql_ends_as_memory") {
        check(&place, &["--opening-stock", "50", "--policy", "backorder"]);
    }
}

pub(crate) fn command(place: &Place, options: &[&str], files: &[PathBuf]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stockpulse-replay"));
    command.arg("--json").args(options).args(&place.arguments).args(files);
    command
}

pub(crate) fn text(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// A report without its times.
pub(crate) fn figures(output: &Output) -> Value {
    assert!(output.status.success(), "{}", text(output));
    let mut report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let fields = report.as_object_mut().unwrap();
    fields.remove("elapsed_s").and(fields.remove("orders_per_s")).unwrap();
    report
}

/// Kills a replay again and again, each time after a while that the seed chooses, and lets the last one end.
pub(crate) fn killed(place: &Place, options: &[&str], seed: u64) {
    let files = [january()];
    let memory = Place::memory();
    let expected = figures(&command(&memory, options, &files).output().unwrap());
    let options = [options, &["--resume"]].concat();
    let mut chance = Chance::new(0.5, seed);
    let mut kills = 0;
    for round in 0..6 {
        let bits = (0..6).fold(0, |bits, _| 2 * bits + u64::from(chance.strikes()));
        let mut replay = command(place, &options, &files).stdout(Stdio::null()).spawn().unwrap();
        sleep(Duration::from_millis(150 + 300 * round + 20 * bits));
        kills += u32::from(replay.try_wait().unwrap().is_none());
        replay.kill().unwrap();
        replay.wait().unwrap();
    }
    assert!(kills > 1, "the replay ended before it was killed");
    assert_eq!(figures(&command(place, &options, &files).output().unwrap()), expected, "seed {seed}");
    // One that has ended reports the same once more.
    assert_eq!(figures(&command(place, &options, &files).output().unwrap()), expected, "seed {seed}");
}

#[test]
fn kills_change_nothing() {
    killed(&sqlite(), &["--opening-stock", "100"], 1);
}

#[test]
fn kills_change_nothing_where_orders_wait() {
    killed(&sqlite(), &["--opening-stock", "20", "--policy", "backorder"], 2);
}

#[test]
fn kills_change_nothing_on_postgres() {
    if let Some(place) = postgres("kills_change_nothing_on_postgres") {
        killed(&place, &["--opening-stock", "20", "--policy", "partial"], 3);
    }
}

#[test]
fn kills_change_nothing_on_mysql() {
    if let Some(place) = mysql("kills_change_nothing_on_mysql") {
        killed(&place, &["--opening-stock", "50", "--policy", "backorder"], 4);
    }
}

#[test]
fn a_store_that_holds_a_replay_is_refused_unless_it_is_resumed_as_it_was() {
    let (place, folder) = (sqlite(), Folder::new());
    let header = crate::support::HEADER;
    let files = [folder.write("sales.csv", format!("{header}1,2,,5,,1,,\nC2,2,,-1,,1,,\n"))];
    let first = figures(&command(&place, &[], &files).output().unwrap());
    let refused = |options: &[&str], reason: &str| {
        let output = command(&place, options, &files).output().unwrap();
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0));
        assert!(text(&output).contains(reason) && text(&output).lines().count() == 1, "{}", text(&output));
    };
    refused(&[], "holds a replay already; --resume goes on with it");
    refused(&["--resume", "--opening-stock", "7"], "holds another replay");
    refused(&["--resume", "--policy", "partial"], "holds another replay");
    assert_eq!(figures(&command(&place, &["--resume"], &files).output().unwrap()), first);
}

#[test]
fn a_store_that_cannot_be_opened_is_one_line_without_secrets() {
    let folder = Folder::new();
    let folder = format!("sqlite:{}", folder.path().display());
    for (store, code) in [
        ("postgress://me:sesame@127.0.0.1/shop", 2),
        ("postgres://me:sesame@127.0.0.1:port/shop", 2),
        ("postgres://me:sesame@127.0.0.1:1/shop?application_name=sesame", 1),
        ("mysql://me:sesame@127.0.0.1:1/shop", 1),
        (folder.as_str(), 1),
    ] {
        let place = Place { arguments: vec!["--store".into(), store.into()], _folder: None, _cleanup: None };
        let output = command(&place, &[], &[january()]).output().unwrap();
        let said = text(&output);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(code), 0), "{store}: {said}");
        assert!(said.starts_with("stockpulse-replay: --store ") && said.lines().count() == 1, "{said}");
        assert!(!said.contains("sesame"), "{said}");
    }
}
