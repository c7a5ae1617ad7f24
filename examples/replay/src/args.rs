//! The command line.

use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use stockpulse_core::model::Quantity;

use crate::error::ReplayError;

const LONG_ABOUT: &str = "\
Replays a real shop's invoices through StockPulse: every order is placed, reserved, confirmed, \
adjusted or rejected, allocated and shipped by the public services over the bus, in the files' \
order; returns and stock adjustments happen between them. It ends with a report.

FILE is CSV in UTF-8, plain or .xz, with the header
  InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country

How the rows are read:
  * Rows with the same InvoiceNo are one document, over all files in the order given.
  * A row is rejected, with file, line and reason on standard error, if the number of fields is
    wrong, InvoiceNo or StockCode is empty, Quantity is no integer, or UnitPrice is no number or
    negative. The rest of its document stands.
  * A StockCode that begins with a digit is a tracked SKU, which opens with --opening-stock units
    at location `main`; any other is a service and always available.
  * InvoiceNo beginning with C is a return: |Quantity| goes back on hand.
  * Otherwise, if every Quantity is 0 or less, the rows are adjustments: each changes what is on
    hand, and is refused where that would fall below 0.
  * Otherwise the document is an order of the rows with a Quantity above 0.

The result depends on the files, --opening-stock and --policy alone. --seed-duplicates and \
--crash-every make life hard for the services and must not change it.";

const AFTER_LONG_HELP: &str = "\
Examples:
  The sample that ships with the repository, as a table:
    stockpulse-replay examples/replay/data/online-retail-2010-12-01_2010-12-03.csv.xz
  Scarce stock, one JSON object on standard output, rejected rows in a file:
    stockpulse-replay --opening-stock 50 --policy partial --json sales.csv 2>rejected.txt
  Half of all events twice and a crash after every 100 orders; the same result:
    stockpulse-replay --seed-duplicates 0.5 --crash-every 100 sales.csv

Exit codes:
  0  the report was written
  1  the replay or the writing of its report failed
  2  the command line or a file cannot be used; nothing was replayed

The data:
  Online Retail, by Daqing Chen (2015), UCI Machine Learning Repository,
  https://doi.org/10.24432/C5BW33, licensed under CC BY 4.0
  (https://creativecommons.org/licenses/by/4.0/).";

/// The most units that can be counted.
const MAX_OPENING_STOCK: i64 = Quantity::MAX.get();

/// What to replay, and how.
#[derive(Debug, Clone, PartialEq, Parser)]
#[command(
    name = "stockpulse-replay",
    version,
    about = "Replays a real shop's invoices through StockPulse",
    long_about = LONG_ABOUT,
    after_help = "See --help for the rules, examples, exit codes and the source of the data.",
    after_long_help = AFTER_LONG_HELP
)]
pub struct Args {
    /// CSV files of invoices, plain or .xz, replayed in the order given
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,

    /// Units on hand with which each tracked SKU opens
    #[arg(
        long,
        value_name = "N",
        default_value_t = 500,
        value_parser = clap::value_parser!(i64).range(0..=MAX_OPENING_STOCK),
        allow_negative_numbers = true
    )]
    pub opening_stock: i64,

    /// What happens to an order that the stock cannot serve
    #[arg(long, value_enum, default_value_t = Policy::AllOrNothing)]
    pub policy: Policy,

    /// Write the report as one JSON object to standard output, and nothing else there
    #[arg(long)]
    pub json: bool,

    /// Deliver each event again with probability P, from 0 to 1
    #[arg(
        long,
        value_name = "P",
        default_value_t = 0.0,
        value_parser = probability,
        allow_negative_numbers = true
    )]
    pub seed_duplicates: f64,

    /// The seed from which --seed-duplicates chooses
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u64,

    /// Drop the services and workers after every N orders and rebuild them from the store
    #[arg(long, value_name = "N")]
    pub crash_every: Option<NonZeroU64>,

    /// How many orders may be in flight at once
    #[arg(long, value_name = "N", default_value = "64")]
    pub window: NonZeroUsize,

    /// Where stock and orders are kept: memory
    #[arg(long, value_name = "URL", default_value = "memory")]
    pub store: String,

    /// What carries the events: memory
    #[arg(long, value_name = "NAME", default_value = "memory")]
    pub bus: String,
}

/// What happens to an order that the stock cannot serve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, ValueEnum)]
pub enum Policy {
    /// Reject an order unless every line is wholly in stock
    AllOrNothing,
    /// Ship what there is; reject only an order that would get nothing
    Partial,
    /// Ship what there is; the rest waits for returns, first in, first out
    Backorder,
}

/// Where stock and orders are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreKind {
    /// The reference store, in this process.
    Memory,
}

/// What carries the events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BusKind {
    /// The reference bus, in this process.
    Memory,
}

impl Args {
    /// The store and the bus that were asked for.
    ///
    /// # Errors
    /// [`ReplayError::UnknownBackend`] if this build has no such store or bus.
    pub fn backends(&self) -> Result<(StoreKind, BusKind), ReplayError> {
        let unknown =
            |option, value: &str| ReplayError::UnknownBackend { option, value: value.to_owned(), known: "memory" };
        let store = match self.store.as_str() {
            "memory" => StoreKind::Memory,
            other => return Err(unknown("--store", other)),
        };
        let bus = match self.bus.as_str() {
            "memory" => BusKind::Memory,
            other => return Err(unknown("--bus", other)),
        };
        Ok((store, bus))
    }
}

fn probability(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(p) if (0.0..=1.0).contains(&p) => Ok(p),
        _ => Err("a probability is a number from 0 to 1".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;
    use clap::error::ErrorKind;

    use super::*;

    fn parse(options: &[&str]) -> Result<Args, clap::Error> {
        let command = ["stockpulse-replay", "sales.csv"];
        Args::try_parse_from(command.iter().chain(options))
    }

    #[test]
    fn the_command_is_well_formed() {
        Args::command().debug_assert();
    }

    #[test]
    fn defaults_are_those_of_the_help() {
        let args = parse(&[]).unwrap();
        assert_eq!(args.files, [PathBuf::from("sales.csv")]);
        assert_eq!(args.opening_stock, 500);
        assert_eq!(args.policy, Policy::AllOrNothing);
        assert!(!args.json);
        assert_eq!((args.seed_duplicates, args.seed), (0.0, 1));
        assert_eq!(args.crash_every, None);
        assert_eq!(args.window.get(), 64);
        assert_eq!(args.backends().unwrap(), (StoreKind::Memory, BusKind::Memory));
    }

    #[test]
    fn policies_go_by_their_names() {
        for (name, policy) in
            [("all-or-nothing", Policy::AllOrNothing), ("partial", Policy::Partial), ("backorder", Policy::Backorder)]
        {
            assert_eq!(parse(&["--policy", name]).unwrap().policy, policy);
        }
        assert!(parse(&["--policy", "whatever"]).is_err());
    }

    #[test]
    fn numbers_out_of_range_are_told_apart_from_unknown_options() {
        for options in [
            ["--opening-stock", "-1"],
            ["--opening-stock", "1.5"],
            ["--opening-stock", "9007199254740992"],
            ["--seed-duplicates", "-0.1"],
            ["--seed-duplicates", "1.01"],
            ["--seed-duplicates", "NaN"],
            ["--seed-duplicates", "often"],
            ["--crash-every", "0"],
            ["--window", "0"],
        ] {
            let error = parse(&options).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ValueValidation, "{options:?}");
            assert_eq!(error.exit_code(), 2);
        }
        for edge in ["0", "1", "0.25"] {
            assert!(parse(&["--seed-duplicates", edge]).is_ok());
        }
        assert_eq!(parse(&["--opening-stock", "0"]).unwrap().opening_stock, 0);
    }

    #[test]
    fn an_unknown_store_or_bus_is_named() {
        for option in ["--store", "--bus"] {
            let error = parse(&[option, "pigeon://loft"]).unwrap().backends();
            assert_eq!(
                error.unwrap_err().to_string(),
                format!("{option} pigeon://loft: unknown; this build has: memory")
            );
        }
    }

    #[test]
    fn the_long_help_names_rules_examples_exit_codes_and_source() {
        let help = Args::command().render_long_help().to_string();
        for part in
            ["InvoiceNo", "--crash-every", "Examples:", "Exit codes:", "Daqing Chen", "10.24432/C5BW33", "CC BY 4.0"]
        {
            assert!(help.contains(part), "{part}");
        }
    }
}
