//! The process that is killed: these tests once more, told by a variable what to do.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::de::DeserializeOwned;
use stockpulse_core::Result;
use stockpulse_core::engine::Engine;
use stockpulse_core::model::Envelope;
use stockpulse_core::port::{Published, Publisher};
use stockpulse_core::worker::{OutboxRelay, RelayOptions};
use stockpulse_sql::Context;

use super::books::{ROUNDS, batch};
use super::kill_at::KillAt;
use super::shop::{ORDERS as PLACED, Shop};
use crate::support::{Kind, Place};

/// The variable, and the test that reads it.
const ORDERS: &str = "STOCKPULSE_KILLS_CHILD";
const TEST: &str = "kills::child::runs_only_as_a_child";

/// What a child does.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Work {
    /// It moves stock and publishes what happened.
    Stock,
    /// It takes orders, and its workers see to them.
    Shop,
}

/// What a child said before it died.
#[derive(Debug)]
pub(crate) struct Said<A> {
    /// The answers that it got, by round.
    pub(crate) answers: Vec<A>,
    /// The events that it published, in this order.
    pub(crate) published: Vec<String>,
    /// Whether it was killed, and did not end by itself.
    pub(crate) killed: bool,
}

/// Ends with its owner.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs a child that is killed when it comes to a point for the n-th time, or by this process once it has got so many
/// answers.
pub(crate) fn run<A: DeserializeOwned>(
    (kind, place): (Kind, &Place),
    work: Work,
    (point, nth): (&str, u32),
    killed_after: usize,
) -> Said<A> {
    let orders = format!("{kind:?}\n{}\n{}\n{work:?}\n{point}\n{nth}", place.name(), place.url());
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args([TEST, "--exact", "--nocapture", "--test-threads=1"]).env(ORDERS, orders);
    let mut running = Running(command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap());
    let output = running.0.stdout.take().unwrap();
    let mut said = Said { answers: Vec::new(), published: Vec::new(), killed: false };
    for line in BufReader::new(output).lines() {
        let line = line.unwrap();
        if let Some(answers) = line.strip_prefix("ANSWER ") {
            said.answers.push(serde_json::from_str(answers).unwrap());
            if said.answers.len() == killed_after {
                running.0.kill().unwrap();
            }
        } else if let Some(event) = line.strip_prefix("PUBLISHED ") {
            said.published.push(event.to_owned());
        }
    }
    said.killed = running.0.wait().unwrap().signal() == Some(9);
    said
}

/// Tells the parent something.
pub(crate) fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").unwrap();
    out.flush().unwrap();
}

/// A bus whose events are what the parent reads.
#[derive(Debug)]
struct Told(Arc<KillAt>);

#[async_trait]
impl Publisher for Told {
    async fn publish(&self, batch: &[Envelope]) -> Result<Vec<Published>> {
        self.0.reached("publishing");
        for envelope in batch {
            say(&format!("PUBLISHED {}", envelope.id));
        }
        self.0.reached("published");
        Ok(vec![Published::Acknowledged; batch.len()])
    }

    async fn close(&self) -> Result<()> {
        Ok(())
    }
}

#[test]
fn runs_only_as_a_child() {
    let Ok(orders) = std::env::var(ORDERS) else { return };
    let mut orders = orders.split('\n');
    let mut next = || orders.next().unwrap();
    let name = next();
    let mut kinds = [Kind::Postgres, Kind::MySql, Kind::Sqlite].into_iter();
    let kind = kinds.find(|kind| format!("{kind:?}") == name).unwrap();
    let place = Place::existing(kind, next(), next());
    let shop = next() == "Shop";
    let kill = KillAt::watch(next(), next().parse().unwrap());
    // One thread: at the point nothing else goes on.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let work = async {
        say("");
        if shop { open_shop(&place).await } else { work(&place, kill).await }
    };
    let work = async { tokio::time::timeout(Duration::from_secs(30), work).await };
    runtime.block_on(work).expect("a child that ends");
}

async fn work(place: &Place, kill: Arc<KillAt>) {
    let (ports, engine) = (place.connect(&[]).await.unwrap(), Engine::new());
    let options = RelayOptions { lease: Duration::from_millis(300), ..RelayOptions::new("/kills", "first") };
    let relay = OutboxRelay::new(ports.outbox(Context::Inventory), Arc::new(Told(kill)), options);
    for round in 0..ROUNDS {
        let answers = ports.inventory.execute(&engine, batch(round)).await.unwrap();
        say(&format!("ANSWER {}", serde_json::to_string(&answers).unwrap()));
        if round % 4 == 3 {
            relay.run_once().await.unwrap();
        }
    }
}

/// Takes one order after the other while the workers are at it, and waits until all are done.
async fn open_shop(place: &Place) {
    let shop = Shop::open(place, "first").await;
    let workers = shop.work();
    for number in 0..PLACED {
        say(&format!("ANSWER {}", serde_json::to_string(&shop.place(number).await).unwrap()));
    }
    shop.settled(PLACED).await;
    drop(workers);
}
