//! The same seed is the same history, to the letter: in one process, on another thread, in another process.

use std::io::Write;
use std::process::Command;
use std::thread;

use stockpulse_core::ErrorKind;
use stockpulse_core::sim::{Bug, Report, Simulation};

/// Tells a child process to say what this seed comes to.
const CHILD: &str = "STOCKPULSE_SIM_CHILD";
const SEED: u64 = 4_711;

fn run(seed: u64) -> Report {
    Simulation::new(seed).run().unwrap()
}

#[test]
fn the_same_seed_is_the_same_history_and_another_seed_another() {
    let first = run(SEED);
    assert_eq!(first, run(SEED));
    assert_eq!(first, thread::spawn(|| run(SEED)).join().unwrap());
    assert!(first.steps > 1_000 && first.trace.is_none());
    let others: Vec<u128> = (0..10).map(|seed| run(seed).digest).collect();
    let mut unique = others.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), others.len());
}

#[test]
fn another_process_comes_to_the_same() {
    let digest = format!("digest {:032x}", run(SEED).digest);
    if std::env::var_os(CHILD).is_some() {
        writeln!(std::io::stdout(), "{digest}").unwrap();
        return;
    }
    let this = "sim::determinism::another_process_comes_to_the_same";
    let mut child = Command::new(std::env::current_exe().unwrap());
    let output = child.args(["--exact", this, "--nocapture"]).env(CHILD, "1").output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && said.contains(&digest), "{digest} is not in {said}");
}

#[test]
fn keeping_the_trace_changes_nothing_and_shows_every_violation() {
    let mut report = Simulation::new(SEED).with_trace().run().unwrap();
    let trace = report.trace.take().unwrap();
    assert_eq!(trace.lines().count() as u64, report.steps);
    assert_eq!(report, run(SEED));
    let broken = Simulation::new(SEED).with_bug(Bug::ReorderOutbox).with_trace().run().unwrap();
    let shown = broken.trace.unwrap().lines().filter(|line| line.contains("VIOLATION")).count() as u64;
    assert!(shown > 0);
    assert_eq!(shown, broken.violations.len() as u64 + broken.more_violations);
}

#[tokio::test]
async fn it_does_not_run_within_another_runtime() {
    assert_eq!(Simulation::new(1).run().unwrap_err().kind(), ErrorKind::Config);
}
