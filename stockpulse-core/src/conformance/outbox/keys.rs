//! One key does not hold up another.

use std::time::Duration;

use super::desk::{Desk, LONG, SHORT, events, ids, of, orders, row, sorted};
use crate::conformance::support::{eventually, limit};
use crate::conformance::{Harness, InventoryBackend, Violation};
use crate::port::{Failed, Quarantined};

pub(super) async fn a_row_that_was_put_back_waits(harness: &dyn Harness<InventoryBackend>) -> Result<(), Violation> {
    let desk = Desk::open(harness).await?;
    let [one, two] = orders();
    let written = desk.write(&[one, two]).await?;
    let claim = desk.claim("one").await?;
    let [first, second] = [row(&claim.rows, written[0])?, row(&claim.rows, written[1])?];
    let failed = |id, pause| Failed { id, retry_at: desk.now().plus(pause), reason: "down".to_owned() };
    desk.outbox().release(&claim.lease, &[failed(first.id, SHORT), failed(second.id, LONG)]).await?;
    for attempts in 1..4 {
        let back = eventually(harness, "a row comes back when its time has come", || async {
            let rows = desk.claim("one").await?.rows;
            ensure!(rows.iter().all(|row| row.id == first.id), "a row came back before its time: {rows:?}");
            Ok(rows.into_iter().next())
        });
        let back = back.await?;
        ensure_eq!(back.attempts, attempts, "attempts of a row that was put back");
        ensure_eq!(back.event, first.event, "its event");
        desk.outbox().release(&claim.lease, &[failed(first.id, SHORT)]).await?;
    }
    // Whoever else claims does not get it earlier either.
    desk.outbox().release(&claim.lease, &[failed(first.id, LONG)]).await?;
    desk.outbox().surrender(&claim.lease).await?;
    let rows = desk.claim("two").await?.rows;
    ensure!(rows.is_empty(), "rows that another worker got before their time: {rows:?}");
    Ok(())
}

pub(super) async fn a_waiting_row_holds_up_its_key(harness: &dyn Harness<InventoryBackend>) -> Result<(), Violation> {
    let desk = Desk::open(harness).await?;
    let [one, two, three] = orders();
    let written = desk.write(&[one, two, one, three, two, one]).await?;
    let claim = desk.claim("one").await?;
    let middle = row(&claim.rows, written[2])?.id;
    desk.outbox().release(&claim.lease, &[failed(&desk, middle, LONG)]).await?;
    let rows = desk.claim("one").await?.rows;
    ensure_eq!(of(&rows, one), written[..1], "rows of the order of which the second of three waits");
    ensure_eq!(of(&rows, two), [written[1], written[4]], "rows of another order");
    let later = desk.write(&[one, three]).await?;
    desk.outbox().settle(&claim.lease, &[row(&rows, written[0])?.id]).await?;
    let rows = desk.claim("one").await?.rows;
    let expected = sorted(vec![written[1], written[3], written[4], later[1]]);
    ensure_eq!(sorted(events(&rows)), expected, "rows while the first of an order waits, later ones included");
    Ok(())
}

fn failed(desk: &Desk<'_>, id: u64, pause: Duration) -> Failed {
    Failed { id, retry_at: desk.now().plus(pause), reason: "down".to_owned() }
}

pub(super) async fn a_row_set_aside_holds_up_its_key(harness: &dyn Harness<InventoryBackend>) -> Result<(), Violation> {
    let desk = Desk::open(harness).await?;
    let [one, two] = orders();
    let written = desk.write(&[one, two, one]).await?;
    let claim = desk.claim("one").await?;
    let bad = Quarantined { id: row(&claim.rows, written[0])?.id, reason: "too large".to_owned() };
    desk.outbox().quarantine(&claim.lease, &[bad]).await?;
    let later = desk.write(&[one, two]).await?;
    let rows = desk.claim("one").await?.rows;
    ensure_eq!(events(&rows), [written[1], later[1]], "rows while the first of an order is set aside");
    harness.pass(SHORT * 2).await;
    desk.outbox().settle(&claim.lease, &ids(&rows)).await?;
    let rows = desk.claim("one").await?.rows;
    ensure!(rows.is_empty(), "rows of the order that is held up: {rows:?}");
    Ok(())
}

pub(super) async fn held_up_rows_take_no_room(harness: &dyn Harness<InventoryBackend>) -> Result<(), Violation> {
    let desk = Desk::open(harness).await?;
    let [poison, slow, other] = orders();
    let mut batch = vec![poison; 30];
    batch.extend([slow; 30]);
    batch.extend([other; 3]);
    let written = desk.write(&batch).await?;
    let claim = desk.claim("one").await?;
    let [bad, late] = [row(&claim.rows, written[0])?.id, row(&claim.rows, written[30])?.id];
    desk.outbox().quarantine(&claim.lease, &[Quarantined { id: bad, reason: "bad".to_owned() }]).await?;
    desk.outbox().release(&claim.lease, &[failed(&desk, late, LONG)]).await?;
    let rows = desk.outbox().claim("one", LONG, limit(3)).await?.rows;
    ensure_eq!(events(&rows), written[60..], "three rows, behind sixty that are held up");
    Ok(())
}
