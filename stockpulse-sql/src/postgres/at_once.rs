//! Reservations in one statement.

use std::sync::LazyLock;

use sqlx::{AssertSqlSafe, PgConnection};

use super::columns::{arrays, bind_columns, insert, names};
use super::failure;
use crate::failure::Failure;
use crate::frame::STOCK_COMMAND;
use crate::inventory::{AFTER, AtOnce, LEVEL, MOVEMENT, RESERVATION, unchanged};
use crate::outbox::{STOCK, pack_rows};
use crate::table::Kind::{self, Id, Int};
use crate::table::Rows;

/// The columns of the levels as they are bound.
static LEVELS: LazyLock<Vec<(&str, Kind)>> =
    LazyLock::new(|| LEVEL.columns.iter().copied().chain(AFTER.map(|name| (name, Int))).collect());

const ABSENT: &[(&str, Kind)] = &[("id", Id)];

/// Gives the levels their new versions. If one is not as it must be, or a reservation is there that must not be, they get
/// the version 0, which a constraint of the table forbids: then the statement fails, and all of it.
///
/// The levels come in the order of their keys, and are looked up one after the other, so they are locked in that order, as
/// everywhere. A level that somebody else has changed meanwhile is compared as it is after that.
static ADVANCE: LazyLock<String> = LazyLock::new(|| {
    let (levels, columns) = (arrays(&LEVELS, 1), names(&LEVELS, ""));
    let (absent, unchanged) = (LEVELS.len() + 1, unchanged());
    format!(
        "UPDATE stock_level t SET reserved = d.new_reserved, backordered = d.new_backordered,
            version = CASE WHEN {unchanged}
                AND (cardinality(${absent}::uuid[]) = 0
                    OR NOT EXISTS (SELECT FROM stock_reservation WHERE id = ANY(${absent}::uuid[])))
                THEN d.new_version ELSE 0 END
         FROM UNNEST({levels}) AS d({columns}) WHERE t.sku = d.sku AND t.location = d.location"
    )
});

/// All of it. The outbox comes last, so that its rows are numbered under the locks.
static ALL: LazyLock<String> = LazyLock::new(|| {
    let reservations = LEVELS.len() + ABSENT.len() + 1;
    let movements = reservations + RESERVATION.columns.len();
    let commands = movements + MOVEMENT.columns.len();
    let packs = commands + STOCK_COMMAND.columns.len();
    format!(
        "WITH levels AS ({} RETURNING 1), reservations AS ({}), movements AS ({}), commands AS ({})
         {} WHERE (SELECT count(*) FROM levels) > 0",
        *ADVANCE,
        insert(&RESERVATION, reservations),
        insert(&MOVEMENT, movements),
        insert(&STOCK_COMMAND, commands),
        insert(&STOCK.packs, packs),
    )
});

/// Writes the levels, if they and the reservations are as they must be.
pub(super) async fn advance(connection: &mut PgConnection, levels: &Rows, absent: &Rows) -> Result<(), Failure> {
    let query = bind_columns(sqlx::query(AssertSqlSafe(ADVANCE.as_str())), levels, &LEVELS);
    let query = bind_columns(query, absent, ABSENT);
    query.execute(connection).await.map_err(failure)?;
    Ok(())
}

/// Writes everything in a statement that is a transaction by itself.
pub(super) async fn write(connection: &mut PgConnection, written: AtOnce) -> Result<(), Failure> {
    let AtOnce { levels, absent, changes } = written;
    let packs = pack_rows(&STOCK, changes.packs);
    let query = bind_columns(sqlx::query(AssertSqlSafe(ALL.as_str())), &levels, &LEVELS);
    let query = bind_columns(query, &absent, ABSENT);
    let query = bind_columns(query, &changes.new_reservations, RESERVATION.columns);
    let query = bind_columns(query, &changes.movements, MOVEMENT.columns);
    let query = bind_columns(query, &changes.commands, STOCK_COMMAND.columns);
    let query = bind_columns(query, &packs, STOCK.packs.columns);
    query.execute(connection).await.map_err(failure)?;
    Ok(())
}
