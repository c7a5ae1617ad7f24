//! What many simulations came to.

use std::collections::BTreeMap;
use std::time::Duration;

use stockpulse_core::sim::{Fault, Report};

/// The sums of many reports.
#[derive(Debug, Default)]
pub(crate) struct Total {
    pub(crate) seeds: u64,
    pub(crate) failed: u64,
    pub(crate) steps: u64,
    pub(crate) simulated: Duration,
    pub(crate) injected: BTreeMap<Fault, u64>,
    pub(crate) happened: BTreeMap<&'static str, u64>,
}

impl Total {
    pub(crate) fn add(&mut self, report: &Report) {
        self.seeds += 1;
        self.failed += u64::from(!report.is_clean());
        self.steps += report.steps;
        self.simulated += report.simulated;
        for (fault, times) in &report.injected {
            *self.injected.entry(*fault).or_default() += times;
        }
        for (what, times) in &report.happened {
            *self.happened.entry(what).or_default() += times;
        }
    }
}
