//! Every planted bug is found, within so many seeds, and by what it breaks.

use stockpulse_core::sim::{Bug, Rule, Simulation};

/// The bug, in how many seeds it is found at the latest, and one of the rules that it breaks.
const FOUND: [(Bug, u64, Rule); 7] = [
    (Bug::AckBeforeCommit, 20, Rule::OrderFitsReservation),
    (Bug::SkipDuplicateCheck, 2, Rule::SameAnswer),
    (Bug::ReleaseTwice, 3, Rule::ClaimsAreReserved),
    (Bug::SettleBeforePublish, 2, Rule::EventsArrive),
    (Bug::ReorderOutbox, 2, Rule::EventsInOrder),
    (Bug::ForgetCommit, 3, Rule::AcceptedIsThere),
    (Bug::StaleCache, 3, Rule::CacheConverges),
];

#[test]
fn every_planted_bug_is_found() {
    assert_eq!(FOUND.map(|(bug, ..)| bug), *Bug::ALL);
    for (bug, seeds, rule) in FOUND {
        let broken = |seed: u64| {
            let report = Simulation::new(seed).with_bug(bug).run().unwrap();
            report.violations.iter().any(|violation| violation.rule == rule)
        };
        assert!((1..=seeds).any(broken), "{} breaks {rule:?} in none of {seeds} seeds", bug.name());
    }
    // Without them, the same seeds are clean.
    let most = FOUND.iter().map(|(_, seeds, _)| *seeds).max().unwrap();
    assert!((1..=most).all(|seed| Simulation::new(seed).run().unwrap().is_clean()));
}
