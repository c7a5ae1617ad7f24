//! Connecting to PostgreSQL.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, PgPool};
use stockpulse_core::{Error, ErrorKind, Result};

use super::{PgStore, Postgres, failure};
use crate::context::Context;
use crate::failure::no_connection;
use crate::migrate;
use crate::store::RetryOptions;

/// How to connect to PostgreSQL. `Debug` shows no secrets.
#[derive(Clone)]
pub struct PgOptions {
    /// Connections at most; 10 unless set.
    pub max_connections: u32,
    /// How long to wait for one of them; 5 s unless set.
    pub acquire_timeout: Duration,
    /// `statement_timeout`: the longest a statement may run; 5 s unless set.
    pub statement_timeout: Duration,
    /// `lock_timeout`: the longest wait for a lock; 2 s unless set.
    pub lock_timeout: Duration,
    /// `idle_in_transaction_session_timeout`: after which the server ends a transaction that nobody goes on with; 10 s
    /// unless set.
    pub idle_in_transaction_timeout: Duration,
    /// The schema that holds the tables, made if it does not exist; the user's default unless set.
    pub schema: Option<String>,
    /// The contexts whose tables are made or brought up to date on connecting; all unless set.
    pub contexts: Vec<Context>,
    /// How transactions that lost against others are tried again.
    pub retry: RetryOptions,
    connect: PgConnectOptions,
}

impl fmt::Debug for PgOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PgOptions")
            .field("host", &self.connect.get_host())
            .field("port", &self.connect.get_port())
            .field("database", &self.connect.get_database())
            .field("schema", &self.schema)
            .field("max_connections", &self.max_connections)
            .finish_non_exhaustive()
    }
}

impl PgOptions {
    /// Defaults for a URL such as `postgres://user:password@host:5432/database`.
    ///
    /// # Errors
    /// `Config` if it is no such URL; the message does not repeat it.
    pub fn new(url: &str) -> Result<Self> {
        let connect = PgConnectOptions::from_str(url)
            .map_err(|error| Error::new(ErrorKind::Config, "the PostgreSQL URL cannot be read").with_source(error))?;
        Ok(Self {
            max_connections: 10,
            acquire_timeout: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(5),
            lock_timeout: Duration::from_secs(2),
            idle_in_transaction_timeout: Duration::from_secs(10),
            schema: None,
            contexts: Context::ALL.to_vec(),
            retry: RetryOptions::default(),
            connect,
        })
    }

    /// Sets the schema.
    #[must_use]
    pub fn with_schema(mut self, schema: impl Into<String>) -> Self {
        self.schema = Some(schema.into());
        self
    }

    /// Sets the contexts whose tables are made on connecting; none leaves the database as it is.
    #[must_use]
    pub fn with_contexts(mut self, contexts: impl IntoIterator<Item = Context>) -> Self {
        self.contexts = contexts.into_iter().collect();
        self
    }

    /// Sets how many connections there are at most.
    #[must_use]
    pub fn with_max_connections(mut self, connections: u32) -> Self {
        self.max_connections = connections;
        self
    }

    /// The settings that each session begins with.
    fn session(&self) -> Vec<(&'static str, String)> {
        let millis = |timeout: Duration| timeout.as_millis().to_string();
        let mut settings = vec![
            ("statement_timeout", millis(self.statement_timeout)),
            ("lock_timeout", millis(self.lock_timeout)),
            ("idle_in_transaction_session_timeout", millis(self.idle_in_transaction_timeout)),
            // Batches of a thousand rows are planned once, not anew for each. All that a batch reads it reads by a key, and a
            // plan that was made while the tables were empty has to be good when they are not.
            ("plan_cache_mode", "force_generic_plan".to_owned()),
            ("enable_seqscan", "off".to_owned()),
            ("enable_hashjoin", "off".to_owned()),
            ("enable_mergejoin", "off".to_owned()),
            ("jit", "off".to_owned()),
        ];
        if let Some(schema) = &self.schema {
            settings.push(("search_path", quoted(schema)));
        }
        settings
    }
}

impl PgStore {
    /// Connects, and brings the tables up to date.
    ///
    /// # Errors
    /// `Unavailable` or `Timeout` when the server cannot be reached, `Config` when it refuses, and what keeps the tables
    /// from being made.
    pub async fn connect(options: PgOptions) -> Result<Self> {
        if let Some(schema) = &options.schema {
            make_schema(&options, schema).await.map_err(|error| error.during("postgres.connect"))?;
        }
        let connect = options.connect.clone().options(options.session());
        let pool = PgPoolOptions::new()
            .max_connections(options.max_connections)
            .acquire_timeout(options.acquire_timeout)
            .connect_with(connect.clone());
        let pool = match pool.await {
            Ok(pool) => pool,
            Err(error) => {
                let error = no_connection(error, connect.connect()).await;
                return Err(Error::from(failure(error)).during("postgres.connect"));
            }
        };
        if !options.contexts.is_empty() {
            // Who starts while others make their tables waits for them, however long that takes.
            let patient = connect.options([("lock_timeout", "0"), ("statement_timeout", "0")]);
            let patient = PgPoolOptions::new().max_connections(1).connect_with(patient).await.map_err(failure)?;
            for context in &options.contexts {
                migrate::postgres(*context).run(&patient).await.map_err(|error| migrate::failed(*context, error))?;
            }
            patient.close().await;
        }
        Self::from_pool(pool, &[], options.retry).await
    }

    /// A store on a pool of the application's own, which decides about time limits and the schema (`search_path`).
    ///
    /// # Errors
    /// What keeps the tables from being made.
    pub async fn from_pool(pool: PgPool, contexts: &[Context], retry: RetryOptions) -> Result<Self> {
        for context in contexts {
            migrate::postgres(*context).run(&pool).await.map_err(|error| migrate::failed(*context, error))?;
        }
        Ok(Self::new(Postgres { pool }, retry))
    }
}

async fn make_schema(options: &PgOptions, schema: &str) -> Result<()> {
    let mut connection = options.connect.connect().await.map_err(failure)?;
    let sql = format!("CREATE SCHEMA IF NOT EXISTS {}", quoted(schema));
    let made = sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut connection).await;
    let closed = sqlx::Connection::close(connection).await;
    made.map_err(failure)?;
    Ok(closed.map_err(failure)?)
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
