//! What files may be fed in, and which may not.

use std::fs;
use std::path::Path;

use stockpulse_replay::Invoices;
use stockpulse_replay::invoice::DocumentKind;

use crate::support::{Folder, HEADER, compress, december, january, load, load_rows, outline, sample};

const ROWS: &str = "\
536365,22423,\"CAKESTAND, 3 TIER\",6,2010-12-01 08:26:00,12.75,17850.0,United Kingdom\n\
536365,POST,\"POSTAGE\nof \"\"this, and only\"\" this order\",1,2010-12-01 08:26:00,18.0,17850.0,United Kingdom\n\
C536379,22423,,-1,2010-12-01 09:41:00,0.001,,France\n";

const OUTLINE: [&str; 2] = ["536365: 22423×6@1275 POST×1@1800", "C536379: 22423×-1@0"];

fn reason(content: impl AsRef<[u8]>) -> String {
    let folder = Folder::new();
    let file = folder.write("sales.csv", content);
    reason_of(&file)
}

/// Why `file` cannot be used, without its name, which has to be there.
fn reason_of(file: &Path) -> String {
    let error = Invoices::load(&[file.to_owned()]).unwrap_err();
    assert_eq!(error.exit_code(), 2);
    let text = error.to_string();
    assert!(!text.contains('\n'), "{text:?}");
    let name = format!("{}: ", file.display());
    text.strip_prefix(&name).expect("the file is named").to_owned()
}

#[test]
fn quoted_fields_hold_commas_quotes_and_line_breaks() {
    let invoices = load_rows(ROWS);
    assert_eq!(outline(&invoices), OUTLINE);
    assert_eq!((invoices.rows(), invoices.rejections().len()), (3, 0));
    let documents = invoices.documents();
    assert_eq!(documents[0].customer(), Some("17850.0"));
    assert_eq!(documents[0].country(), Some("United Kingdom"));
    assert_eq!((documents[1].customer(), documents[1].country()), (None, Some("France")));
}

#[test]
fn byte_order_mark_crlf_empty_lines_and_a_missing_last_line_end_change_nothing() {
    let plain = format!("{HEADER}{ROWS}");
    for variant in [
        format!("\u{feff}{plain}"),
        plain.replace('\n', "\r\n"),
        format!("\u{feff}{}", plain.replace('\n', "\r\n")),
        plain.trim_end().to_owned(),
        format!("{HEADER}\n\n{ROWS}\n\n"),
        format!("{}{ROWS}", HEADER.replace("StockCode", "\"StockCode\"")),
    ] {
        let invoices = load(&variant).unwrap();
        assert_eq!(outline(&invoices), OUTLINE, "{variant:?}");
        assert_eq!((invoices.rows(), invoices.rejections().len()), (3, 0));
        assert_eq!(invoices.documents()[1].country(), Some("France"), "{variant:?}");
    }
}

#[test]
fn a_header_alone_is_a_file_of_no_rows() {
    let invoices = load_rows("");
    assert_eq!((invoices.rows(), invoices.documents().len()), (0, 0));
    assert!(invoices.skus().is_empty());
}

#[test]
fn a_wrong_header_is_refused() {
    let wrong = reason("InvoiceNo,StockCode\n1,2\n");
    assert!(wrong.starts_with("wrong header \"InvoiceNo,StockCode\", not InvoiceNo,"), "{wrong}");
    for header in [
        HEADER.to_lowercase(),
        HEADER.replace("Country", "Land"),
        HEADER.replace("Country", "Country,More"),
        HEADER.replace(',', ";"),
        format!(" {HEADER}"),
        ROWS.to_owned(),
        HEADER.replace("InvoiceNo", "\u{feff}InvoiceNo\u{feff}"),
    ] {
        assert!(reason(&header).starts_with("wrong header"), "{header:?}");
    }
    assert!(reason(b"\xFF\xFE\0\x01\x02").starts_with("wrong header"));
}

#[test]
fn an_empty_file_is_refused() {
    for nothing in ["", "\u{feff}", "\n\r\n"] {
        assert!(reason(nothing).starts_with("empty, without the header"), "{nothing:?}");
    }
}

#[test]
fn what_is_no_readable_file_is_refused() {
    let folder = Folder::new();
    assert_eq!(reason_of(&folder.path().join("none.csv")), "no such file");
    assert_eq!(reason_of(folder.path()), "is a directory, not a file");
}

#[test]
fn one_bad_file_spoils_the_whole_input() {
    let folder = Folder::new();
    let good = folder.write("good.csv", format!("{HEADER}{ROWS}"));
    let bad = folder.write("bad.csv", "no,header\n");
    let error = Invoices::load(&[good, bad]).unwrap_err();
    assert!(error.to_string().contains("bad.csv: wrong header"), "{error}");
}

#[test]
fn plain_and_xz_are_the_same() {
    let folder = Folder::new();
    let plain = format!("{HEADER}{ROWS}");
    let packed = compress(plain.as_bytes());
    for file in [
        folder.write("a.csv.xz", &packed),
        folder.write("b.XZ", &packed),
        folder.write("by-its-magic-bytes.csv", &packed),
    ] {
        let invoices = Invoices::load(&[file]).unwrap();
        assert_eq!(outline(&invoices), OUTLINE);
    }
    // And the shipped sample, which another program compressed.
    let content = stockpulse_replay::source::read(&december()).unwrap();
    let unpacked = folder.write("december.csv", content);
    let from_plain = Invoices::load(&[unpacked]).unwrap();
    let from_xz = Invoices::load(&[december()]).unwrap();
    assert_eq!(from_plain.rows(), 7_419);
    assert_eq!(outline(&from_plain), outline(&from_xz));
}

#[test]
fn xz_streams_after_one_another_are_one_file() {
    let folder = Folder::new();
    let mut packed = compress(HEADER.as_bytes());
    packed.extend(compress(ROWS.as_bytes()));
    packed.extend([0; 4]);
    packed.extend(compress(b"536366,1,,1,,1,,\n"));
    let invoices = Invoices::load(&[folder.write("three.xz", packed)]).unwrap();
    assert_eq!(outline(&invoices)[..2], OUTLINE);
    assert_eq!(outline(&invoices)[2..], ["536366: 1×1@100"]);
}

#[test]
fn a_truncated_xz_is_refused_wherever_it_ends() {
    let folder = Folder::new();
    let packed = compress(format!("{HEADER}{ROWS}").as_bytes());
    for length in 0..packed.len() {
        let file = folder.write("cut.csv.xz", &packed[..length]);
        assert_eq!(reason_of(&file), "truncated .xz: it ends in the middle", "{length}");
    }
    let real = fs::read(december()).unwrap();
    let file = folder.write("cut.csv.xz", &real[..real.len() / 2]);
    assert_eq!(reason_of(&file), "truncated .xz: it ends in the middle");
}

#[test]
fn a_damaged_xz_is_refused() {
    let folder = Folder::new();
    let packed = compress(format!("{HEADER}{ROWS}").as_bytes());
    for place in 0..packed.len() {
        let mut damaged = packed.clone();
        damaged[place] ^= 0x55;
        let file = folder.write("damaged.csv.xz", damaged);
        assert!(reason_of(&file).contains(".xz: "), "{place}");
    }
    let file = folder.write("plain.csv.xz", format!("{HEADER}{ROWS}"));
    assert!(reason_of(&file).starts_with("no usable .xz: "));
}

#[test]
fn the_sample_is_what_its_readme_says() {
    for (file, rows, orders, returns, adjustments) in
        [(december(), 7_419, 352, 36, 30), (january(), 2_583, 108, 27, 53)]
    {
        assert!(fs::metadata(&file).unwrap().len() < 75_000);
        let invoices = Invoices::load(&[file]).unwrap();
        let mut counts = (0, 0, 0);
        for document in invoices.documents() {
            match document.kind() {
                DocumentKind::Order(_) => counts.0 += 1,
                DocumentKind::Return(_) => counts.1 += 1,
                DocumentKind::Adjustments(lines) => counts.2 += lines.len(),
            }
        }
        assert_eq!((invoices.rows(), counts), (rows, (orders, returns, adjustments)));
        assert_eq!(invoices.rejections(), []);
    }
    let readme = fs::read_to_string(sample("README.md")).unwrap();
    for part in ["Daqing Chen", "CC BY 4.0", "10.24432/C5BW33", "| 7419 |", "| 2583 |"] {
        assert!(readme.contains(part), "{part}");
    }
}
