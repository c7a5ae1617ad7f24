//! Connecting to MySQL or MariaDB.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use sqlx::mysql::{MySqlConnectOptions, MySqlPoolOptions};
use sqlx::{ConnectOptions, MySqlPool};
use stockpulse_core::{Error, ErrorKind, Result};

use super::{MySql, MySqlStore, failure};
use crate::context::Context;
use crate::failure::no_connection;
use crate::migrate;
use crate::store::RetryOptions;

/// How to connect to MySQL or MariaDB. `Debug` shows no secrets.
#[derive(Clone)]
pub struct MySqlOptions {
    /// Connections at most; 10 unless set.
    pub max_connections: u32,
    /// How long to wait for one of them; 5 s unless set.
    pub acquire_timeout: Duration,
    /// `innodb_lock_wait_timeout`: the longest wait for a row's lock, in whole seconds; 3 s unless set.
    pub lock_timeout: Duration,
    /// The contexts whose tables are made or brought up to date on connecting; all unless set.
    pub contexts: Vec<Context>,
    /// How transactions that lost against others are tried again.
    pub retry: RetryOptions,
    connect: MySqlConnectOptions,
}

impl fmt::Debug for MySqlOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MySqlOptions")
            .field("host", &self.connect.get_host())
            .field("port", &self.connect.get_port())
            .field("database", &self.connect.get_database())
            .field("max_connections", &self.max_connections)
            .finish_non_exhaustive()
    }
}

impl MySqlOptions {
    /// Defaults for a URL such as `mysql://user:password@host:3306/database`.
    ///
    /// # Errors
    /// `Config` if it is no such URL; the message does not repeat it.
    pub fn new(url: &str) -> Result<Self> {
        let connect = MySqlConnectOptions::from_str(url)
            .map_err(|error| Error::new(ErrorKind::Config, "the MySQL URL cannot be read").with_source(error))?;
        Ok(Self {
            max_connections: 10,
            acquire_timeout: Duration::from_secs(5),
            lock_timeout: Duration::from_secs(3),
            contexts: Context::ALL.to_vec(),
            retry: RetryOptions::default(),
            connect,
        })
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
}

impl MySqlStore {
    /// Connects, and brings the tables up to date.
    ///
    /// # Errors
    /// `Unavailable` or `Timeout` when the server cannot be reached, `Config` when it refuses, and what keeps the tables
    /// from being made.
    pub async fn connect(options: MySqlOptions) -> Result<Self> {
        let lock_timeout = options.lock_timeout.as_secs().max(1);
        let pool = MySqlPoolOptions::new()
            .max_connections(options.max_connections)
            .acquire_timeout(options.acquire_timeout)
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    let sql = format!("SET SESSION innodb_lock_wait_timeout = {lock_timeout}");
                    sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(connection).await.map(drop)
                })
            })
            .connect_with(options.connect.clone());
        let pool = match pool.await {
            Ok(pool) => pool,
            Err(error) => {
                let error = no_connection(error, options.connect.connect()).await;
                return Err(Error::from(failure(error)).during("mysql.connect"));
            }
        };
        Self::from_pool(pool, &options.contexts, options.retry).await
    }

    /// A store on a pool of the application's own, which decides about time limits.
    ///
    /// # Errors
    /// What keeps the tables from being made.
    pub async fn from_pool(pool: MySqlPool, contexts: &[Context], retry: RetryOptions) -> Result<Self> {
        for context in contexts {
            migrate::mysql(*context, &pool).await.map_err(|error| migrate::failed(*context, error))?;
        }
        Ok(Self::new(MySql { pool }, retry))
    }
}
