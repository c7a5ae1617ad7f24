//! Products and customers.

mod postgres {
    use super::super::harness::postgres;

    mod catalog {
        stockpulse_core::catalog_store_conformance!(super::postgres());
    }

    mod customers {
        stockpulse_core::customer_store_conformance!(super::postgres());
    }
}

mod mysql {
    use super::super::harness::mysql;

    mod catalog {
        stockpulse_core::catalog_store_conformance!(super::mysql());
    }

    mod customers {
        stockpulse_core::customer_store_conformance!(super::mysql());
    }
}

mod sqlite {
    use super::super::harness::sqlite;

    mod catalog {
        stockpulse_core::catalog_store_conformance!(super::sqlite());
    }

    mod customers {
        stockpulse_core::customer_store_conformance!(super::sqlite());
    }
}
