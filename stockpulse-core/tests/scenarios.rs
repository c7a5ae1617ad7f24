//! The acceptance scenarios on the memory backends: directly, through each layer, and on shops that are broken on
//! purpose.

#![cfg(all(feature = "conformance", feature = "memory"))]

#[cfg(test)]
mod scenarios {
    mod broken;
    mod harness;
    mod memory;
    mod mutants;
}
