//! The simulator: it is the same every time, finds what was planted, and finds nothing else.

#![cfg(feature = "sim")]

#[cfg(test)]
mod sim {
    mod bugs;
    mod determinism;
    mod seeds;
    mod stores;
}
