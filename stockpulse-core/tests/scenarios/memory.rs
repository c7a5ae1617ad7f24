//! Every scenario on the memory backends.

use super::harness;

mod directly {
    stockpulse_core::acceptance_scenarios!(super::harness::Memory::new());
}

mod with_every_other_event_twice {
    stockpulse_core::acceptance_scenarios!(super::harness::Memory::with_duplicates());
}

mod through_retry {
    use stockpulse_core::layer::RetryLayer;
    stockpulse_core::acceptance_scenarios!(super::harness::layered(RetryLayer::default()));
}

mod through_timeout {
    use stockpulse_core::layer::TimeoutLayer;
    stockpulse_core::acceptance_scenarios!(super::harness::layered(TimeoutLayer::default()));
}

mod through_observe {
    use stockpulse_core::layer::ObserveLayer;
    stockpulse_core::acceptance_scenarios!(super::harness::layered(ObserveLayer::default()));
}
