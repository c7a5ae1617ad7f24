//! The services on memory backends: races, order, retries, gate, cache, catalog, notifications.

#![cfg(feature = "memory")]

#[cfg(test)]
#[expect(dead_code, reason = "shared by several test binaries, each of which uses a part")]
mod support;

#[cfg(test)]
mod services {
    mod cache;
    mod calls;
    mod gate;
    mod gate_batches;
    mod notifications;
    mod orders;
    mod race;
    mod records;
    mod retries;
}
