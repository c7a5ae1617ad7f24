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
    assert_eq!((args.cache, args.gate), (None, None));
    assert_eq!((args.store.as_str(), args.bus, args.schema, args.resume), ("memory", None, None, false));
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
fn the_long_help_names_rules_examples_exit_codes_and_source() {
    let help = Args::command().render_long_help().to_string();
    for part in
        ["InvoiceNo", "--crash-every", "Examples:", "Exit codes:", "Daqing Chen", "10.24432/C5BW33", "CC BY 4.0"]
    {
        assert!(help.contains(part), "{part}");
    }
}
