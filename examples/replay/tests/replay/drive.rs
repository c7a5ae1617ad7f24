//! The replay through services and bus gives the figures of the plain model, whatever happens on the way.

use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;

use clap::Parser;
use stockpulse_replay::args::Policy;
use stockpulse_replay::{Args, Invoices, Report, drive};

use crate::known::{CASES, Case, Input};
use crate::oracle;
use crate::support::{december, january, load_rows, skip};

const ALL: [Policy; 3] = [Policy::AllOrNothing, Policy::Partial, Policy::Backorder];

fn args(policy: Policy, opening: i64) -> Args {
    let defaults = Args::parse_from(["stockpulse-replay", "sales.csv"]);
    Args { policy, opening_stock: opening, ..defaults }
}

/// What must not depend on faults, batches or time.
fn result(report: Report) -> Report {
    Report { elapsed_s: 0.0, orders_per_s: 0.0, ..report }
}

fn check_all(input: Input, policies: &[Policy], files: &[PathBuf]) {
    let invoices = Invoices::load(files).unwrap();
    let cases: Vec<&Case> =
        CASES.iter().filter(|case| case.input == input && policies.contains(&case.policy)).collect();
    assert_eq!(cases.len(), 2 * policies.len());
    for case in cases {
        check(case, &drive::run(&args(case.policy, case.opening), &invoices).unwrap());
    }
}

fn check(case: &Case, report: &Report) {
    case.check(report);
    assert_eq!((report.oversold, report.ledger_consistent), (0, true));
    assert!(report.events_published > 2 * report.orders.placed, "{report:?}");
}

#[test]
fn real_orders_of_three_days_end_as_the_model_says() {
    check_all(Input::December, &ALL, &[december()]);
}

#[test]
fn two_files_end_as_the_model_says() {
    check_all(Input::Both, &ALL, &[december(), january()]);
}

#[test]
fn the_half_year_through_the_bus() {
    match std::env::var_os("STOCKPULSE_REPLAY_DATA").map(PathBuf::from).filter(|file| file.exists()) {
        // Without optimisation the other policies take long; the shorter samples have them.
        Some(file) => check_all(Input::HalfYear, &[Policy::AllOrNothing], &[file]),
        None => skip("the_half_year_through_the_bus", "STOCKPULSE_REPLAY_DATA names no file"),
    }
}

#[test]
fn duplicates_crashes_and_windows_change_nothing() {
    let invoices = Invoices::load(&[january()]).unwrap();
    for policy in ALL {
        let plain = args(policy, 20);
        let expected = result(drive::run(&plain, &invoices).unwrap());
        for (duplicates, crash_every, window) in
            [(0.5, None, 64), (1.0, None, 1), (0.0, Some(7), 64), (0.5, Some(1), 64), (1.0, Some(5), 3)]
        {
            let faulty = Args {
                seed_duplicates: duplicates,
                crash_every: crash_every.and_then(NonZeroU64::new),
                window: NonZeroUsize::new(window).unwrap(),
                ..plain.clone()
            };
            let report = result(drive::run(&faulty, &invoices).unwrap());
            assert_eq!(report, expected, "{duplicates} {crash_every:?} {window}");
        }
    }
}

#[test]
fn odd_documents_end_as_the_model_says() {
    for rows in [
        "",
        "1,2,,0,,1,,\n",
        "C1,POST,,-1,,1,,\n",
        "C1,2,,0,,1,,\nC2,2,,7,,1,,\n",
        "1,POST,,3,,1,,\n1,2,,600,,1,,\n",
        "1,2,,5,,1,,\n1,2,,5,,1,,\n1,2,,-3,,1,,\n",
        "A1,2,,-501,,1,,\nA2,2,,-500,,1,,\nA3,POST,,-1,,1,,\nA3,2,,0,,1,,\n",
        "1,85114a,,400,,1,,\n2,85114A,,400,,1,,\n3,85114a,,400,,1,,\n3,85114A,,50,,1,,\n",
        "1,2,,9007199254740991,,92233720368547758.07,,\n",
        "1,2,,700,,1,,\n2,2,,100,,1,,\nC1,2,,-250,,1,,\nC2,2,,-100,,1,,\n3,2,,30,,1,,\n",
    ] {
        let invoices = load_rows(rows);
        for policy in ALL {
            let report = drive::run(&args(policy, 500), &invoices).unwrap();
            let events_published = report.events_published;
            let expected = Report { events_published, ..oracle::replay(&invoices, 500, policy) };
            assert_eq!(result(report), result(expected), "{policy:?} {rows:?}");
        }
    }
}
