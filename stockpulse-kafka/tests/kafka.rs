//! Everything on a real broker, at the address that `STOCKPULSE_KAFKA` names.

#[cfg(unix)]
#[cfg(test)]
mod broker;
#[cfg(test)]
mod support;

#[cfg(test)]
mod bus {
    mod admin;
    mod aside;
    mod command;
    mod foreign;
    mod metrics;
    mod publish;
    mod refused;
}

#[cfg(test)]
mod conformance {
    mod bus;
    mod cooperative;
    mod harness;
    mod layers;
}

#[cfg(test)]
mod interop {
    mod java;
    mod partitions;
    mod presets;
}

#[cfg(unix)]
#[cfg(test)]
mod faults {
    mod child;
    mod members;
    mod outage;
}

#[cfg(unix)]
#[cfg(test)]
mod guarded {
    mod certificates;
    mod credentials;
}
