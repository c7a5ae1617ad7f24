//! The log of notifications.

mod postgres {
    use super::super::harness::postgres;

    stockpulse_core::notification_log_conformance!(postgres());
}

mod mysql {
    use super::super::harness::mysql;

    stockpulse_core::notification_log_conformance!(mysql());
}

mod sqlite {
    use super::super::harness::sqlite;

    stockpulse_core::notification_log_conformance!(sqlite());
}
