//! The replay over Redis Streams: the same figures, also when the replay is killed.

use crate::stores::{Place, check, command, figures, killed, server, sqlite, text};
use crate::support::january;

/// A replay of its own on the server that the environment names.
fn bus(test: &str) -> Option<String> {
    Some(format!("{}#{test}_{}", server(test, "STOCKPULSE_REDIS")?, std::process::id()))
}

#[test]
fn memory_with_redis_and_crashes_ends_as_memory() {
    if let Some(bus) = bus("memory_with_redis") {
        check(&Place::memory().with_bus(&bus), &["--crash-every", "150", "--seed-duplicates", "0.3"]);
    }
}

#[test]
fn sqlite_with_redis_ends_as_memory() {
    if let Some(bus) = bus("sqlite_with_redis") {
        let options = ["--opening-stock", "50", "--policy", "partial", "--seed-duplicates", "0.5"];
        check(&sqlite().with_bus(&bus), &options);
    }
}

#[test]
fn kills_of_the_replay_over_redis_change_nothing() {
    if let Some(bus) = bus("kills_over_redis") {
        killed(&sqlite().with_bus(&bus), &["--opening-stock", "100"], 4);
    }
}

#[test]
fn a_bus_on_redis_that_carried_another_replay_is_refused() {
    let Some(bus) = bus("another_over_redis") else { return };
    let run = |options: &[&str]| command(&Place::memory().with_bus(&bus), options, &[january()]).output().unwrap();
    figures(&run(&[]));
    let refused = run(&[]);
    assert_eq!((refused.status.code(), refused.stdout.len()), (Some(2), 0), "{}", text(&refused));
    let reason = "carried a replay already, and the store holds none";
    assert!(text(&refused).contains(reason) && text(&refused).lines().count() == 1, "{}", text(&refused));
}

#[test]
fn a_redis_that_is_not_there_is_one_line() {
    let place = Place::memory().with_bus("redis://me:sesame@127.0.0.1:1");
    let output = command(&place, &[], &[january()]).output().unwrap();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{}", text(&output));
    assert!(text(&output).starts_with("stockpulse-replay: --bus redis://…@127.0.0.1:1#replay: "), "{}", text(&output));
    assert_eq!(text(&output).lines().count(), 1, "{}", text(&output));
}
