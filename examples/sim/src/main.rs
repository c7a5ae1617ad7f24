//! The `stockpulse-sim` command: see `stockpulse-sim --help`.

mod args;
mod output;
mod sweep;
mod total;

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use stockpulse_core::sim::Simulation;

use args::Args;
use total::Total;

fn main() -> ExitCode {
    let args = Args::parse();
    let done = match args.seed {
        Some(seed) => replay(&args, seed),
        None => sweep(&args),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            output::error(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

/// One seed, with its trace if it was asked for. Answers whether everything held.
fn replay(args: &Args, seed: u64) -> Result<bool, stockpulse_core::Error> {
    let simulation = args.simulation(seed);
    let report = if args.trace { Simulation::with_trace(simulation) } else { simulation }.run()?;
    output::one(args, &report);
    Ok(report.is_clean())
}

/// Many seeds on all cores. Answers whether everything held, and every fault was seen.
fn sweep(args: &Args) -> Result<bool, stockpulse_core::Error> {
    #[expect(clippy::disallowed_methods, reason = "how long the command took is no part of any simulation")]
    let begun = Instant::now();
    let mut total = Total::default();
    sweep::run(args, |report| {
        if !report.is_clean() {
            output::failed(args, &report);
        }
        total.add(&report);
        output::progress(&total, args.seeds);
    })?;
    output::total(&total, begun.elapsed());
    let idle = args.never_injected(&total);
    output::idle(&idle);
    Ok(total.failed == 0 && idle.is_empty())
}
