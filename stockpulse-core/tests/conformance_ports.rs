//! The conformance suite on the bus, the cache and the gate in memory.

#![cfg(all(feature = "conformance", feature = "memory"))]

#[cfg(test)]
mod conformance_ports {
    mod harness;
    mod memory;
    mod wrapped;
}
