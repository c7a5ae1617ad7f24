//! Layers around ports: values pass through unchanged, calls are made again, given up and observed.

#![cfg(feature = "memory")]

#[cfg(test)]
#[expect(dead_code, reason = "shared by several test binaries, each of which uses a part")]
mod support;

#[cfg(test)]
mod layers {
    mod circuit;
    mod coalesce;
    mod faulty;
    mod observe;
    mod pass_through;
    mod ports;
    mod receive;
    mod retry;
    mod timeout;
}
