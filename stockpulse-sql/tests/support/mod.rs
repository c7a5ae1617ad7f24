//! Databases for tests: each test has its own schema, database or file, on the servers that the environment names.

mod cleanup;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use stockpulse_core::conformance::BusBackend;
use stockpulse_core::memory::ManualClock;
use stockpulse_core::port::{
    CatalogStore, CustomerStore, InventoryStore, NotificationLog, OrderStore, Outbox, Publisher,
};
use stockpulse_core::{Error, ErrorKind, Result};
use stockpulse_sql::{
    BusOptions, Context, MySqlOptions, MySqlStore, PgOptions, PgStore, Pruned, Retention, SqliteOptions, SqliteStore,
    Synchronous,
};
use tempfile::TempDir;

use self::cleanup::Cleanup;

/// Which database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Postgres,
    MySql,
    Sqlite,
}

/// A place for one test, empty at first and gone with it, also when the test fails.
#[derive(Debug)]
pub(crate) struct Place {
    kind: Kind,
    /// The schema, the database's name, or the file.
    name: String,
    /// The server's URL, if there is one.
    url: String,
    /// Deletes it.
    _cleanup: Option<Cleanup>,
    _folder: Option<TempDir>,
}

/// A store as its ports.
#[derive(Clone, Debug)]
pub(crate) struct Ports {
    pub(crate) inventory: Arc<dyn InventoryStore>,
    pub(crate) orders: Arc<dyn OrderStore>,
    pub(crate) catalog: Arc<dyn CatalogStore>,
    pub(crate) customers: Arc<dyn CustomerStore>,
    pub(crate) notifications: Arc<dyn NotificationLog>,
    pub(crate) bus: BusBackend,
    outboxes: Vec<(Context, Arc<dyn Outbox>)>,
    store: Store,
}

/// The store itself, for what no port has.
#[derive(Clone, Debug)]
pub(crate) enum Store {
    Postgres(PgStore),
    MySql(MySqlStore),
    Sqlite(SqliteStore),
}

macro_rules! bus {
    ($store:expr, $options:expr) => {{
        let bus = Arc::new($store.bus($options));
        BusBackend { publisher: Arc::clone(&bus) as Arc<dyn Publisher>, subscriber: bus }
    }};
}

impl Ports {
    pub(crate) fn outbox(&self, context: Context) -> Arc<dyn Outbox> {
        let found = self.outboxes.iter().find(|(of, _)| *of == context);
        Arc::clone(&found.expect("every context has an outbox").1)
    }

    /// The store itself.
    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// The bus, with other options.
    pub(crate) fn bus_with(&self, options: BusOptions) -> BusBackend {
        match &self.store {
            Store::Postgres(store) => bus!(store, options),
            Store::MySql(store) => bus!(store, options),
            Store::Sqlite(store) => bus!(store, options),
        }
    }

    /// Deletes what is old by this clock.
    pub(crate) async fn prune(&self, retention: &Retention, clock: &ManualClock) -> Result<Pruned> {
        let (retention, clock) = (retention.clone(), Arc::new(clock.clone()));
        match &self.store {
            Store::Postgres(store) => store.pruner(retention).with_clock(clock).run_once().await,
            Store::MySql(store) => store.pruner(retention).with_clock(clock).run_once().await,
            Store::Sqlite(store) => store.pruner(retention).with_clock(clock).run_once().await,
        }
    }
}

macro_rules! ports {
    ($kind:ident, $store:expr) => {{
        let store = $store;
        let outboxes: [(Context, Arc<dyn Outbox>); 5] = [
            (Context::Inventory, Arc::new(store.inventory_outbox())),
            (Context::Orders, Arc::new(store.orders_outbox())),
            (Context::Catalog, Arc::new(store.catalog_outbox())),
            (Context::Customers, Arc::new(store.customers_outbox())),
            (Context::Notifications, Arc::new(store.notifications_outbox())),
        ];
        Ports {
            outboxes: outboxes.into_iter().collect(),
            inventory: Arc::new(store.clone()),
            orders: Arc::new(store.clone()),
            catalog: Arc::new(store.clone()),
            customers: Arc::new(store.clone()),
            notifications: Arc::new(store.clone()),
            // No rule waits for the lease of a member that crashed.
            bus: bus!(store, BusOptions::default().with_lease(Duration::from_secs(3))),
            store: Store::$kind(store),
        }
    }};
}

impl Kind {
    const fn variable(self) -> &'static str {
        match self {
            Self::Postgres => "STOCKPULSE_PG_URL",
            Self::MySql => "STOCKPULSE_MYSQL_URL",
            Self::Sqlite => "",
        }
    }

    /// Why tests on it cannot run here.
    pub(crate) fn missing(self) -> Option<String> {
        if self == Self::Sqlite || std::env::var(self.variable()).is_ok() {
            return None;
        }
        Some(format!("{} is not set; `make test` starts servers, and so does `make services-up`", self.variable()))
    }
}

impl Kind {
    /// Whether tests on it cannot run here; then it says why, and under `STOCKPULSE_REQUIRE=all` that is a failure.
    pub(crate) fn skips(self) -> bool {
        let reason = self.missing();
        if let Some(reason) = &reason {
            skipped(self, reason);
        }
        reason.is_some()
    }
}

/// Says why a test cannot run here; under `STOCKPULSE_REQUIRE=all` that is a failure.
#[expect(clippy::print_stderr, reason = "who runs the tests has to see what was not tested")]
pub(crate) fn skipped(kind: Kind, reason: &str) {
    assert_ne!(std::env::var("STOCKPULSE_REQUIRE").as_deref(), Ok("all"), "required: {reason}");
    eprintln!("SKIP {kind:?}: {reason}");
}

impl Place {
    /// The schema, the database's name, or the file.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The server's URL, if there is one.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// An empty place.
    pub(crate) async fn new(kind: Kind) -> Result<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("t{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let url = std::env::var(kind.variable()).unwrap_or_default();
        match kind {
            Kind::Postgres => {
                let _cleanup = Some(Cleanup::new(kind, &url, &name));
                Ok(Self { kind, name, url, _cleanup, _folder: None })
            }
            Kind::MySql => {
                use sqlx::Connection;
                let failed = |error: sqlx::Error| Error::new(ErrorKind::Unavailable, error.to_string());
                let mut connection = sqlx::MySqlConnection::connect(&url).await.map_err(failed)?;
                let sql = sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"));
                sqlx::raw_sql(sql).execute(&mut connection).await.map_err(failed)?;
                let _cleanup = Some(Cleanup::new(kind, &url, &name));
                let (server, _) = url.rsplit_once('/').unwrap_or((&url, ""));
                Ok(Self { kind, url: format!("{server}/{name}"), name, _cleanup, _folder: None })
            }
            Kind::Sqlite => {
                let folder = TempDir::new().map_err(|error| Error::new(ErrorKind::Unavailable, error.to_string()))?;
                let name = folder.path().join("stock.db").display().to_string();
                Ok(Self { kind, name, url, _cleanup: None, _folder: Some(folder) })
            }
        }
    }

    /// A place that somebody else made, and that goes with him.
    #[cfg(unix)]
    pub(crate) fn existing(kind: Kind, name: &str, url: &str) -> Self {
        Self { kind, name: name.to_owned(), url: url.to_owned(), _cleanup: None, _folder: None }
    }

    /// A store there, with the tables of these contexts.
    pub(crate) async fn connect(&self, contexts: &[Context]) -> Result<Ports> {
        self.connect_within(contexts, Duration::from_secs(5)).await
    }

    /// The same, with so much patience with a server that does not answer.
    pub(crate) async fn connect_within(&self, contexts: &[Context], acquire_timeout: Duration) -> Result<Ports> {
        let contexts = contexts.to_vec();
        match self.kind {
            Kind::Postgres => {
                let mut options = PgOptions::new(&self.url)?.with_schema(&self.name).with_contexts(contexts);
                options.acquire_timeout = acquire_timeout;
                Ok(ports!(Postgres, PgStore::connect(options).await?))
            }
            Kind::MySql => {
                let mut options = MySqlOptions::new(&self.url)?.with_contexts(contexts);
                options.acquire_timeout = acquire_timeout;
                Ok(ports!(MySql, MySqlStore::connect(options).await?))
            }
            Kind::Sqlite => {
                let options = SqliteOptions::new(&self.name).with_contexts(contexts);
                // Nobody cuts the power here, and what survives the end of a process survives in either mode.
                let options = options.with_synchronous(Synchronous::Normal);
                Ok(ports!(Sqlite, SqliteStore::open_with(options).await?))
            }
        }
    }
}
