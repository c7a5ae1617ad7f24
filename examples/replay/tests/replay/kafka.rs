//! The replay over Kafka: the same figures, also when the broker or the replay is killed.

use std::process::Stdio;
use std::thread::sleep;
use std::time::Duration;

use crate::broker::Broker;
use crate::stores::{Place, check, command, figures, killed, postgres, server, sqlite, text};
use crate::support::january;

/// A replay of its own on the broker that the environment names.
fn bus(test: &str) -> Option<String> {
    Some(format!("kafka://{}/{test}_{}", server(test, "STOCKPULSE_KAFKA")?, std::process::id()))
}

#[test]
fn memory_with_kafka_and_crashes_ends_as_memory() {
    if let Some(bus) = bus("memory_with_kafka") {
        check(&Place::memory().with_bus(&bus), &["--crash-every", "150", "--seed-duplicates", "0.3"]);
    }
}

#[test]
fn sqlite_with_kafka_ends_as_memory() {
    if let Some(bus) = bus("sqlite_with_kafka") {
        let options = ["--opening-stock", "50", "--policy", "partial", "--seed-duplicates", "0.5"];
        check(&sqlite().with_bus(&bus), &options);
    }
}

#[test]
fn postgres_with_kafka_ends_as_memory() {
    let test = "postgres_with_kafka";
    if let (Some(bus), Some(place)) = (bus(test), postgres(test)) {
        check(&place.with_bus(&bus), &["--opening-stock", "50", "--policy", "backorder"]);
    }
}

#[test]
fn kills_of_the_replay_change_nothing() {
    if let Some(bus) = bus("kills_of_the_replay") {
        killed(&sqlite().with_bus(&bus), &["--opening-stock", "100"], 4);
    }
}

/// How many bytes of a replay's events the broker has written.
fn written(broker: &Broker, name: &str) -> u64 {
    let first = broker.folder.path().join(format!("data/{name}.events-0/00000000000000000000.log"));
    std::fs::metadata(first).map_or(0, |file| file.len())
}

/// Stops the broker for a while and kills it later, both in the middle of a replay.
fn broken(broker: &mut Broker, name: &str, mut place: impl FnMut() -> Place, options: &[&str]) {
    let files = [january()];
    let expected = figures(&command(&Place::memory(), options, &files).output().unwrap());
    let (whole, broken) = (format!("{name}-whole"), format!("{name}-broken"));
    let mut on = |name: &str| place().with_bus(&format!("kafka://{}/{name}", broker.address()));
    let undisturbed = command(&on(&whole), options, &files).output().unwrap();
    assert_eq!(figures(&undisturbed), expected);
    let third = written(broker, &whole) / 3;
    assert!(third > 100_000, "{third} bytes");

    let place = on(&broken);
    let mut replay = command(&place, options, &files);
    let mut replay = replay.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut runs_until = |broker: &Broker, bytes| {
        while written(broker, &broken) < bytes {
            assert!(replay.try_wait().unwrap().is_none(), "the replay ended before {bytes} bytes were on the bus");
            sleep(Duration::from_millis(5));
        }
    };
    runs_until(broker, third);
    broker.pause();
    sleep(Duration::from_millis(500));
    broker.resume();
    runs_until(broker, 2 * third);
    broker.kill();
    sleep(Duration::from_millis(500));
    assert!(replay.try_wait().unwrap().is_none(), "the replay ended without a broker");
    broker.start();
    let output = replay.wait_with_output().unwrap();
    assert_eq!(figures(&output), expected, "{}", text(&output));
}

#[test]
fn a_broker_that_is_stopped_and_killed_changes_nothing() {
    let test = "a_broker_that_is_stopped_and_killed_changes_nothing";
    let Some(mut broker) = Broker::new(test) else { return };
    let duplicates = ["--opening-stock", "50", "--policy", "partial", "--seed-duplicates", "0.3"];
    broken(&mut broker, "sqlite", sqlite, &duplicates);
    if postgres(test).is_some() {
        let mut run = 0;
        let place = || {
            run += 1;
            postgres(&format!("broken_{run}")).expect("a server that was there")
        };
        broken(&mut broker, "postgres", place, &["--opening-stock", "20", "--policy", "backorder"]);
    }
}

#[test]
fn a_bus_that_carried_another_replay_is_refused() {
    let Some(bus) = bus("another_replay") else { return };
    let files = [january()];
    let run = |place: &Place, options: &[&str]| command(place, options, &files).output().unwrap();
    let refused = |place: &Place, options: &[&str], reason: &str| {
        let output = run(place, options);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{}", text(&output));
        assert!(text(&output).contains(reason) && text(&output).lines().count() == 1, "{}", text(&output));
    };
    figures(&run(&Place::memory().with_bus(&bus), &[]));
    refused(&Place::memory().with_bus(&bus), &[], "carried a replay already, and the store holds none");
    let mut place = sqlite().with_bus(&bus);
    refused(&place, &["--resume"], "carried a replay already, and the store holds none");
    let last = place.arguments.len() - 1;
    place.arguments[last] = format!("{bus}-own");
    figures(&run(&place, &[]));
    place.arguments[last] = format!("{bus}-other");
    refused(&place, &["--resume"], "carried nothing of the replay in the store");
}

#[test]
fn a_broker_that_is_not_there_is_one_line() {
    let output = command(&Place::memory().with_bus("kafka://127.0.0.1:1"), &[], &[january()]).output().unwrap();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{}", text(&output));
    assert!(text(&output).starts_with("stockpulse-replay: --bus kafka://127.0.0.1:1/replay: "), "{}", text(&output));
    assert_eq!(text(&output).lines().count(), 1, "{}", text(&output));
}
