//! The command line.

use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use stockpulse_core::model::Quantity;

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

The result depends on the files, --opening-stock and --policy alone, whatever the store, the bus, the cache and the gate. \
--seed-duplicates and --crash-every make life hard for the services and must not change it, nor does \
killing a replay on a durable store and starting it again with the same arguments and --resume. \
Without --resume a store that holds a replay is refused.";

const AFTER_LONG_HELP: &str = "\
Examples:
  The sample that ships with the repository, as a table:
    stockpulse-replay examples/replay/data/online-retail-2010-12-01_2010-12-03.csv.xz
  Scarce stock, one JSON object on standard output, rejected rows in a file:
    stockpulse-replay --opening-stock 50 --policy partial --json sales.csv 2>rejected.txt
  Half of all events twice and a crash after every 100 orders; the same result:
    stockpulse-replay --seed-duplicates 0.5 --crash-every 100 sales.csv
  On a SQLite file; killed, it goes on when it is started again:
    stockpulse-replay --store sqlite:shop.db --resume sales.csv
  On PostgreSQL, in a schema of its own:
    stockpulse-replay --store postgres://me@localhost/shop --schema replay sales.csv
  Over Kafka, on the topic monday.events:
    stockpulse-replay --store sqlite:shop.db --bus kafka://localhost:9092/monday sales.csv
  Over Redis Streams, under keys that begin with monday:
    stockpulse-replay --store sqlite:shop.db --bus redis://localhost:6379#monday sales.csv
  With a cache and a gate that the events keep fresh, under keys that begin with monday:
    stockpulse-replay --cache redis://localhost:6379#monday --gate redis://localhost:6379#monday sales.csv

Exit codes:
  0  the report was written
  1  the replay or the writing of its report failed
  2  the command line, a file or what the store holds cannot be used; nothing was replayed

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

    /// How many orders may wait for their decision at once
    #[arg(long, value_name = "N", default_value = "64")]
    pub window: NonZeroUsize,

    /// Where stock and orders are kept: memory, sqlite:FILE, postgres://…, or mysql://…
    #[arg(long, value_name = "URL", default_value = "memory")]
    pub store: String,

    /// What carries the events: memory, sql in the store's database, kafka://HOST:PORT/NAME, or redis://HOST:PORT#NAME
    /// [default: memory with a store in memory, otherwise sql]
    #[arg(long, value_name = "NAME")]
    pub bus: Option<String>,

    /// Read availability through a cache, which the events keep fresh: redis://HOST:PORT#NAME
    #[arg(long, value_name = "URL")]
    pub cache: Option<String>,

    /// Keep an admission gate informed by the events: redis://HOST:PORT#NAME
    #[arg(long, value_name = "URL")]
    pub gate: Option<String>,

    /// The schema of a PostgreSQL store, made if it does not exist [default: the user's]
    #[arg(long, value_name = "NAME")]
    pub schema: Option<String>,

    /// Go on with the replay that the store holds, or begin one if it is empty
    #[arg(long)]
    pub resume: bool,
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

fn probability(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(p) if (0.0..=1.0).contains(&p) => Ok(p),
        _ => Err("a probability is a number from 0 to 1".to_owned()),
    }
}

#[cfg(test)]
mod tests;
