//! The command as a whole: exit codes, and the command that it prints for a failing seed.

#![expect(clippy::unwrap_used, reason = "a test may fail this way")]

use std::process::{Command, Output};

fn run(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_stockpulse-sim")).args(args).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn clean_seeds_end_with_totals_and_0() {
    let output = run(&["--seeds", "3", "--first", "7"]);
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(said.contains("3 seeds, 0 failed") && said.contains("orders shipped"), "{said}");
}

#[test]
fn a_failing_seed_ends_with_1_and_the_command_that_shows_it_again() {
    let output = run(&["--seeds", "1", "--first", "5", "--bug", "skip-duplicate-check", "--faults", "none"]);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains("seed 5 FAILED") && said.contains("SameAnswer at"), "{said}");
    let replay = said.lines().find_map(|line| line.split("stockpulse-sim -- ").nth(1)).unwrap_or_default();
    assert_eq!(replay, "--seed 5 --trace --faults none --bug skip-duplicate-check");
    let again = run(&replay.split(' ').collect::<Vec<_>>());
    assert_eq!(again.status.code(), Some(1));
    assert!(text(&again.stdout).contains("VIOLATION SameAnswer"));
}

#[test]
fn what_makes_no_sense_ends_with_2() {
    for args in [&["--bug", "nonesuch"][..], &["--seeds", "0"], &["--trace"]] {
        assert_eq!(run(args).status.code(), Some(2), "{args:?}");
    }
}
