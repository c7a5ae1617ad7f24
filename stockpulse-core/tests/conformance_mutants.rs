//! The conformance suite on backends that are broken on purpose: every rule has to notice somebody.

#![cfg(all(feature = "conformance", feature = "memory"))]

#[cfg(test)]
#[path = "conformance/harness.rs"]
mod harness;

#[cfg(test)]
mod conformance_mutants {
    mod batches;
    mod broken;
    mod inventory;
    mod notifications;
    mod orders;
    mod outbox;
    mod records;
}
