//! Runs every how-to program and compares what it prints with `expected/<program>.txt`.

#![expect(clippy::unwrap_used, reason = "a test may fail this way")]

use std::path::Path;
use std::process::Command;

/// Runs a program; fails if it does, or if it prints anything else than expected.
fn run(name: &str, program: &str) {
    let output = Command::new(program).output().unwrap();
    let (printed, said) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(output.status.success(), "{name} failed: {said}\n{printed}");
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("expected").join(name).with_extension("txt");
    if std::env::var_os("STOCKPULSE_BLESS").is_some() {
        std::fs::write(&file, &printed).unwrap();
    }
    let expected = std::fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(printed, expected, "{name}: not what {} holds", file.display());
}

macro_rules! programs {
    ($($name:ident),+ $(,)?) => {
        $(#[test] fn $name() { run(stringify!($name), env!(concat!("CARGO_BIN_EXE_", stringify!($name)))); })+

        #[test]
        fn every_program_is_run() {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/bin");
            let mut there: Vec<String> = std::fs::read_dir(folder)
                .unwrap()
                .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
                .collect();
            there.sort();
            let mut run = [$(stringify!($name)),+];
            run.sort_unstable();
            assert_eq!(there, run);
        }
    };
}

programs! {
    reserve_allocate_fulfil,
    retry_safely,
    partial_and_backorder,
    kits_and_sourcing,
    order_flow,
    payments_and_holds,
    reconcile,
    own_handler,
}
