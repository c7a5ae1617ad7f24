//! Few reservations in one message to the thread that SQLite works on.

use sqlx::pool::PoolConnection;
use sqlx::{AssertSqlSafe, SqlitePool};

use super::session::bind;
use super::{failure, statement};
use crate::database::Held;
use crate::failure::Failure;
use crate::frame::STOCK_COMMAND;
use crate::inventory::{AtOnce, MOVEMENT, RESERVATION};
use crate::outbox::{STOCK, pack_rows};

/// So many commands at most: each number of rows is a text of its own, to be prepared and kept.
const COMMANDS: usize = 2;

/// Whether it is so little that the messages cost more than the work.
pub(super) fn is_little(written: &AtOnce) -> bool {
    written.changes.commands.len() <= COMMANDS && written.absent.is_empty()
}

/// Begins, writes and commits.
pub(super) async fn write(pool: &SqlitePool, written: AtOnce) -> Result<(), Failure> {
    let AtOnce { levels, changes, .. } = written;
    let packs = pack_rows(&STOCK, changes.packs);
    let mut script = format!("BEGIN IMMEDIATE; {};", statement::advance(levels.len()));
    let mut args = levels.values().to_vec();
    for (table, rows) in [
        (&RESERVATION, &changes.new_reservations),
        (&MOVEMENT, &changes.movements),
        (&STOCK_COMMAND, &changes.commands),
        (&STOCK.packs, &packs),
    ] {
        if !rows.is_empty() {
            script.push_str(&statement::insert(table, rows.len()));
            script.push(';');
            args.extend_from_slice(rows.values());
        }
    }
    script.push_str("COMMIT");
    let mut connection = pool.acquire().await.map_err(failure)?;
    let written = bind(sqlx::query(AssertSqlSafe(script)), &args).execute(&mut *connection).await;
    if let Err(error) = written {
        undo(&mut connection).await;
        return Err(failure(error));
    }
    Ok(())
}

/// Ends the transaction that a statement failed in. If it never began there is nothing to end.
async fn undo(connection: &mut PoolConnection<sqlx::Sqlite>) {
    if sqlx::query("ROLLBACK").execute(&mut **connection).await.is_err() {
        connection.abandon();
    }
}
