//! The workers on memory backends: relay, processor, handlers, sweeper, reconciler, supervisor.

#![cfg(feature = "memory")]

#[cfg(test)]
#[expect(dead_code, reason = "shared by several test binaries, each of which uses a part")]
mod support;

#[cfg(test)]
mod workers {
    mod expiry;
    mod handlers;
    mod poison;
    mod processor;
    mod publisher;
    mod reconciler;
    mod relay;
    mod relay_leases;
    mod relay_updates;
    mod scripted;
    mod supervisor;
}
