//! One call of a port, as a layer sees it.

use std::fmt;

use futures::future::BoxFuture;

use crate::error::{Error, ErrorKind, Result};

/// Whether a call is expected to end soon.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CallKind {
    /// It does something and answers.
    Request,
    /// It waits until there is something to answer, for days if need be: `Subscription::receive`.
    Wait,
}

/// A call of a port that answers a `T`: what is known of it, and the way to make it.
pub struct Call<'a, T> {
    operation: &'static str,
    kind: CallKind,
    items: Option<usize>,
    delivered: fn(&T) -> Option<usize>,
    make: &'a mut dyn Make<T>,
}

impl<'a, T> Call<'a, T> {
    pub(super) fn new(operation: &'static str, items: Option<usize>, make: &'a mut dyn Make<T>) -> Self {
        Self { operation, kind: CallKind::Request, items, delivered: |_| None, make }
    }

    /// A call that waits for what is delivered.
    pub(super) fn waiting(
        operation: &'static str,
        delivered: fn(&T) -> Option<usize>,
        make: &'a mut dyn Make<T>,
    ) -> Self {
        Self { operation, kind: CallKind::Wait, items: None, delivered, make }
    }

    /// Its name, port and method, as in errors: `inventory.execute`, `outbox.claim`.
    #[must_use]
    pub fn operation(&self) -> &'static str {
        self.operation
    }

    /// Whether it is expected to end soon.
    #[must_use]
    pub fn kind(&self) -> CallKind {
        self.kind
    }

    /// How many items it is about, if it is about a batch: commands, keys, rows.
    #[must_use]
    pub fn items(&self) -> Option<usize> {
        self.items
    }

    /// How many events an answer delivers; `None` for calls that do not deliver any.
    #[must_use]
    pub fn delivered(&self, answer: &T) -> Option<usize> {
        (self.delivered)(answer)
    }

    /// Makes the call, with the same arguments each time. Only a layer that [repeats](super::Layer::REPEATS) makes it
    /// more than once.
    ///
    /// # Errors
    /// What the port answers. `Unexpected` the second time, if the layer does not repeat: the arguments are gone.
    ///
    /// # Cancel safety
    /// That of the port's method.
    pub async fn make(&mut self) -> Result<T> {
        self.make.make().await
    }
}

impl<T> fmt::Debug for Call<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { operation, kind, items, .. } = self;
        f.debug_struct("Call").field("operation", operation).field("kind", kind).field("items", items).finish()
    }
}

/// Makes a call as often as it is told to.
pub(super) trait Make<T>: Send {
    fn make(&mut self) -> BoxFuture<'_, Result<T>>;
}

/// A call as a function of what it needs, which is lent to one call after the other. The port is part of it: the future's
/// lifetime is only known to be within that of the state.
pub(super) struct With<S, F> {
    pub(super) state: S,
    pub(super) make: F,
}

impl<S, F> With<S, F> {
    /// Binding the closure here tells the compiler that it works for every lifetime.
    pub(super) fn new<T>(state: S, make: F) -> Self
    where
        F: for<'s> FnMut(&'s mut S) -> BoxFuture<'s, Result<T>>,
    {
        Self { state, make }
    }
}

impl<T, S, F> Make<T> for With<S, F>
where
    S: Send,
    F: for<'s> FnMut(&'s mut S) -> BoxFuture<'s, Result<T>> + Send,
{
    fn make(&mut self) -> BoxFuture<'_, Result<T>> {
        (self.make)(&mut self.state)
    }
}

/// The arguments of the next call: a copy if there may be another one after it, since batches can be large.
pub(super) fn arguments<A: Clone>(kept: &mut Option<A>, repeats: bool) -> Result<A> {
    let arguments = if repeats { kept.clone() } else { kept.take() };
    arguments.ok_or_else(|| {
        Error::new(ErrorKind::Unexpected, "a layer made a call twice, and does not say that it repeats calls")
    })
}
