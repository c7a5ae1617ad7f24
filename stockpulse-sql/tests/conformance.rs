//! The conformance suite on real databases.

#[cfg(test)]
#[path = "support/mod.rs"]
mod support;

#[cfg(test)]
mod conformance {
    mod harness;
    mod inventory;
    mod notifications;
    mod orders;
    mod records;
}
