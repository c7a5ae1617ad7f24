//! The one error type: what a caller can do about it.

use std::error::Error as StdError;

/// A result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What kind of failure it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A backend cannot be reached.
    Unavailable,
    /// A backend did not answer in time.
    Timeout,
    /// Too much at once: a full queue, a lock that was not had, a lease that somebody else holds.
    Contention,
    /// It may or may not have happened (a commit whose answer was lost). Ask again with the same id.
    Indeterminate,
    /// This backend cannot do that.
    Unsupported,
    /// The input is wrong; the message names what and where.
    InvalidInput,
    /// The configuration is wrong.
    Config,
    /// Stored data cannot be understood.
    Corrupt,
    /// The service, bus or subscription was closed.
    Closed,
    /// Anything else.
    Unexpected,
}

/// Whether asking again can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Retry {
    /// The same request fails again.
    Never,
    /// Asking again with the same id is safe and may succeed.
    Safe,
    /// It was retried inside already, as often as configured.
    Exhausted,
}

/// An infrastructure failure or wrong input. A business "no" is never an `Error`: it is an outcome.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(Box<Inner>);

#[derive(Debug, thiserror::Error)]
#[error("{}", describe(*.kind, .operation, .message))]
struct Inner {
    kind: ErrorKind,
    retry: Retry,
    operation: &'static str,
    message: String,
    #[source]
    source: Option<Box<dyn StdError + Send + Sync>>,
}

fn describe(kind: ErrorKind, operation: &str, message: &str) -> String {
    match (operation, message) {
        ("", "") => format!("{kind:?}"),
        ("", message) => message.to_owned(),
        (operation, "") => format!("{operation}: {kind:?}"),
        (operation, message) => format!("{operation}: {message}"),
    }
}

impl Error {
    /// An error of a kind, with the retry advice that is usual for it.
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        let retry = match kind {
            ErrorKind::Unavailable | ErrorKind::Timeout | ErrorKind::Contention | ErrorKind::Indeterminate => {
                Retry::Safe
            }
            _ => Retry::Never,
        };
        Self(Box::new(Inner { kind, retry, operation: "", message: message.into(), source: None }))
    }

    /// Wrong input; `message` says what and where.
    #[must_use]
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidInput, message)
    }

    /// Stored or received data that cannot be understood.
    #[must_use]
    pub fn corrupt(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Corrupt, message)
    }

    /// A service or bus that was closed.
    #[must_use]
    pub fn closed(what: &str) -> Self {
        Self::new(ErrorKind::Closed, format!("{what} is closed"))
    }

    /// Names the operation that failed, as in `inventory.execute`.
    #[must_use]
    pub fn during(mut self, operation: &'static str) -> Self {
        self.0.operation = operation;
        self
    }

    /// Sets the retry advice.
    #[must_use]
    pub fn with_retry(mut self, retry: Retry) -> Self {
        self.0.retry = retry;
        self
    }

    /// Keeps the error that caused this one; `Display` does not repeat it.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// What kind of failure it was.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Whether asking again can help.
    #[must_use]
    pub fn retry(&self) -> Retry {
        self.0.retry
    }

    /// The operation that failed, empty if it was not named.
    #[must_use]
    pub fn operation(&self) -> &'static str {
        self.0.operation
    }

    /// A copy for every caller that waited for the same batch. The source, which cannot be copied, becomes
    /// text.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        let inner = &self.0;
        Self(Box::new(Inner {
            kind: inner.kind,
            retry: inner.retry,
            operation: inner.operation,
            message: inner.message.clone(),
            source: inner.source.as_ref().map(|source| source.to_string().into()),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn display_names_the_operation_and_never_repeats_the_source() {
        let error = Error::new(ErrorKind::Unavailable, "no connection")
            .during("inventory.execute")
            .with_source(std::io::Error::other("refused"));
        assert_eq!(error.to_string(), "inventory.execute: no connection");
        assert_eq!(error.source().map(ToString::to_string).as_deref(), Some("refused"));
        assert_eq!(error.retry(), Retry::Safe);
        assert_eq!(error.duplicate().to_string(), error.to_string());
    }
}
