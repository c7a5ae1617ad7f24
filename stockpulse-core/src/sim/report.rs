//! How a simulation ended.

use std::collections::BTreeMap;
use std::time::Duration;

use super::faults::Fault;
use super::violation::Violation;

/// What a simulation did and found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// The seed that it followed from.
    pub seed: u64,
    /// A digest of every port call and what came of it: the same seed gives the same.
    pub digest: u128,
    /// How many lines the trace has.
    pub steps: u64,
    /// How long it went on, in its own time.
    pub simulated: Duration,
    /// How often each fault was injected.
    pub injected: BTreeMap<Fault, u64>,
    /// What happened, and how often.
    pub happened: BTreeMap<&'static str, u64>,
    /// What did not hold: the first of it.
    pub violations: Vec<Violation>,
    /// How often something did not hold beyond those.
    pub more_violations: u64,
    /// Every port call and what came of it, if it was to be kept.
    pub trace: Option<String>,
}

impl Report {
    /// Whether everything held.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.violations.is_empty()
    }
}
