//! Every reason for which a row is left out, and where it is said to stand.

use stockpulse_replay::Invoices;

use crate::support::{Folder, HEADER, load, load_rows, outline};

const GOOD: &str = "1,22423,x,6,2010-12-01 08:26:00,2.55,17850.0,United Kingdom\n";

/// The reasons, without files and lines.
fn reasons(invoices: &Invoices) -> Vec<String> {
    let rejections = invoices.rejections().iter();
    rejections.map(|r| r.reason.to_string()).collect()
}

fn lines(invoices: &Invoices) -> Vec<u64> {
    invoices.rejections().iter().map(|r| r.line).collect()
}

/// Loads one bad row between two good ones of the same document, which have to stand.
fn reason(row: impl AsRef<[u8]>) -> String {
    let content = [HEADER.as_bytes(), GOOD.as_bytes(), row.as_ref(), b"\n", GOOD.as_bytes()];
    let invoices = load(content.concat()).unwrap();
    assert_eq!(outline(&invoices), ["1: 22423×6@255 22423×6@255"]);
    assert_eq!(invoices.rows(), 3, "a rejected row counts as a row");
    assert_eq!(invoices.skus().len(), 1, "a rejected row makes no SKU known");
    assert_eq!(lines(&invoices), [3]);
    reasons(&invoices).remove(0)
}

#[test]
fn a_wrong_number_of_fields() {
    assert_eq!(reason("1,2,x,6,,2.55,17850.0"), "wrong number of fields: 7, not 8");
    assert_eq!(reason("1,2,x,y,6,,2.55,17850.0,UK"), "wrong number of fields: 9, not 8");
    assert_eq!(reason(" "), "wrong number of fields: 1, not 8");
}

#[test]
fn an_empty_name() {
    assert_eq!(reason(",2,x,6,,2.55,,UK"), "InvoiceNo is empty");
    assert_eq!(reason("1,,x,6,,2.55,,UK"), "StockCode is empty");
    assert_eq!(reason("1,\"\",x,6,,2.55,,UK"), "StockCode is empty");
}

#[test]
fn a_stock_code_that_is_no_sku() {
    let long = "9".repeat(256);
    assert_eq!(reason(format!("1,{long},x,6,,2.55,,UK")), "StockCode is no SKU: SKU of 256 bytes is longer than 255");
    assert_eq!(reason("1,\"2\n3\",x,6,,2.55,,UK"), "StockCode is no SKU: SKU \"2\\n3\" holds a control character");
}

#[test]
fn a_quantity_that_is_no_integer() {
    for quantity in ["", "six", "1.5", "6.0", "1e3", " 6", "6 ", "1_0", "--1", "+", "٣"] {
        assert_eq!(reason(format!("1,2,x,{quantity},,2.55,,UK")), format!("Quantity is no integer: {quantity:?}"));
    }
    assert_eq!(reason(b"1,2,x,\xFF6,,2.55,,UK"), "Quantity is no integer: \"\u{fffd}6\"");
    let signed = load_rows("1,2,,+7,,1,,\n1,2,,-07,,1,,\n");
    assert_eq!(outline(&signed), ["1: 2×7@100 2×-7@100"]);
}

#[test]
fn a_quantity_out_of_range() {
    for quantity in [
        "9007199254740992",
        "-9007199254740992",
        "9223372036854775808",
        "-9223372036854775808",
        "99999999999999999999999",
    ] {
        assert_eq!(
            reason(format!("1,2,x,{quantity},,2.55,,UK")),
            format!("Quantity is no integer in range: {quantity:?}")
        );
    }
    let extreme = load_rows("1,2,,9007199254740991,,1,,\nC1,2,,-9007199254740991,,1,,\n");
    assert_eq!(extreme.rejections(), []);
}

#[test]
fn a_price_that_is_no_number() {
    for price in ["", "free", "NaN", "inf", "-inf", "1,5", "1.2.3", " 1", "£2", "1e"] {
        assert_eq!(reason(format!("1,2,x,6,,\"{price}\",,UK")), format!("UnitPrice is no number: {price:?}"));
    }
}

#[test]
fn a_negative_price() {
    for price in ["-1", "-11062.06", "-0.001"] {
        assert_eq!(reason(format!("1,2,x,6,,{price},,UK")), format!("UnitPrice is negative: {price:?}"));
    }
    let zero = load_rows("1,2,,7,,-0.0,,\n");
    assert_eq!(outline(&zero), ["1: 2×7@0"]);
}

#[test]
fn names_have_to_be_utf_8_and_descriptions_need_not() {
    assert_eq!(reason(b"\xFF1,2,x,6,,1,,UK"), "InvoiceNo is not UTF-8: \"\u{fffd}1\"");
    assert_eq!(reason(b"1,2\xFF,x,6,,1,,UK"), "StockCode is not UTF-8: \"2\u{fffd}\"");
    let rest = [HEADER.as_bytes(), b"1,2,\xFF\xFE,6,\xFF,1,\xFF,\xFF\n"].concat();
    let invoices = load(rest).unwrap();
    assert_eq!(outline(&invoices), ["1: 2×6@100"]);
    let document = &invoices.documents()[0];
    assert_eq!((document.customer(), document.country()), (None, None));
}

#[test]
fn a_document_of_more_units_than_can_be_counted() {
    let invoices = load_rows("1,2,,9007199254740984,,1,,\n1,3,,-7,,1,,\n1,4,,1,,1,,\n1,2,,0,,1,,\n5,4,,1,,1,,\n");
    assert_eq!(outline(&invoices), ["1: 2×9007199254740984@100 3×-7@100 2×0@100", "5: 4×1@100"]);
    let reason = "the quantities of document \"1\" add up beyond what can be counted";
    assert_eq!(reasons(&invoices), [reason]);
    assert_eq!(lines(&invoices), [4]);
}

#[test]
fn the_first_thing_wrong_is_the_reason() {
    assert_eq!(reason(",,x,six,,free,,UK"), "InvoiceNo is empty");
    assert_eq!(reason("1,,x,six,,free,,UK"), "StockCode is empty");
    assert_eq!(reason("1,2,x,six,,free,,UK"), "Quantity is no integer: \"six\"");
}

#[test]
fn a_document_whose_rows_are_all_rejected_is_none() {
    let invoices = load_rows("1,2,,six,,1,,\n7,3,,1,,1,,\n1,2,,6,,1,,\n");
    assert_eq!(outline(&invoices), ["7: 3×1@100", "1: 2×6@100"], "by the first accepted row");
    assert_eq!((invoices.rows(), invoices.rejections().len()), (3, 1));
    let nothing = load_rows("1,2,,six,,1,,\n");
    assert_eq!((nothing.rows(), nothing.documents().len()), (1, 0));
}

#[test]
fn a_row_stands_where_it_begins_whatever_ends_the_lines() {
    let text = format!("{HEADER}1,bad\n{GOOD}\n\n2,bad\n1,2,\"three\nlines\nlong\",six,,1,,\n3,bad\n{GOOD}4,bad");
    let expected = [2, 6, 7, 10, 12];
    for variant in [
        text.clone(),
        format!("{text}\n"),
        text.replace('\n', "\r\n"),
        format!("\u{feff}{text}"),
        format!("\u{feff}{}\r\n", text.replace('\n', "\r\n")),
    ] {
        let invoices = load(&variant).unwrap();
        assert_eq!(lines(&invoices), expected, "{variant:?}");
    }
}

#[test]
fn a_rejection_names_its_file_and_stays_on_one_line() {
    let folder = Folder::new();
    let one = folder.write("one.csv", format!("{HEADER}1,2,,\"a\nb\",,1,,\n"));
    let two = folder.write("two.csv", format!("{HEADER}{GOOD}1,2,,{},,1,,\n", "9x".repeat(500)));
    let invoices = Invoices::load(&[one.clone(), two.clone()]).unwrap();
    let shown: Vec<String> = invoices.rejections().iter().map(ToString::to_string).collect();
    assert_eq!(
        shown,
        [
            format!("{}:2: Quantity is no integer: \"a\\nb\"", one.display()),
            format!("{}:3: Quantity is no integer: \"{}…\"", two.display(), "9x".repeat(60)),
        ]
    );
}
