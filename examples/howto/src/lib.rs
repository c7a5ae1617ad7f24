//! What the how-to programs in `src/bin` share, and the place where the documentation's code is compiled.
//!
//! Each program shows one thing: `cargo run -p stockpulse-howto --bin reserve_allocate_fulfil`. It prints a few
//! lines and ends with an error if anything turned out otherwise than it says. `tests/output.rs` runs them all and
//! compares what they print with `expected/`.

mod check;
mod shop;

pub use check::{check, within};
pub use shop::Shop;

/// The documentation, so that `cargo test` compiles and runs its code.
#[cfg(doctest)]
mod documentation {
    macro_rules! pages {
        ($($name:ident $path:literal),+ $(,)?) => {
            $(#[doc = include_str!(concat!("../../../", $path))] struct $name;)+
        };
    }

    pages! {
        Readme "README.md",
        Core "stockpulse-core/README.md",
        Architecture "ARCHITECTURE.md",
        Contributing "CONTRIBUTING.md",
        Tutorial "docs/tutorial.md",
        RetrySafely "docs/howto/retry-safely.md",
        PaymentsAndHolds "docs/howto/payments-and-holds.md",
        Kits "docs/howto/kits.md",
        Sourcing "docs/howto/sourcing.md",
        Backorders "docs/howto/backorders.md",
        Events "docs/howto/events.md",
        Layers "docs/howto/layers.md",
        ChooseADatabase "docs/howto/choose-a-database.md",
        DeployWithKafka "docs/howto/deploy-with-kafka.md",
        BusOnRedis "docs/howto/bus-on-redis.md",
        CacheAndGate "docs/howto/cache-and-gate.md",
        WriteABackend "docs/howto/write-a-backend.md",
        Words "docs/reference/words.md",
        Commands "docs/reference/commands-and-outcomes.md",
        EventTypes "docs/reference/events-and-topics.md",
        ReplayReport "docs/reference/replay-report.md",
        FunctionalCore "docs/explanation/functional-core.md",
        Guarantees "docs/explanation/guarantees.md",
    }
}
