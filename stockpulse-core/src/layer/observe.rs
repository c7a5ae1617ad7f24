//! Seeing what goes on.

use std::sync::Arc;

use metrics::{counter, gauge, histogram};
use tracing::field::Empty;
use tracing::{Instrument, Span, info_span};

use super::call::{Call, CallKind};
use super::layered::Layer;
use super::metrics::{BATCH_SIZE, CALL_DURATION, CALLS, CALLS_IN_FLIGHT, DELIVERIES};
use crate::error::{ErrorKind, Result};
use crate::model::Timestamp;
use crate::port::Clock;
use crate::system::SystemClock;

/// A `tracing` span and [metrics](super::metrics) for every call.
///
/// The span's name is [`ObserveLayer::SPAN`], its level `INFO`, its fields `operation`, `items` (for a batch) and, when
/// the call has ended, `outcome`, the same as the metric's.
#[derive(Clone, Debug)]
pub struct ObserveLayer {
    clock: Arc<dyn Clock>,
}

impl Default for ObserveLayer {
    fn default() -> Self {
        Self { clock: Arc::new(SystemClock) }
    }
}

impl ObserveLayer {
    /// The name of the spans.
    pub const SPAN: &'static str = "stockpulse.call";

    /// Sets the clock that durations are measured by; the machine's unless set.
    #[must_use]
    pub fn with_clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }
}

impl Layer for ObserveLayer {
    const REPEATS: bool = false;

    async fn around<T: Send>(&self, mut call: Call<'_, T>) -> Result<T> {
        let operation = call.operation();
        let span = info_span!(ObserveLayer::SPAN, operation, items = call.items(), outcome = Empty);
        if let Some(items) = call.items() {
            histogram!(BATCH_SIZE, "operation" => operation).record(to_f64(items));
        }
        let mut flight = Flight::begin(operation, call.kind(), &self.clock, span.clone());
        let answer = call.make().instrument(span).await;
        flight.outcome = match &answer {
            Ok(answer) => {
                if let Some(events) = call.delivered(answer) {
                    counter!(DELIVERIES, "operation" => operation).increment(events as u64);
                }
                "ok"
            }
            Err(error) => name(error.kind()),
        };
        answer
    }
}

/// A call in flight. What has to be recorded at its end is recorded when it is dropped, because a call that its caller
/// no longer wants ends that way.
struct Flight<'a> {
    operation: &'static str,
    kind: CallKind,
    clock: &'a Arc<dyn Clock>,
    since: Timestamp,
    span: Span,
    outcome: &'static str,
}

impl<'a> Flight<'a> {
    fn begin(operation: &'static str, kind: CallKind, clock: &'a Arc<dyn Clock>, span: Span) -> Self {
        gauge!(CALLS_IN_FLIGHT, "operation" => operation).increment(1);
        Self { operation, kind, clock, since: clock.now(), span, outcome: "cancelled" }
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        let Self { operation, outcome, .. } = *self;
        gauge!(CALLS_IN_FLIGHT, "operation" => operation).decrement(1);
        counter!(CALLS, "operation" => operation, "outcome" => outcome).increment(1);
        if self.kind == CallKind::Request {
            let seconds = self.clock.now().since(self.since).as_secs_f64();
            histogram!(CALL_DURATION, "operation" => operation).record(seconds);
        }
        self.span.record("outcome", outcome);
    }
}

/// An error's kind as a label: changing one of these breaks people's alerts.
fn name(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Unavailable => "unavailable",
        ErrorKind::Timeout => "timeout",
        ErrorKind::Contention => "contention",
        ErrorKind::Indeterminate => "indeterminate",
        ErrorKind::Unsupported => "unsupported",
        ErrorKind::InvalidInput => "invalid_input",
        ErrorKind::Config => "config",
        ErrorKind::Corrupt => "corrupt",
        ErrorKind::Closed => "closed",
        ErrorKind::Unexpected => "unexpected",
    }
}

/// A number of items; batches are far below the 2^32 that this saturates at.
fn to_f64(items: usize) -> f64 {
    u32::try_from(items).unwrap_or(u32::MAX).into()
}
