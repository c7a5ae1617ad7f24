//! The page about writing a backend names every rule of the conformance suite.

#![expect(clippy::unwrap_used, reason = "a test may fail this way")]

use std::fmt::Write;
use std::fs;
use std::path::Path;

use stockpulse_core::conformance::{
    Rule, bus, cache, catalog_store, customer_store, gate, inventory_store, notification_log, order_store, outbox,
    scenarios,
};

fn table<B>(rules: &[Rule<B>]) -> String {
    let mut table = String::from("| rule | what it means |\n|---|---|\n");
    for rule in rules {
        writeln!(table, "| `{}` | {} |", rule.name, rule.meaning).unwrap();
    }
    table
}

/// After a wanted change: `STOCKPULSE_BLESS=1 cargo test -p stockpulse-howto --test rules`.
#[test]
fn the_page_names_every_rule() {
    let tables = [
        ("inventory_store", table(inventory_store::RULES)),
        ("order_store", table(order_store::RULES)),
        ("catalog_store", table(catalog_store::RULES)),
        ("customer_store", table(customer_store::RULES)),
        ("notification_log", table(notification_log::RULES)),
        ("outbox", table(outbox::RULES)),
        ("bus", table(bus::RULES)),
        ("cache", table(cache::RULES)),
        ("gate", table(gate::RULES)),
        ("scenarios", table(scenarios::RULES)),
    ];
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/howto/write-a-backend.md");
    let page = fs::read_to_string(&path).unwrap();
    let mut wanted = page.clone();
    for (port, table) in &tables {
        let mark = format!("<!-- rules of {port} -->\n");
        let begin = wanted.find(&mark).unwrap_or_else(|| panic!("no table of {port}")) + mark.len();
        let length = wanted[begin..].find("<!-- end -->").unwrap();
        wanted.replace_range(begin..begin + length, table);
    }
    assert_eq!(wanted.matches("<!-- rules of ").count(), tables.len(), "a table that nobody checks");
    if std::env::var("STOCKPULSE_BLESS").is_ok() {
        fs::write(&path, wanted).unwrap();
    } else {
        assert!(page == wanted, "the tables of rules differ; set STOCKPULSE_BLESS=1 to write them");
    }
}
