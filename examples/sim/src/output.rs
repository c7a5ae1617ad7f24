//! What reaches the terminal.

#![expect(clippy::print_stderr, reason = "this module is the command's output")]

use std::fmt;
use std::io::{self, Write};
use std::time::Duration;

use stockpulse_core::sim::{Fault, Report};

use crate::args::Args;
use crate::total::Total;

/// Progress is shown after every so many seeds.
const EVERY: u64 = 100;

/// Writes to standard output. Whoever closes it, as `head` does, does not want to hear more.
fn say(text: fmt::Arguments<'_>) {
    let _ = io::stdout().lock().write_fmt(text);
}

pub(crate) fn error(message: &str) {
    eprintln!("error: {message}");
}

/// What one seed did.
pub(crate) fn one(args: &Args, report: &Report) {
    if let Some(trace) = &report.trace {
        say(format_args!("{trace}"));
    }
    let mut total = Total::default();
    total.add(report);
    counts(&total);
    say(format_args!("digest {:032x}\n", report.digest));
    if !report.is_clean() {
        failed(args, report);
    }
}

/// What did not hold under one seed, and how to see it again.
pub(crate) fn failed(args: &Args, report: &Report) {
    eprintln!("seed {} FAILED", report.seed);
    for violation in &report.violations {
        eprintln!("  {violation}");
    }
    if report.more_violations > 0 {
        eprintln!("  and {} more", report.more_violations);
    }
    eprintln!("  {}", args.replay(report.seed));
}

pub(crate) fn progress(total: &Total, seeds: u64) {
    if total.seeds.is_multiple_of(EVERY) || total.seeds == seeds {
        eprintln!("{} of {seeds} seeds, {} failed", total.seeds, total.failed);
    }
}

/// The sums, and how long it took.
pub(crate) fn total(total: &Total, took: Duration) {
    counts(total);
    let (seeds, failed) = (total.seeds, total.failed);
    let hours = total.simulated.as_secs_f64() / 3_600.0;
    let took = took.as_secs_f64();
    say(format_args!("{seeds} seeds, {failed} failed; {hours:.1} hours simulated in {took:.1} s\n"));
}

/// Faults that never struck.
pub(crate) fn idle(faults: &[Fault]) {
    for fault in faults {
        eprintln!("'{}' was never injected", fault.name());
    }
}

fn counts(total: &Total) {
    say(format_args!("injected\n"));
    for (fault, times) in &total.injected {
        say(format_args!("  {:<24} {times:>12}\n", fault.name()));
    }
    say(format_args!("happened\n"));
    for (what, times) in &total.happened {
        say(format_args!("  {what:<24} {times:>12}\n"));
    }
    say(format_args!("  {:<24} {:>12}\n", "steps", total.steps));
}
