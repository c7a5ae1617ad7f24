//! Other stores can be simulated, and what is wrong with them is found.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use stockpulse_core::memory::MemoryOutbox;
use stockpulse_core::port::Clock;
use stockpulse_core::sim::{Faults, Rule, Simulation, Stores};

#[test]
fn the_stores_are_made_anew_for_each_run() {
    let made = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&made);
    let simulation = Simulation::new(3).with_stores(move |clock| {
        count.fetch_add(1, Ordering::Relaxed);
        Stores::memory(clock)
    });
    let report = simulation.run().unwrap();
    assert_eq!(report, simulation.run().unwrap());
    assert_eq!(report, Simulation::new(3).run().unwrap());
    assert_eq!(made.load(Ordering::Relaxed), 2);
}

#[test]
fn a_store_that_keeps_its_events_to_itself_is_found() {
    let deaf = |clock: &Arc<dyn Clock>| Stores {
        orders_outbox: Arc::new(MemoryOutbox::new(Arc::clone(clock))),
        ..Stores::memory(clock)
    };
    let report = Simulation::new(1).with_faults(Faults::none()).with_stores(deaf).run().unwrap();
    for rule in [Rule::OrderEnds, Rule::EventsArrive] {
        assert!(report.violations.iter().any(|violation| violation.rule == rule), "{:?}", report.violations);
    }
}
