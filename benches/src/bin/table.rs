//! Prints the table of what `cargo bench` measured last.

#![expect(clippy::print_stdout, reason = "it is there to print")]

use std::env;
use std::error::Error;
use std::path::PathBuf;

use stockpulse_benches::Table;

fn main() -> Result<(), Box<dyn Error>> {
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
    let folder = target.join("criterion");
    let table = Table::read(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    println!("{table}");
    Ok(())
}
