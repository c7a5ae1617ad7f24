//! Every rule again, on memory backends behind one more `Arc` and in every layer.

use std::sync::Arc;
use std::time::Duration;

use stockpulse_core::conformance::{BusBackend, Harness, Mapped};
use stockpulse_core::layer::{CoalescedCache, CoalescedGate, Layer, Layered, ObserveLayer, RetryLayer, TimeoutLayer};
use stockpulse_core::port::{AdmissionGate, Cache};

use super::{harness, memory};

fn bus_in<L: Layer + Clone>(layer: L) -> impl Harness<BusBackend> {
    Mapped::new(harness::bus(), move |bus: BusBackend| BusBackend {
        publisher: Arc::new(Layered::new(bus.publisher, layer.clone())),
        subscriber: Arc::new(Layered::new(bus.subscriber, layer.clone())),
    })
}

fn cache_in<L: Layer + Clone>(layer: L) -> impl Harness<Arc<dyn Cache>> {
    Mapped::new(memory::cache(), move |cache| Arc::new(Layered::new(cache, layer.clone())) as Arc<dyn Cache>)
}

fn gate_in<L: Layer + Clone>(layer: L) -> impl Harness<Arc<dyn AdmissionGate>> {
    Mapped::new(memory::gate(), move |gate| Arc::new(Layered::new(gate, layer.clone())) as Arc<dyn AdmissionGate>)
}

/// Longer than any call on memory takes.
fn timeout() -> TimeoutLayer {
    TimeoutLayer::after(Duration::from_secs(30))
}

mod shared {
    use super::*;

    mod bus {
        use super::*;

        stockpulse_core::bus_conformance!(Mapped::new(harness::bus(), |bus: BusBackend| BusBackend {
            publisher: Arc::new(bus.publisher),
            subscriber: Arc::new(bus.subscriber),
        }));
    }

    mod cache {
        use super::*;

        stockpulse_core::cache_conformance!(Mapped::new(memory::cache(), |cache| Arc::new(cache) as Arc<dyn Cache>));
    }

    mod gate {
        use super::*;

        stockpulse_core::gate_conformance!(Mapped::new(memory::gate(), |gate| Arc::new(gate) as Arc<dyn AdmissionGate>));
    }
}

mod coalesced {
    use super::*;

    mod cache {
        use super::*;

        stockpulse_core::cache_conformance!(Mapped::new(memory::cache(), |cache| {
            Arc::new(CoalescedCache::new(cache)) as Arc<dyn Cache>
        }));
    }

    mod gate {
        use super::*;

        stockpulse_core::gate_conformance!(Mapped::new(memory::gate(), |gate| {
            Arc::new(CoalescedGate::new(gate)) as Arc<dyn AdmissionGate>
        }));
    }
}

mod retried {
    mod bus {
        stockpulse_core::bus_conformance!(super::super::bus_in(super::super::RetryLayer::default()));
    }

    mod cache {
        stockpulse_core::cache_conformance!(super::super::cache_in(super::super::RetryLayer::default()));
    }

    mod gate {
        stockpulse_core::gate_conformance!(super::super::gate_in(super::super::RetryLayer::default()));
    }
}

mod timed {
    mod bus {
        stockpulse_core::bus_conformance!(super::super::bus_in(super::super::timeout()));
    }

    mod cache {
        stockpulse_core::cache_conformance!(super::super::cache_in(super::super::timeout()));
    }

    mod gate {
        stockpulse_core::gate_conformance!(super::super::gate_in(super::super::timeout()));
    }
}

mod observed {
    mod bus {
        stockpulse_core::bus_conformance!(super::super::bus_in(super::super::ObserveLayer::default()));
    }

    mod cache {
        stockpulse_core::cache_conformance!(super::super::cache_in(super::super::ObserveLayer::default()));
    }

    mod gate {
        stockpulse_core::gate_conformance!(super::super::gate_in(super::super::ObserveLayer::default()));
    }
}
