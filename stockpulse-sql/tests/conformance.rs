//! The conformance suite on real databases.

#[cfg(test)]
#[path = "support/mod.rs"]
mod support;

#[cfg(test)]
mod conformance {
    mod bus;
    mod harness;
    mod inventory;
}
