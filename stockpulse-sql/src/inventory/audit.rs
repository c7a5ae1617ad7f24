//! What levels should add up to.

use std::collections::BTreeMap;

use stockpulse_core::model::{Counters, ReservationState, StockKey, StockLevel};
use stockpulse_core::port::{LevelAudit, Page};
use uuid::Uuid;

use super::read::list_levels;
use super::rows;
use super::tables::{BACKORDER, MOVEMENT, RESERVATION};
use crate::database::Session;
use crate::failure::Failure;
use crate::rows::bound;
use crate::value::{Cells, Value};

/// How many reservations are read at once.
const PAGE: usize = 4_096;

/// A page of levels with what they should add up to. The claims are summed over all live reservations for every page:
/// ask for large pages.
pub(super) async fn audit<S: Session>(
    session: &mut S,
    after: Option<&StockKey>,
    limit: usize,
) -> Result<Page<LevelAudit, StockKey>, Failure> {
    let page = list_levels(session, after, limit).await?;
    let Some((first, last)) = page.items.first().zip(page.items.last()) else {
        return Ok(Page { items: Vec::new(), next: None });
    };
    let range = [first.key.sku.as_str().into(), last.key.sku.as_str().into()];
    let ledgers = sums(session, MOVEMENT.name, "on_hand", "reserved", "backordered", &range).await?;
    let queues = sums(session, BACKORDER.name, "quantity", "0", "0", &range).await?;
    let mut claims = claims(session, &first.key, &last.key).await?;
    let audit = |level: StockLevel| LevelAudit {
        ledger: ledgers.get(&level.key).copied().unwrap_or_default(),
        claims: Counters {
            on_hand: 0,
            reserved: claims.remove(&level.key).unwrap_or_default(),
            backordered: queues.get(&level.key).map_or(0, |waiting| waiting.on_hand),
        },
        level,
    };
    Ok(Page { items: page.items.into_iter().map(audit).collect(), next: page.next })
}

/// Sums of up to three columns by level, for the SKUs of a range.
async fn sums<S: Session>(
    session: &mut S,
    table: &str,
    one: &str,
    two: &str,
    three: &str,
    range: &[Value; 2],
) -> Result<BTreeMap<StockKey, Counters>, Failure> {
    let sum = |column: &str| format!("CAST(SUM({column}) AS {})", S::BIG_INTEGER);
    let (one, two, three) = (sum(one), sum(two), sum(three));
    let sql = format!(
        "SELECT sku, location, {one}, {two}, {three} FROM {table} WHERE sku >= ? AND sku <= ? GROUP BY sku, location"
    );
    let mut sums = BTreeMap::new();
    for row in session.query(&sql, range).await? {
        let counters = Counters { on_hand: row.int(2)?, reserved: row.int(3)?, backordered: row.int(4)? };
        sums.insert(rows::read_key(&row)?, counters);
    }
    Ok(sums)
}

/// What the open lines of live reservations claim of each level of a range.
async fn claims<S: Session>(
    session: &mut S,
    first: &StockKey,
    last: &StockKey,
) -> Result<BTreeMap<StockKey, i64>, Failure> {
    let (columns, name) = (RESERVATION.names(""), RESERVATION.name);
    let mut claims = BTreeMap::new();
    for state in [ReservationState::Held, ReservationState::Allocated] {
        let sql =
            format!("SELECT {columns} FROM {name} WHERE state = {} AND id >= ? ORDER BY id LIMIT ?", state.code());
        let mut from = 0_u128;
        loop {
            let found = session.query(&sql, &[Value::Id(Uuid::from_u128(from)), bound(PAGE)]).await?;
            for row in &found {
                let reservation = rows::read_reservation(row)?;
                from = reservation.id.as_uuid().as_u128().saturating_add(1);
                for line in reservation.lines.iter().filter(|line| (first..=last).contains(&&line.key)) {
                    *claims.entry(line.key.clone()).or_default() += line.open().get();
                }
            }
            if found.len() < PAGE {
                break;
            }
        }
    }
    Ok(claims)
}
