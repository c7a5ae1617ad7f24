//! The conformance suite on the memory backends.

#![cfg(all(feature = "conformance", feature = "memory"))]

#[cfg(test)]
mod conformance {
    mod harness;
    mod layers;
    mod memory;
    mod suite;
}
