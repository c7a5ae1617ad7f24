//! An empty database for each test.

use std::sync::atomic::{AtomicU32, Ordering};

use futures::future::BoxFuture;

use crate::database::{Access, Database, Session};
use crate::store::SqlStore;

/// An empty place for a bus, gone with its test.
pub(super) struct Place<D: Database> {
    open: Box<dyn Fn() -> BoxFuture<'static, SqlStore<D>> + Send + Sync>,
    _folder: Option<tempfile::TempDir>,
    /// What deletes it on a server.
    delete: Option<String>,
}

impl<D: Database> Drop for Place<D> {
    /// Also when the test fails. A store of its own does it, since those of the test may be busy.
    fn drop(&mut self) {
        let (open, Some(sql)) = (&self.open, &self.delete) else { return };
        std::thread::scope(|scope| {
            let deleted = scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(async {
                    let store = open().await;
                    let mut session = store.shared.database.begin(Access::Read).await.unwrap();
                    session.execute(sql, &[]).await.unwrap();
                });
            });
            // It says itself what went wrong, and the test has ended.
            let _ = deleted.join();
        });
    }
}

impl<D: Database> Place<D> {
    /// What another process would have: a store of its own on the same database.
    pub(super) async fn store(&self) -> SqlStore<D> {
        (self.open)().await
    }
}

/// A name that no other test uses.
fn name() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    format!("bus{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed))
}

/// The URL in a variable. Without it the test does not run.
#[expect(clippy::print_stderr, reason = "who runs the tests has to see what was not tested")]
#[cfg(any(feature = "postgres", feature = "mysql"))]
fn url(variable: &str) -> Option<String> {
    let url = std::env::var(variable).ok();
    if url.is_none() {
        eprintln!("SKIP: {variable} is not set");
        assert_ne!(std::env::var("STOCKPULSE_REQUIRE").as_deref(), Ok("all"), "{variable} is not set");
    }
    url
}

#[cfg(feature = "postgres")]
pub(super) async fn postgres() -> Option<Place<crate::postgres::Postgres>> {
    use crate::{Context, PgOptions, PgStore};
    let (url, name) = (url("STOCKPULSE_PG_URL")?, name());
    let options = PgOptions::new(&url).unwrap().with_schema(name.as_str()).with_contexts([Context::Bus]);
    Some(Place {
        open: Box::new(move || {
            let options = options.clone();
            Box::pin(async move { PgStore::connect(options).await.unwrap() })
        }),
        _folder: None,
        delete: Some(format!("DROP SCHEMA {name} CASCADE")),
    })
}

#[cfg(feature = "mysql")]
pub(super) async fn mysql() -> Option<Place<crate::mysql::MySql>> {
    use crate::{Context, MySqlOptions, MySqlStore};
    use sqlx::Connection;
    let (url, name) = (url("STOCKPULSE_MYSQL_URL")?, name());
    let mut connection = sqlx::MySqlConnection::connect(&url).await.unwrap();
    let sql = sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"));
    sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
    let (server, _) = url.rsplit_once('/').unwrap();
    let options = MySqlOptions::new(&format!("{server}/{name}")).unwrap().with_contexts([Context::Bus]);
    Some(Place {
        open: Box::new(move || {
            let options = options.clone();
            Box::pin(async move { MySqlStore::connect(options).await.unwrap() })
        }),
        _folder: None,
        delete: Some(format!("DROP DATABASE {name}")),
    })
}

#[cfg(feature = "sqlite")]
pub(super) async fn sqlite() -> Option<Place<crate::sqlite::Sqlite>> {
    use crate::{Context, SqliteOptions, SqliteStore, Synchronous};
    let folder = tempfile::TempDir::new().unwrap();
    let options = SqliteOptions::new(folder.path().join(name())).with_contexts([Context::Bus]);
    let options = options.with_synchronous(Synchronous::Normal);
    Some(Place {
        open: Box::new(move || {
            let options = options.clone();
            Box::pin(async move { SqliteStore::open_with(options).await.unwrap() })
        }),
        _folder: Some(folder),
        delete: None,
    })
}

/// Makes tests of functions that take a place, one for each database.
macro_rules! on_every_database {
    (@ $database:ident, $feature:literal, $($test:ident),+) => {
        #[cfg(feature = $feature)]
        mod $database {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() {
                    if let Some(place) = crate::bus::tests::place::$database().await {
                        super::$test(place).await;
                    }
                }
            )+
        }
    };
    ($($test:ident),+ $(,)?) => {
        on_every_database!(@ postgres, "postgres", $($test),+);
        on_every_database!(@ mysql, "mysql", $($test),+);
        on_every_database!(@ sqlite, "sqlite", $($test),+);
    };
}
pub(super) use on_every_database;
