//! Where a measurement takes place: a schema, a database or a file of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::mysql::MySqlPoolOptions;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{AssertSqlSafe, Connection, MySqlConnection, MySqlPool, PgPool, SqlitePool};
use stockpulse_core::port::InventoryStore;
use stockpulse_sql::{Context, MySqlOptions, MySqlStore, PgOptions, PgStore, SqliteOptions, SqliteStore};
use tempfile::TempDir;

/// A database to measure on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Database {
    Postgres,
    MySql,
    Sqlite,
}

impl Database {
    pub(crate) const ALL: [Self; 3] = [Self::Postgres, Self::MySql, Self::Sqlite];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::MySql => "mysql",
            Self::Sqlite => "sqlite",
        }
    }

    /// The server's URL, or why there is none.
    pub(crate) fn url(self) -> Result<String, String> {
        let variable = match self {
            Self::Postgres => "STOCKPULSE_PG_URL",
            Self::MySql => "STOCKPULSE_MYSQL_URL",
            Self::Sqlite => return Ok(String::new()),
        };
        std::env::var(variable).map_err(|_| format!("{variable} is not set; `make bench` starts servers"))
    }
}

/// An empty place on a database.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) database: Database,
    name: String,
    url: String,
    folder: TempDir,
}

impl Place {
    pub(crate) async fn new(database: Database) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("b{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let mut url = database.url().expect("a server");
        match database {
            Database::Postgres => {
                let mut connection = sqlx::PgConnection::connect(&url).await.expect("postgres answers");
                let sql = AssertSqlSafe(format!("CREATE SCHEMA {name}; CHECKPOINT"));
                sqlx::raw_sql(sql).execute(&mut connection).await.expect("a schema");
            }
            Database::MySql => {
                let mut connection = MySqlConnection::connect(&url).await.expect("mysql answers");
                let sql = AssertSqlSafe(format!("CREATE DATABASE {name}"));
                sqlx::raw_sql(sql).execute(&mut connection).await.expect("a database");
                let (server, _) = url.rsplit_once('/').expect("a URL with a database");
                url = format!("{server}/{name}");
            }
            Database::Sqlite => {}
        }
        // On a disk: /tmp may be memory.
        let folder = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
        Self { database, name, url, folder }
    }

    /// Takes away what was measured on.
    pub(crate) async fn remove(self) {
        match self.database {
            Database::Postgres => {
                let mut connection = sqlx::PgConnection::connect(&self.url).await.expect("postgres answers");
                let sql = AssertSqlSafe(format!("DROP SCHEMA {} CASCADE", self.name));
                sqlx::raw_sql(sql).execute(&mut connection).await.expect("the schema goes");
            }
            Database::MySql => {
                let mut connection = MySqlConnection::connect(&self.url).await.expect("mysql answers");
                let sql = AssertSqlSafe(format!("DROP DATABASE {}", self.name));
                sqlx::raw_sql(sql).execute(&mut connection).await.expect("the database goes");
            }
            Database::Sqlite => {}
        }
    }

    /// StockPulse's store.
    pub(crate) async fn store(&self) -> Arc<dyn InventoryStore> {
        let contexts = [Context::Inventory];
        match self.database {
            Database::Postgres => {
                let options = PgOptions::new(&self.url).expect("a URL").with_schema(&self.name).with_contexts(contexts);
                Arc::new(PgStore::connect(options).await.expect("postgres answers"))
            }
            Database::MySql => {
                let options = MySqlOptions::new(&self.url).expect("a URL").with_contexts(contexts);
                Arc::new(MySqlStore::connect(options).await.expect("mysql answers"))
            }
            Database::Sqlite => {
                let options = SqliteOptions::new(self.file()).with_contexts(contexts);
                Arc::new(SqliteStore::open_with(options).await.expect("a file"))
            }
        }
    }

    /// Runs a statement.
    pub(crate) async fn execute(&self, sql: &'static str) {
        match self.database {
            Database::Postgres => drop(sqlx::query(sql).execute(&self.postgres(1).await).await.expect(sql)),
            Database::MySql => drop(sqlx::query(sql).execute(&self.mysql(1).await).await.expect(sql)),
            Database::Sqlite => drop(sqlx::query(sql).execute(&self.sqlite().await).await.expect(sql)),
        }
    }

    /// Writes what was filled in to its place, so that it is not counted in what comes next.
    pub(crate) async fn settle(&self) {
        match self.database {
            Database::Postgres => self.execute("CHECKPOINT").await,
            // It has no word for that.
            Database::MySql => tokio::time::sleep(std::time::Duration::from_secs(5)).await,
            Database::Sqlite => self.execute("PRAGMA wal_checkpoint(TRUNCATE)").await,
        }
    }

    /// A number.
    pub(crate) async fn count(&self, sql: &'static str) -> i64 {
        match self.database {
            Database::Postgres => sqlx::query_scalar(sql).fetch_one(&self.postgres(1).await).await.expect(sql),
            Database::MySql => sqlx::query_scalar(sql).fetch_one(&self.mysql(1).await).await.expect(sql),
            Database::Sqlite => sqlx::query_scalar(sql).fetch_one(&self.sqlite().await).await.expect(sql),
        }
    }

    /// A column of bytes.
    pub(crate) async fn bytes(&self, sql: &'static str) -> Vec<Vec<u8>> {
        match self.database {
            Database::Postgres => sqlx::query_scalar(sql).fetch_all(&self.postgres(1).await).await.expect(sql),
            Database::MySql => sqlx::query_scalar(sql).fetch_all(&self.mysql(1).await).await.expect(sql),
            Database::Sqlite => sqlx::query_scalar(sql).fetch_all(&self.sqlite().await).await.expect(sql),
        }
    }

    pub(crate) fn file(&self) -> std::path::PathBuf {
        self.folder.path().join("stock.db")
    }

    /// One connection, as durable as StockPulse's.
    pub(crate) async fn sqlite(&self) -> SqlitePool {
        let options = SqliteConnectOptions::new().filename(self.file()).create_if_missing(true);
        let options = options.journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full);
        let options = options.pragma("cache_size", "-65536").pragma("wal_autocheckpoint", "10000");
        SqlitePoolOptions::new().max_connections(1).connect_with(options).await.expect("a file")
    }

    pub(crate) async fn postgres(&self, connections: u32) -> PgPool {
        let options: PgConnectOptions = self.url.parse().expect("a URL");
        let options = options.options([("search_path", self.name.as_str())]);
        PgPoolOptions::new().max_connections(connections).connect_with(options).await.expect("postgres answers")
    }

    pub(crate) async fn mysql(&self, connections: u32) -> MySqlPool {
        MySqlPoolOptions::new().max_connections(connections).connect(&self.url).await.expect("mysql answers")
    }
}
