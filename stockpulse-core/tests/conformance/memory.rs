//! Every rule of every port, on the memory backends.

use super::harness;

mod catalog {
    stockpulse_core::catalog_store_conformance!(super::harness::catalog());
}

mod inventory {
    stockpulse_core::inventory_store_conformance!(super::harness::inventory());
}

mod outbox {
    stockpulse_core::outbox_conformance!(super::harness::inventory());
}

mod customers {
    stockpulse_core::customer_store_conformance!(super::harness::customers());
}

mod orders {
    stockpulse_core::order_store_conformance!(super::harness::orders());
}

mod notifications {
    stockpulse_core::notification_log_conformance!(super::harness::notifications());
}
