//! The bus on a real broker, beside librdkafka with the same bytes; and whole orders over it, beside the usual way.
//!
//! `cargo bench -p stockpulse-benches --bench kafka -- [publish] [consume] [flow] [away]` measures part of it. The broker is named by `STOCKPULSE_KAFKA`, Postgres by `STOCKPULSE_PG_URL`.

#![expect(clippy::expect_used, clippy::print_stdout, reason = "a benchmark stops when its set-up is wrong, and prints")]

mod away;
#[expect(clippy::unwrap_used, dead_code, reason = "it is the broker of the tests, and not all of it is needed here")]
#[path = "../../../stockpulse-kafka/tests/broker/mod.rs"]
mod broker;
mod consume;
mod events;
mod flow;
#[path = "../sql/load.rs"]
mod load;
mod meter;
mod place;
mod publish;
mod shop;
mod usual;
mod waiting;

use stockpulse_core::model::EventType;

use self::consume::Then;
use self::meter::{Took, median};

/// How many events are published.
const EVENTS: usize = 100_000;
/// How many are consumed.
const CONSUMED: usize = 3 * EVENTS;
/// How often each is measured, in turns; the middle one is shown.
const ROUNDS: usize = 3;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let wanted: Vec<String> =
        std::env::args().skip(1).filter(|arg| !arg.starts_with('-') && !arg.contains('=')).collect();
    let all = wanted.is_empty();
    let wants = |name: &str| all || wanted.iter().any(|wanted| wanted == name);
    let Ok(broker) = std::env::var("STOCKPULSE_KAFKA") else {
        println!("SKIP kafka: STOCKPULSE_KAFKA is not set; `make bench` starts a broker");
        return;
    };
    if wants("publish") || wants("consume") {
        wire(&broker, wants("publish"), wants("consume")).await;
    }
    let Ok(postgres) = std::env::var("STOCKPULSE_PG_URL") else {
        println!("SKIP whole orders: STOCKPULSE_PG_URL is not set; `make bench` starts a server");
        return;
    };
    if wants("flow") {
        flow::run(&broker, &postgres).await;
    }
    if wants("away") {
        away::run(&postgres).await;
    }
}

async fn wire(broker: &str, publishes: bool, consumes: bool) {
    let events = events::placed(EVENTS).await;
    let first = place::topics(broker).await;
    let topic = |options: &stockpulse_kafka::KafkaOptions| options.topic(EventType::OrderPlaced);
    for _ in 0..CONSUMED / EVENTS {
        publish::bus(&first, &events, publish::CALLS).await;
    }
    let records = consume::records(&first, &topic(&first), EVENTS);
    let bytes: usize = events.iter().map(|event| event.data.len()).sum::<usize>() / EVENTS;
    println!("{EVENTS} events with documents of {bytes} bytes, {} partitions\n", place::PARTITIONS);
    println!("| | each second | µs of processors | % |\n|---|--:|--:|--:|");
    if publishes {
        let (mut bare, mut bus, mut relay) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let options = place::topics(broker).await;
            bare.push(tokio::task::block_in_place(|| publish::bare(&options, &topic(&options), &records)));
            bus.push(publish::bus(&place::topics(broker).await, &events, publish::CALLS).await);
            relay.push(publish::bus(&place::topics(broker).await, &events, 1).await);
        }
        let bare = median(bare);
        print("publish, librdkafka alone", bare, bare);
        print("publish, the bus, 8 calls of 1,024 at a time", median(bus), bare);
        print("publish, the bus, one call of 1,024 after the other", median(relay), bare);
    }
    if consumes {
        let (mut bare, mut copied, mut bus) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let polled = |then| tokio::task::block_in_place(|| consume::bare(&first, &topic(&first), CONSUMED, then));
            bare.push(polled(Then::Nothing));
            copied.push(polled(Then::Copy));
            bus.push(consume::bus(&first, CONSUMED).await);
        }
        let bare = median(bare);
        print("consume, librdkafka alone, nothing copied", bare, bare);
        print("consume, librdkafka alone, records copied", median(copied), bare);
        print("consume, the bus, received and acknowledged", median(bus), bare);
    }
}

fn print(what: &str, took: Took, bare: Took) {
    let share = 100.0 * took.per_second / bare.per_second;
    println!("| {what} | {:.0} | {:.2} | {share:.0} |", took.per_second, took.micros);
}
