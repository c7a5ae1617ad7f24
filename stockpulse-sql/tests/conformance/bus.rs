//! The bus.

mod postgres {
    use super::super::harness::postgres;

    stockpulse_core::bus_conformance!(postgres());
}

mod mysql {
    use super::super::harness::mysql;

    stockpulse_core::bus_conformance!(mysql());
}

mod sqlite {
    use super::super::harness::sqlite;

    stockpulse_core::bus_conformance!(sqlite());
}
