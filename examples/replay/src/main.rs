//! The `stockpulse-replay` command: see `stockpulse-replay --help`.

use std::process::ExitCode;

use clap::Parser;
use stockpulse_replay::{Args, Invoices, ReplayError, drive, output};

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output::error(&error);
            ExitCode::from(error.exit_code())
        }
    }
}

/// Everything is read and checked first; only then does anything reach the terminal or the shop.
fn run(args: &Args) -> Result<(), ReplayError> {
    args.backends()?;
    args.check_front()?;
    let invoices = Invoices::load(&args.files)?;
    output::rejections(invoices.rejections())?;
    let report = drive::run(args, &invoices)?;
    output::report(&report, args.json)
}
