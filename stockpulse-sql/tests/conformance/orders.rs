//! Orders.

mod postgres {
    use super::super::harness::postgres;

    stockpulse_core::order_store_conformance!(postgres());
}

mod mysql {
    use super::super::harness::mysql;

    stockpulse_core::order_store_conformance!(mysql());
}

mod sqlite {
    use super::super::harness::sqlite;

    stockpulse_core::order_store_conformance!(sqlite());
}
