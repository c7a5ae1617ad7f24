//! A store: one database, all ports.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use stockpulse_core::port::{Clock, IdGenerator};
use stockpulse_core::worker::Backoff;
use stockpulse_core::{Error, ErrorKind, RandomIds, Result, Retry, SystemClock};
use tokio::sync::Notify;
use uuid::Uuid;

use crate::bus::{BusOptions, SqlBus};
use crate::context::Context;
use crate::database::{Access, Database, Session};
use crate::failure::{Class, Failure};
use crate::inventory::KnownLevels;
use crate::outbox::{CUSTOMERS, NOTIFICATIONS, ORDERS, PRODUCTS, STOCK, SqlOutbox};

/// All store ports on one database. Clones share its connections.
#[derive(Clone, Debug)]
pub struct SqlStore<D: Database> {
    pub(crate) shared: Arc<Shared<D>>,
}

/// What all clones of a store share.
#[derive(Debug)]
pub(crate) struct Shared<D> {
    pub(crate) database: D,
    pub(crate) known: KnownLevels,
    retry: RetryOptions,
    appended: BTreeMap<Context, Arc<Notify>>,
}

/// How often a transaction that lost against another is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryOptions {
    /// How often it is tried in all; 8 unless set.
    pub attempts: u32,
    /// The pauses between, each with full jitter; from 10 ms up to 500 ms unless set.
    pub backoff: Backoff,
}

impl Default for RetryOptions {
    fn default() -> Self {
        let backoff = Backoff { first: Duration::from_millis(10), longest: Duration::from_millis(500) };
        Self { attempts: 8, backoff }
    }
}

impl<D: Database> SqlStore<D> {
    pub(crate) fn new(database: D, retry: RetryOptions) -> Self {
        let appended = Context::ALL.iter().map(|context| (*context, Arc::default())).collect();
        Self { shared: Arc::new(Shared { database, known: KnownLevels::default(), retry, appended }) }
    }

    /// The outbox of what is decided about stock, for its relay.
    #[must_use]
    pub fn inventory_outbox(&self) -> SqlOutbox<D> {
        SqlOutbox::new(Arc::clone(&self.shared), &STOCK, self.shared.appended(Context::Inventory))
    }

    /// The outbox of what is decided about orders, for its relay.
    #[must_use]
    pub fn orders_outbox(&self) -> SqlOutbox<D> {
        SqlOutbox::new(Arc::clone(&self.shared), &ORDERS, self.shared.appended(Context::Orders))
    }

    /// The outbox of what is decided about products, for its relay.
    #[must_use]
    pub fn catalog_outbox(&self) -> SqlOutbox<D> {
        SqlOutbox::new(Arc::clone(&self.shared), &PRODUCTS, self.shared.appended(Context::Catalog))
    }

    /// The outbox of what is decided about customers, for its relay.
    #[must_use]
    pub fn customers_outbox(&self) -> SqlOutbox<D> {
        SqlOutbox::new(Arc::clone(&self.shared), &CUSTOMERS, self.shared.appended(Context::Customers))
    }

    /// The outbox of what is decided about notifications, for its relay.
    #[must_use]
    pub fn notifications_outbox(&self) -> SqlOutbox<D> {
        SqlOutbox::new(Arc::clone(&self.shared), &NOTIFICATIONS, self.shared.appended(Context::Notifications))
    }

    /// The bus in this database. Each call answers another connection to the same bus.
    #[must_use]
    pub fn bus(&self, options: BusOptions) -> SqlBus<D> {
        SqlBus::new(Arc::clone(&self.shared), self.shared.appended(Context::Bus), options)
    }
}

impl<D: Database> Shared<D> {
    /// What is told when something was committed in a context.
    fn appended(&self, context: Context) -> Arc<Notify> {
        self.appended.get(&context).cloned().unwrap_or_default()
    }

    /// Wakes the relay of a context: something was committed.
    pub(crate) fn wake(&self, context: Context) {
        if let Some(appended) = self.appended.get(&context) {
            appended.notify_one();
        }
    }

    /// Runs one transaction in a task of its own, again if it lost against another one.
    pub(crate) async fn transact<T, W>(self: &Arc<Self>, operation: &'static str, access: Access, work: W) -> Result<T>
    where
        T: Send + 'static,
        W: for<'s> Fn(&'s mut D::Session) -> BoxFuture<'s, Result<T, Failure>> + Send + Sync + 'static,
    {
        let shared = Arc::clone(self);
        self.detached(operation, async move { shared.attempt(access, work).await }).await
    }

    /// Runs work in a task of its own, which goes on when the caller does not.
    pub(crate) async fn detached<T: Send + 'static>(
        &self,
        operation: &'static str,
        work: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        let answer = tokio::spawn(work).await.unwrap_or_else(|cause| {
            Err(Error::new(ErrorKind::Indeterminate, "the task that commits was lost").with_source(cause))
        });
        answer.map_err(|error| error.during(operation))
    }

    pub(crate) async fn attempt<T, W>(&self, access: Access, work: W) -> Result<T>
    where
        W: for<'s> Fn(&'s mut D::Session) -> BoxFuture<'s, Result<T, Failure>> + Send + Sync,
    {
        let mut attempt = 1;
        loop {
            let failure = match once(&self.database, access, &work).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            if failure.class != Class::Lost {
                return Err(failure.error);
            }
            if attempt >= self.retry.attempts {
                return Err(failure.error.with_retry(Retry::Exhausted));
            }
            tracing::debug!(error = %failure.error, attempt, "a transaction is tried again");
            tokio::time::sleep(self.retry.backoff.jittered(attempt, chance())).await;
            attempt += 1;
        }
    }
}

async fn once<D, T, W>(database: &D, access: Access, work: &W) -> Result<T, Failure>
where
    D: Database,
    W: for<'s> Fn(&'s mut D::Session) -> BoxFuture<'s, Result<T, Failure>>,
{
    let mut session = database.begin(access).await?;
    match work(&mut session).await {
        Ok(answer) => {
            session.commit().await.map_err(Failure::of_commit)?;
            Ok(answer)
        }
        Err(failure) => {
            if failure.class != Class::Gone {
                session.rollback().await;
            }
            Err(failure)
        }
    }
}

fn chance() -> Uuid {
    RandomIds.next_id(SystemClock.now())
}
