//! The simulator: a whole shop under a seeded scheduler, with injected faults.
//!
//! A [`Simulation`] runs several nodes of the order and the inventory service, with their relays, processors,
//! sweepers and reconcilers, and customers who place, pay, ship, cancel and return, in one thread and in a time of its
//! own. Every call to a port may be delayed, refused, carried out and not answered, carried out late or twice; nodes
//! die, stand still and come back; the bus duplicates, rebalances, rewinds and fails; caches and gates forget. All of
//! it follows from one seed. Then the faults stop, everything has to come to rest, and the data must say that nothing
//! was oversold, lost or done twice.
//!
//! ```
//! use stockpulse_core::sim::Simulation;
//!
//! let report = Simulation::new(7).run()?;
//! assert!(report.is_clean(), "{:?}", report.violations);
//! assert_eq!(report.digest, Simulation::new(7).run()?.digest, "the same seed is the same history");
//! # Ok::<(), stockpulse_core::Error>(())
//! ```

mod bug;
mod check;
mod clients;
mod dice;
mod faults;
mod front;
mod goods;
mod node;
mod operator;
mod report;
mod shop;
mod simulation;
mod stores;
mod trace;
mod violation;
mod world;
mod wrap;

pub use bug::Bug;
pub use faults::{Fault, Faults};
pub use report::Report;
pub use simulation::Simulation;
pub use stores::Stores;
pub use violation::{Rule, Violation};
