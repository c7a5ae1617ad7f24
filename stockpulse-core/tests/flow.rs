//! The whole choreography with real workers: concurrent customers, every policy, duplicated events, crashes.

#![cfg(feature = "memory")]

#[cfg(test)]
#[expect(dead_code, reason = "shared by several test binaries, each of which uses a part")]
mod support;

#[cfg(test)]
mod flow {
    mod check;
    mod crashes;
    mod customers;
}
