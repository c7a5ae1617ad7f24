//! Every rule, on the memory backends themselves.

use std::sync::Arc;

use stockpulse_core::memory::{MemoryCache, MemoryGate};
use stockpulse_core::port::{AdmissionGate, Cache};

use super::harness::{self, Memory};

pub(crate) fn cache() -> Memory<MemoryCache, Arc<dyn Cache>> {
    Memory::new(MemoryCache::new, |cache| Arc::new(cache.clone()))
}

pub(crate) fn gate() -> Memory<MemoryGate, Arc<dyn AdmissionGate>> {
    Memory::new(MemoryGate::new, |gate| Arc::new(gate.clone()))
}

mod bus {
    stockpulse_core::bus_conformance!(super::harness::bus());
}

mod cache {
    stockpulse_core::cache_conformance!(super::cache());
}

mod gate {
    stockpulse_core::gate_conformance!(super::gate());
}
