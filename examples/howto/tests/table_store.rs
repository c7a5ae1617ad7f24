//! The store that the page about writing a backend sketches, written to its end, and run through the suite.

#[cfg(test)]
mod table_store {
    mod outbox;
    mod store;

    // The page shows this file.
    include!("table_store/execute.rs");

    stockpulse_core::inventory_store_conformance!(store::TableHarness::default());

    mod relayed {
        stockpulse_core::outbox_conformance!(super::store::TableHarness::default());
    }

    #[test]
    fn the_page_shows_this_code() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/howto/write-a-backend.md");
        let page = std::fs::read_to_string(path).unwrap();
        assert!(page.contains(include_str!("table_store/execute.rs")), "the page and its test differ");
    }
}
