//! The model and the parser together give the known figures of real data.

use std::path::PathBuf;

use stockpulse_replay::Invoices;
use stockpulse_replay::args::Policy;
use stockpulse_replay::report::stock_digest;

use crate::known::{CASES, Case, Input};
use crate::oracle;
use crate::support::{december, january, load_rows, skip};

/// Where the half year `2010-12` to `2011-06` of the data set lies, if somebody has it.
const HALF_YEAR: &str = "STOCKPULSE_REPLAY_DATA";

fn check_all(input: Input, files: &[PathBuf]) {
    let invoices = Invoices::load(files).unwrap();
    let cases: Vec<&Case> = CASES.iter().filter(|case| case.input == input).collect();
    assert_eq!(cases.len(), 6);
    for case in cases {
        case.check(&oracle::replay(&invoices, case.opening, case.policy));
    }
}

#[test]
fn three_days_of_december() {
    check_all(Input::December, &[december()]);
}

#[test]
fn december_and_january_in_one_replay() {
    check_all(Input::Both, &[december(), january()]);
}

#[test]
fn the_half_year() {
    match std::env::var_os(HALF_YEAR).map(PathBuf::from) {
        None => skip("the_half_year", &format!("{HALF_YEAR} does not name the data file")),
        Some(file) if !file.exists() => {
            skip("the_half_year", &format!("{HALF_YEAR} names no file: {}", file.display()));
        }
        Some(file) => check_all(Input::HalfYear, &[file]),
    }
}

#[test]
fn the_digest_of_the_crate_is_that_of_the_model() {
    let december = Invoices::load(&[december()]).unwrap();
    let skus = december.skus();
    let nothing_returned: String = (skus.iter()).map(|(_, sku)| format!("C1,{sku},,0,,0,,\n")).collect();
    let model = oracle::replay(&load_rows(&nothing_returned), 500, Policy::AllOrNothing);

    let tracked = skus.iter().filter(|(id, _)| skus.is_tracked(*id));
    let levels: Vec<(&str, i64)> = tracked.map(|(_, sku)| (sku, 500)).collect();
    assert_eq!(levels.len(), 1_860);
    assert_eq!(stock_digest(levels.iter().copied()), model.stock_digest);
    assert_eq!(stock_digest(levels.into_iter().rev()), model.stock_digest);
}
