//! Opening SQLite.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use stockpulse_core::{Error, Result};

use super::{Sqlite, SqliteStore, failure};
use crate::context::Context;
use crate::migrate;
use crate::store::RetryOptions;

/// What a commit waits for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Synchronous {
    /// Until it is on the disk: what was acknowledged survives a power cut.
    #[default]
    Full,
    /// Until the operating system has it: what was acknowledged survives the end of the process; a power cut may take the
    /// latest commits, whole.
    Normal,
}

/// How to open a SQLite file.
#[derive(Clone, Debug)]
pub struct SqliteOptions {
    /// The file, made if it does not exist. Beside it lie `…-wal` and `…-shm`.
    pub path: PathBuf,
    /// What a commit waits for; [`Synchronous::Full`] unless set.
    pub synchronous: Synchronous,
    /// How long to wait while another process writes; 5 s unless set.
    pub busy_timeout: Duration,
    /// Connections that read, at most; 4 unless set. One more writes.
    pub readers: u32,
    /// How long to wait for a connection; 30 s unless set.
    pub acquire_timeout: Duration,
    /// The contexts whose tables are made or brought up to date on opening; all unless set.
    pub contexts: Vec<Context>,
    /// How transactions that lost against others are tried again.
    pub retry: RetryOptions,
}

impl SqliteOptions {
    /// Defaults for a file.
    #[must_use]
    pub fn new(path: impl AsRef<Path>) -> Self {
        Self {
            path: path.as_ref().to_owned(),
            synchronous: Synchronous::default(),
            busy_timeout: Duration::from_secs(5),
            readers: 4,
            acquire_timeout: Duration::from_secs(30),
            contexts: Context::ALL.to_vec(),
            retry: RetryOptions::default(),
        }
    }

    /// Sets what a commit waits for.
    #[must_use]
    pub fn with_synchronous(mut self, synchronous: Synchronous) -> Self {
        self.synchronous = synchronous;
        self
    }

    /// Sets the contexts whose tables are made on opening; none leaves the file as it is.
    #[must_use]
    pub fn with_contexts(mut self, contexts: impl IntoIterator<Item = Context>) -> Self {
        self.contexts = contexts.into_iter().collect();
        self
    }

    fn connect(&self) -> SqliteConnectOptions {
        let synchronous = match self.synchronous {
            Synchronous::Full => SqliteSynchronous::Full,
            Synchronous::Normal => SqliteSynchronous::Normal,
        };
        SqliteConnectOptions::new()
            .filename(&self.path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(synchronous)
            .busy_timeout(self.busy_timeout)
            // 64 MiB of pages in memory; a checkpoint every 10,000 pages.
            .pragma("cache_size", "-65536")
            .pragma("wal_autocheckpoint", "10000")
            .statement_cache_capacity(256)
    }
}

impl SqliteStore {
    /// Opens a file with the defaults of [`SqliteOptions`], and brings its tables up to date.
    ///
    /// # Errors
    /// As for [`SqliteStore::open_with`].
    pub async fn open(path: impl AsRef<Path>) -> Result<Self> {
        Self::open_with(SqliteOptions::new(path)).await
    }

    /// Opens a file, and brings its tables up to date.
    ///
    /// # Errors
    /// What keeps the file from being opened or its tables from being made.
    pub async fn open_with(options: SqliteOptions) -> Result<Self> {
        let connect = options.connect();
        let open = |connections: u32, connect: SqliteConnectOptions| {
            SqlitePoolOptions::new()
                .max_connections(connections)
                .min_connections(1)
                .acquire_timeout(options.acquire_timeout)
                .idle_timeout(None)
                .max_lifetime(None)
                .connect_with(connect)
        };
        let opened = |error| Error::from(failure(error)).during("sqlite.open");
        let writer: SqlitePool = open(1, connect.clone()).await.map_err(opened)?;
        for context in &options.contexts {
            migrate::sqlite(*context).run(&writer).await.map_err(|error| migrate::failed(*context, error))?;
        }
        let readers = open(options.readers.max(1), connect.read_only(true)).await.map_err(opened)?;
        Ok(Self::new(Sqlite { writer, readers }, options.retry))
    }
}
