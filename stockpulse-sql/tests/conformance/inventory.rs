//! Stock, and the outbox of stock.

mod postgres {
    use super::super::harness::postgres;

    stockpulse_core::inventory_store_conformance!(postgres());

    mod outbox {
        stockpulse_core::outbox_conformance!(super::postgres());
    }
}

mod mysql {
    use super::super::harness::mysql;

    stockpulse_core::inventory_store_conformance!(mysql());

    mod outbox {
        stockpulse_core::outbox_conformance!(super::mysql());
    }
}

mod sqlite {
    use super::super::harness::sqlite;

    stockpulse_core::inventory_store_conformance!(sqlite());

    mod outbox {
        stockpulse_core::outbox_conformance!(super::sqlite());
    }
}
