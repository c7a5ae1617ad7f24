//! What went wrong in a database, and what can be done about it.

#[cfg(any(feature = "postgres", feature = "mysql"))]
use std::time::Duration;

use stockpulse_core::{Error, ErrorKind};

/// A failure inside a transaction.
#[derive(Debug)]
pub struct Failure {
    pub class: Class,
    pub error: Error,
}

/// What a failure means for the transaction that met it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// It lost against another one: a deadlock, a serialization failure, a row that somebody else inserted first.
    Lost,
    /// The connection is gone, and with it the answer, if there was one.
    Gone,
    /// Nothing that trying again would mend.
    Final,
}

impl Failure {
    pub fn new(class: Class, kind: ErrorKind, error: sqlx::Error) -> Self {
        let message = match &error {
            sqlx::Error::Database(database) => database.message().to_owned(),
            other => other.to_string(),
        };
        Self { class, error: Error::new(kind, message).with_source(error) }
    }

    pub fn corrupt(message: impl Into<String>) -> Self {
        Error::corrupt(message).into()
    }

    /// What `sqlx` reports, by what the database says of its own code.
    pub fn classify(error: sqlx::Error, by_code: impl Fn(&dyn sqlx::error::DatabaseError) -> Class) -> Self {
        let (class, kind) = match &error {
            sqlx::Error::Database(database) => match by_code(database.as_ref()) {
                Class::Lost => (Class::Lost, ErrorKind::Contention),
                Class::Gone => (Class::Gone, ErrorKind::Unavailable),
                Class::Final => (Class::Final, ErrorKind::Unexpected),
            },
            sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::WorkerCrashed | sqlx::Error::Protocol(_) => {
                (Class::Gone, ErrorKind::Unavailable)
            }
            sqlx::Error::PoolTimedOut => (Class::Final, ErrorKind::Timeout),
            sqlx::Error::PoolClosed => (Class::Final, ErrorKind::Closed),
            sqlx::Error::Configuration(_) => (Class::Final, ErrorKind::Config),
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => (Class::Final, ErrorKind::Corrupt),
            _ => (Class::Final, ErrorKind::Unexpected),
        };
        Self::new(class, kind, error)
    }

    /// What is known of a commit that failed: nothing, unless the database itself refused it.
    pub fn of_commit(self) -> Self {
        if self.class != Class::Gone {
            return self;
        }
        let error = Error::new(ErrorKind::Indeterminate, "the answer to COMMIT was lost").with_source(self.error);
        Self { class: Class::Final, error }
    }
}

/// Why no connection was to be had. A pool that waited in vain does not say; one more attempt does.
#[cfg(any(feature = "postgres", feature = "mysql"))]
pub(crate) async fn no_connection<C>(
    waited: sqlx::Error,
    attempt: impl Future<Output = Result<C, sqlx::Error>>,
) -> sqlx::Error {
    if !matches!(waited, sqlx::Error::PoolTimedOut) {
        return waited;
    }
    match tokio::time::timeout(Duration::from_secs(1), attempt).await {
        Ok(Err(cause)) => cause,
        _ => waited,
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self { class: Class::Final, error }
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        failure.error
    }
}
