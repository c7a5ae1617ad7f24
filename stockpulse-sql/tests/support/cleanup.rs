//! The end of a test's schema or database.

use sqlx::{AssertSqlSafe, Connection};

use super::Kind;

/// Dropped it deletes a schema or database, with all that is in it.
#[derive(Debug)]
pub(crate) struct Cleanup {
    kind: Kind,
    url: String,
    name: String,
}

impl Cleanup {
    /// Will delete the schema or database of this name, on the server with this URL.
    pub(crate) fn new(kind: Kind, url: &str, name: &str) -> Self {
        Self { kind, url: url.to_owned(), name: name.to_owned() }
    }

    /// Waits for nobody for long: a test that failed may have left a transaction open.
    async fn delete(&self) -> Result<(), sqlx::Error> {
        let Self { kind, url, name } = self;
        match kind {
            Kind::Postgres => {
                let sql = format!(
                    "SET client_min_messages = warning; SET lock_timeout = '5s'; DROP SCHEMA IF EXISTS {name} CASCADE"
                );
                let mut connection = sqlx::PgConnection::connect(url).await?;
                sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await?;
                connection.close().await
            }
            Kind::MySql => {
                let sql = format!("SET lock_wait_timeout = 5; DROP DATABASE IF EXISTS {name}");
                let mut connection = sqlx::MySqlConnection::connect(url).await?;
                sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await?;
                connection.close().await
            }
            Kind::Sqlite => Ok(()),
        }
    }
}

impl Drop for Cleanup {
    #[expect(clippy::print_stderr, reason = "whoever owns the server has to see what was left there")]
    fn drop(&mut self) {
        // A runtime of its own: that of the test is busy with dropping, and may be on its way out.
        let deleted = std::thread::scope(|scope| {
            let delete = || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
                runtime.block_on(self.delete()).map_err(std::io::Error::other)
            };
            scope.spawn(delete).join()
        });
        match deleted {
            Ok(Ok(())) => {}
            Ok(Err(error)) => eprintln!("{} was left on the server: {error}", self.name),
            Err(_) => eprintln!("{} was left on the server", self.name),
        }
    }
}
