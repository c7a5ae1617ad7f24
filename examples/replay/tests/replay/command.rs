//! The program itself: what it says where, and how it exits.

use std::ffi::OsStr;
use std::process::Command;

use crate::support::{Folder, HEADER, compress, december};

/// Runs the program; gives its exit code, standard output and standard error.
fn run(arguments: &[&OsStr]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_stockpulse-replay")).args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// Runs the program on input it cannot use; gives the one line that it says.
fn refused(arguments: &[&OsStr]) -> String {
    let (code, out, err) = run(arguments);
    assert_eq!((code, out.as_str()), (Some(2), ""), "{err}");
    let line = err.strip_suffix('\n').expect("a whole line");
    assert!(!line.contains('\n'), "{err:?}");
    line.strip_prefix("stockpulse-replay: ").expect("says who it is").to_owned()
}

#[test]
fn an_unusable_file_is_one_line_and_exit_code_2_and_nothing_is_half_reported() {
    let folder = Folder::new();
    // Its rejected row must not be reported when a later file is unusable.
    let sloppy = folder.write("sloppy.csv", format!("{HEADER}1,bad\n1,2,,3,,4,,\n"));
    let packed = compress(HEADER.as_bytes());
    for (file, reason) in [
        (folder.path().join("none.csv"), "no such file"),
        (folder.path().to_owned(), "is a directory, not a file"),
        (folder.write("empty.csv", ""), "empty, without the header InvoiceNo,"),
        (folder.write("other.csv", "a,b\n"), "wrong header \"a,b\", not InvoiceNo,"),
        (folder.write("cut.xz", &packed[..packed.len() - 1]), "truncated .xz"),
    ] {
        let expected = format!("{}: {reason}", file.display());
        for options in [&[][..], &["--json".as_ref()]] {
            let arguments = [options, &[sloppy.as_os_str(), file.as_os_str()]].concat();
            let line = refused(&arguments);
            assert!(line.starts_with(&expected), "{line}\n{expected}");
        }
    }
}

#[test]
fn an_unknown_store_or_bus_is_one_line_and_exit_code_2() {
    let sample = december();
    let on = |feature: bool, bus| if feature { bus } else { "" };
    let [kafka, redis] = [on(cfg!(feature = "kafka"), ", kafka://…"), on(cfg!(feature = "redis"), ", redis://…")];
    let buses = format!("memory, sql{kafka}{redis}");
    for (option, known) in [("--store", "memory, sqlite:FILE, postgres://…, mysql://…"), ("--bus", &buses)] {
        let line = refused(&[option.as_ref(), "pigeon".as_ref(), sample.as_os_str()]);
        assert_eq!(line, format!("{option} pigeon: unknown; this build has: {known}"));
    }
}

#[test]
fn an_unknown_cache_or_gate_is_one_line_and_exit_code_2() {
    let sample = december();
    let known = if cfg!(feature = "redis") { "redis://…" } else { "none" };
    for option in ["--cache", "--gate"] {
        let line = refused(&[option.as_ref(), "pigeon".as_ref(), sample.as_os_str()]);
        assert_eq!(line, format!("{option} pigeon: unknown; this build has: {known}"));
    }
}

#[test]
fn a_wrong_command_line_exits_with_2_and_help_with_0() {
    for wrong in [&[][..], &["--seed-duplicates", "2", "f"], &["--opening-stock", "-1", "f"]] {
        let arguments: Vec<&OsStr> = wrong.iter().map(OsStr::new).collect();
        let (code, out, err) = run(&arguments);
        assert_eq!((code, out.as_str()), (Some(2), ""), "{wrong:?}");
        assert!(err.contains("try '--help'"), "{err}");
    }
    let (code, out, err) = run(&["--help".as_ref()]);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    assert!(out.contains("10.24432/C5BW33"));
}

#[test]
fn json_is_one_object_on_standard_output_and_rejections_go_to_standard_error() {
    let folder = Folder::new();
    let rows = "1,2,,5,,1,,\n1,bad\n2,2,,600,,1,,\nC1,2,,-1,,1,,\n";
    let file = folder.write("sales.csv", format!("{HEADER}{rows}"));
    let (code, out, err) = run(&["--json".as_ref(), file.as_os_str()]);
    assert_eq!(code, Some(0), "{err}");
    assert_eq!(err, format!("{}:3: wrong number of fields: 2, not 8\n", file.display()));
    let report: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!((&report["rows"], &report["rows_rejected"]), (&4.into(), &1.into()));
    let orders = r#"{"placed":2,"confirmed":1,"partially_confirmed":0,"rejected":1,"returns":1}"#;
    assert_eq!(report["orders"], serde_json::from_str::<serde_json::Value>(orders).unwrap());
    assert_eq!(report["units_on_hand"], 496);
    assert!(report["elapsed_s"].is_f64() && report["orders_per_s"].is_f64());
}

#[test]
fn without_json_the_report_is_a_table() {
    let (code, out, _) = run(&[december().as_os_str()]);
    assert_eq!(code, Some(0));
    for part in ["50,609", "dc237719985703826702c458d6f7bd3f5e5a9dd869e8e63e796674a9b1b41d81"] {
        assert!(out.contains(part), "{out}");
    }
}
