//! A layer, and a port inside one.

use std::fmt::Debug;
use std::sync::Arc;

use super::call::Call;
use crate::error::Result;

/// What is done around every call of a port. Write your own for what an application needs at each port: a limit on
/// calls in flight, a cost that is counted, faults in a test.
///
/// ```
/// use std::sync::atomic::{AtomicUsize, Ordering};
/// use stockpulse_core::Result;
/// use stockpulse_core::layer::{Call, Layer};
///
/// /// Counts the calls that fail.
/// #[derive(Debug, Default)]
/// struct CountFailures(AtomicUsize);
///
/// impl Layer for CountFailures {
///     const REPEATS: bool = false;
///
///     async fn around<T: Send>(&self, mut call: Call<'_, T>) -> Result<T> {
///         let answer = call.make().await;
///         if answer.is_err() {
///             self.0.fetch_add(1, Ordering::Relaxed);
///         }
///         answer
///     }
/// }
/// ```
pub trait Layer: Debug + Send + Sync + 'static {
    /// Whether it may make a call more than once. If so, batches are copied for each time.
    const REPEATS: bool;

    /// Makes the call, or does not, and answers.
    ///
    /// # Errors
    /// Those of the call, and its own.
    ///
    /// # Cancel safety
    /// Dropping the future has to drop the call: many calls are dropped in the middle, `Subscription::receive` at every
    /// shutdown.
    fn around<T: Send>(&self, call: Call<'_, T>) -> impl Future<Output = Result<T>> + Send;
}

/// A port with a layer around it. It is each port that `P` is, so layers nest; with `Arc<dyn InventoryStore>` as `P` it
/// goes around a port whose type is not known.
///
/// Of a [`Subscriber`](crate::port::Subscriber), the subscriptions have the layer too.
/// [`Outbox::appended`](crate::port::Outbox::appended) goes straight through.
#[derive(Debug)]
pub struct Layered<P, L> {
    pub(super) inner: P,
    pub(super) layer: Arc<L>,
}

impl<P, L: Layer> Layered<P, L> {
    /// Puts a layer around a port.
    #[must_use]
    pub fn new(inner: P, layer: L) -> Self {
        Self { inner, layer: Arc::new(layer) }
    }
}
