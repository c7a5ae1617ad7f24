//! The metrics that [`ObserveLayer`](super::ObserveLayer) records, through the `metrics` facade: an application installs
//! the recorder of its choice, such as an exporter for Prometheus; without one they cost next to nothing.
//!
//! Labels are `operation`, the name of the call (`inventory.execute`), and `outcome`: `ok`, `cancelled`, or the kind of
//! the error in small letters, such as `unavailable`. There is never a label for a SKU, an order or a customer, so the
//! number of series stays bounded.

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

/// Counter: calls that ended, by `operation` and `outcome`.
pub const CALLS: &str = "stockpulse_calls_total";
/// Histogram, in seconds: how long calls took, by `operation`. Calls that wait by nature are not in it.
pub const CALL_DURATION: &str = "stockpulse_call_duration_seconds";
/// Gauge: calls in flight, by `operation`.
pub const CALLS_IN_FLIGHT: &str = "stockpulse_calls_in_flight";
/// Histogram: how many items a call was about, by `operation`.
pub const BATCH_SIZE: &str = "stockpulse_batch_size";
/// Counter: events that were received, by `operation`.
pub const DELIVERIES: &str = "stockpulse_deliveries_total";

/// Tells the installed recorder what the metrics mean and their units. For once, after the recorder was installed.
pub fn describe() {
    describe_counter!(CALLS, Unit::Count, "Calls of a port that ended, by operation and outcome");
    describe_histogram!(CALL_DURATION, Unit::Seconds, "How long calls of a port took, by operation");
    describe_gauge!(CALLS_IN_FLIGHT, Unit::Count, "Calls of a port in flight, by operation");
    describe_histogram!(BATCH_SIZE, Unit::Count, "How many items a call of a port was about, by operation");
    describe_counter!(DELIVERIES, Unit::Count, "Events received, by operation");
}
