//! The replay over Redis Streams, also when it is killed, and behind a cache and a gate on Redis: the same figures.

use stockpulse_replay::report::GateFigures;

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

/// A cache and a gate of its own on the server that the environment names.
fn front(test: &str) -> Option<Vec<String>> {
    let url = format!("{}#{test}_{}", server(test, "STOCKPULSE_REDIS")?, std::process::id());
    Some(vec!["--cache".into(), url.clone(), "--gate".into(), url])
}

/// Ends as memory does, and cache and gate know of every level what the store holds.
fn check_front(mut place: Place, front: Vec<String>, options: &[&str]) {
    place.arguments.extend(front);
    let report = check(&place, options);
    let levels = report.skus_tracked;
    let cache = report.cache.unwrap();
    assert!(cache.levels > levels / 2, "{cache:?}: every change of a level goes to the cache");
    assert_eq!(cache.levels_different, 0, "{cache:?}");
    assert_eq!(report.gate, Some(GateFigures { levels, levels_different: 0 }));
}

#[test]
fn memory_behind_a_cache_and_a_gate_ends_as_memory() {
    if let Some(front) = front("memory_behind") {
        let options = ["--opening-stock", "50", "--policy", "partial", "--seed-duplicates", "0.3"];
        check_front(Place::memory(), front, &options);
    }
}

#[test]
fn memory_behind_a_cache_and_a_gate_with_crashes_ends_as_memory() {
    if let Some(front) = front("memory_behind_crashes") {
        check_front(
            Place::memory(),
            front,
            &["--opening-stock", "50", "--policy", "backorder", "--crash-every", "150"],
        );
    }
}

#[test]
fn sqlite_and_redis_streams_behind_a_cache_and_a_gate_end_as_memory() {
    if let (Some(bus), Some(front)) = (bus("streams_behind"), front("sqlite_behind")) {
        check_front(sqlite().with_bus(&bus), front, &[]);
    }
}

#[test]
fn a_cache_or_a_gate_that_is_not_there_is_one_line() {
    for option in ["--cache", "--gate"] {
        let run = |url: &str| command(&Place::memory(), &[option, url], &[january()]).output().unwrap();
        let output = run("redis://me:sesame@127.0.0.1:1");
        assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{}", text(&output));
        let expected = format!("stockpulse-replay: {option} redis://…@127.0.0.1:1#replay: ");
        assert!(text(&output).starts_with(&expected) && text(&output).lines().count() == 1, "{}", text(&output));
        let output = run("redis://127.0.0.1:1#a b");
        assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0), "{}", text(&output));
        let expected = format!("stockpulse-replay: {option} redis://…#NAME: up to 100");
        assert!(text(&output).starts_with(&expected), "{}", text(&output));
    }
}

#[test]
fn a_redis_that_is_not_there_is_one_line() {
    let place = Place::memory().with_bus("redis://me:sesame@127.0.0.1:1");
    let output = command(&place, &[], &[january()]).output().unwrap();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0), "{}", text(&output));
    assert!(text(&output).starts_with("stockpulse-replay: --bus redis://…@127.0.0.1:1#replay: "), "{}", text(&output));
    assert_eq!(text(&output).lines().count(), 1, "{}", text(&output));
}
