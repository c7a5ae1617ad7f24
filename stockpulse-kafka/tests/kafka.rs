//! Everything on a real broker, at the address that `STOCKPULSE_KAFKA` names.

#[cfg(test)]
mod support;

#[cfg(test)]
mod conformance {
    mod bus;
    mod harness;
    mod layers;
}

#[cfg(test)]
mod interop {
    mod java;
    mod partitions;
    mod presets;
}
