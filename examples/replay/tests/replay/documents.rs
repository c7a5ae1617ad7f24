//! What rows make of a document, and documents of an input.

use std::path::PathBuf;

use stockpulse_replay::Invoices;
use stockpulse_replay::invoice::{DocumentKind, ReturnLine};

use crate::support::{Folder, HEADER, load_rows, outline};

#[test]
fn one_invoice_in_two_files_is_one_document() {
    let folder = Folder::new();
    let first = folder.write("1.csv", format!("{HEADER}A,1,,1,,1,,\nB,2,,1,,1,,\n"));
    let second = folder.write("2.csv", format!("{HEADER}C3,1,,1,,1,,\nA,3,,1,,1,,\nB,1,,2,,1,,\n"));
    let load = |files: &[&PathBuf]| {
        let files: Vec<PathBuf> = files.iter().map(|file| (*file).clone()).collect();
        let invoices = Invoices::load(&files).unwrap();
        assert_eq!(invoices.rows(), 5);
        outline(&invoices)
    };
    assert_eq!(load(&[&first, &second]), ["A: 1×1@100 3×1@100", "B: 2×1@100 1×2@100", "C3: 1×1@100"]);
    assert_eq!(load(&[&second, &first]), ["C3: 1×1@100", "A: 3×1@100 1×1@100", "B: 1×2@100 2×1@100"]);
}

#[test]
fn nothing_is_trimmed() {
    let invoices = load_rows("1,2 ,,1,,1,,\n1 ,2,,1,,1,,\n1, 2,,1,,1,,\n");
    assert_eq!(outline(&invoices), ["1: 2 ×1@100  2×1@100", "1 : 2×1@100"]);
    let tracked: Vec<_> = (invoices.skus().iter()).map(|(id, name)| (name, invoices.skus().is_tracked(id))).collect();
    assert_eq!(tracked, [("2 ", true), ("2", true), (" 2", false)]);
}

#[test]
fn a_c_makes_a_return_whatever_its_quantities() {
    let invoices = load_rows("C1,2,,-3,,1,,\nC1,2,,0,,1,,\nC1,POST,,4,,1,,\nc1,2,,4,,1,,\n");
    let [back, order] = invoices.documents() else { panic!() };
    let DocumentKind::Return(lines) = back.kind() else { panic!() };
    let quantities: Vec<i64> = lines.iter().map(|line: &ReturnLine| line.quantity).collect();
    assert_eq!(quantities, [3, 0, 4]);
    assert_eq!(lines[0].sku, lines[1].sku);
    assert!(matches!(order.kind(), DocumentKind::Order(_)), "only a capital C");
}

#[test]
fn no_quantity_above_zero_makes_adjustments_row_by_row() {
    let invoices = load_rows("1,2,,-3,,0,,\n1,2,,-4,,0,,\n1,3,,0,,0,,\n");
    let DocumentKind::Adjustments(lines) = invoices.documents()[0].kind() else { panic!() };
    assert_eq!(lines.iter().map(|line| line.delta).collect::<Vec<_>>(), [-3, -4, 0]);
}

#[test]
fn an_order_adds_up_the_rows_of_a_sku_and_leaves_out_the_rest() {
    let invoices = load_rows("1,9,,5,,1.50,,\n1,8,,-2,,1,,\n1,9a,,1,,1,,\n1,9,,7,,9.99,,\n1,7,,0,,1,,\n1,9A,,1,,1,,\n");
    let DocumentKind::Order(lines) = invoices.documents()[0].kind() else { panic!() };
    let lines: Vec<_> =
        (lines.iter()).map(|line| (invoices.skus().name(line.sku), line.quantity, line.unit_price_minor)).collect();
    assert_eq!(lines, [("9", 12, 150), ("9a", 1, 100), ("9A", 1, 100)]);
}
