//! The saga: orders and inventory together, from placed to delivered, and every way it can end otherwise.

#[cfg(test)]
#[path = "order_world/mod.rs"]
#[expect(dead_code, reason = "shared by two test binaries, each of which uses a part")]
mod world;

#[cfg(test)]
mod order_saga {
    mod cancelling;
    mod envelopes;
    mod flows;
    mod paying;
}
