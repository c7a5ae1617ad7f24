//! The conformance suite on buses, caches and gates that are broken on purpose: every rule has to notice somebody.

#![cfg(all(feature = "conformance", feature = "memory"))]

#[cfg(test)]
#[path = "conformance_ports/harness.rs"]
mod harness;

#[cfg(test)]
mod conformance_ports_mutants {
    mod bus;
    mod cache;
    mod gate;
    mod noticed;
}
