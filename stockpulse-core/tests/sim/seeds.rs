//! Many seeds, and what has to happen in them for that to mean something.

use std::collections::BTreeMap;
use std::thread;

use stockpulse_core::sim::{Fault, Faults, Report, Simulation};

/// Runs seeds on two threads.
fn run(faults: &Faults, seeds: std::ops::Range<u64>) -> Vec<Report> {
    let half = |odd: u64| {
        let (faults, seeds) = (faults.clone(), seeds.clone());
        move || {
            let own = seeds.filter(move |seed| seed % 2 == odd);
            own.map(|seed| Simulation::new(seed).with_faults(faults.clone()).run().unwrap()).collect::<Vec<_>>()
        }
    };
    let halves = [0, 1].map(|odd| thread::spawn(half(odd)));
    halves.into_iter().flat_map(|half| half.join().unwrap()).collect()
}

fn assert_clean(reports: &[Report]) {
    for report in reports {
        let seed = report.seed;
        let replay = format!("cargo run --release -p stockpulse-sim -- --seed {seed} --trace");
        assert!(report.is_clean(), "{:#?}\n{replay}", report.violations);
    }
}

fn happened(reports: &[Report]) -> BTreeMap<&'static str, u64> {
    let mut sums = BTreeMap::new();
    for (what, times) in reports.iter().flat_map(|report| &report.happened) {
        *sums.entry(*what).or_default() += times;
    }
    sums
}

#[test]
fn whatever_goes_wrong_everything_holds() {
    let reports = run(&Faults::wild(), 1..151);
    assert_clean(&reports);
    for fault in Fault::ALL {
        let times: u64 = reports.iter().filter_map(|report| report.injected.get(fault)).sum();
        assert!(times > 10, "{} was injected {times} times", fault.name());
    }
    let happened = happened(&reports);
    let outcomes = ["shipped", "returned", "rejected", "cancelled", "expired", "left confirmed"];
    for outcome in outcomes.map(|outcome| format!("orders {outcome}")) {
        assert!(happened.get(outcome.as_str()).is_some_and(|orders| *orders > 100), "{outcome}: {happened:?}");
    }
    for outcome in ["orders refused", "carts held", "carts refused", "asked again"] {
        assert!(happened.get(outcome).is_some_and(|times| *times > 100), "{outcome}: {happened:?}");
    }
    assert!(happened["deliveries"] > happened["events"] && happened["published"] > happened["events"]);
}

#[test]
fn in_a_bad_week_everything_holds() {
    assert_clean(&run(&Faults::mild(), 1_000..1_020));
}

#[test]
fn when_nothing_goes_wrong_nothing_is_injected_asked_again_or_published_twice() {
    let reports = run(&Faults::none(), 2_000..2_010);
    assert_clean(&reports);
    assert!(reports.iter().all(|report| report.injected.is_empty()));
    let happened = happened(&reports);
    let published = happened["published"] + happened["superseded"];
    assert_eq!((happened.get("asked again"), published), (None, happened["events"]));
    assert!(happened["orders shipped"] > 100, "{happened:?}");
}

#[test]
fn a_fault_that_is_switched_off_does_not_strike_and_one_that_is_always_on_does() {
    let faults = Faults::none().with(Fault::AskedTwice, 1.0);
    assert_eq!((faults.probability(Fault::AskedTwice), faults.probability(Fault::Crash)), (1.0, 0.0));
    let reports = run(&faults, 0..4);
    assert_clean(&reports);
    for report in reports {
        assert_eq!(report.injected.keys().collect::<Vec<_>>(), [&Fault::AskedTwice]);
    }
}
