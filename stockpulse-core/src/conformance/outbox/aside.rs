//! What was set aside.

use super::desk::{Desk, LONG, events, ids, orders, row, sorted};
use crate::conformance::support::limit;
use crate::conformance::{Harness, InventoryBackend, Violation};
use crate::port::{Failed, Quarantined};

fn bad(id: u64, reason: &str) -> Quarantined {
    Quarantined { id, reason: reason.to_owned() }
}

pub(super) async fn what_is_set_aside_is_listed(harness: &dyn Harness<InventoryBackend>) -> Result<(), Violation> {
    let desk = Desk::open(harness).await?;
    ensure_eq!(desk.outbox().quarantined(limit(10)).await?, Vec::new(), "what is set aside of nothing");
    let all: [_; 4] = orders();
    desk.write(&all).await?;
    let claim = desk.claim("one").await?;
    let rows = ids(&claim.rows);
    let late = Failed { id: rows[2], retry_at: desk.now(), reason: "down".to_owned() };
    desk.outbox().release(&claim.lease, &[late]).await?;
    let long = "\u{1f4a5} it's \"too\" large; ".repeat(50);
    desk.outbox().quarantine(&claim.lease, &[bad(rows[2], &long), bad(rows[0], "bad")]).await?;
    let mut listed = desk.outbox().quarantined(limit(10)).await?;
    listed.sort_unstable_by_key(|(row, _)| row.id);
    let expected = [(rows[0], 0, "bad".to_owned()), (rows[2], 1, long)];
    let found: Vec<_> = listed.iter().map(|(row, reason)| (row.id, row.attempts, reason.clone())).collect();
    ensure_eq!(found, expected, "ids, attempts and reasons of what is set aside");
    for (listed, _) in &listed {
        let event = claim.rows.iter().find(|row| row.id == listed.id).map(|row| &row.event);
        ensure_eq!(Some(&listed.event), event, "the event of row {}", listed.id);
    }
    ensure_eq!(desk.outbox().quarantined(limit(1)).await?.len(), 1, "listed with a limit of one");
    Ok(())
}

pub(super) async fn a_requeued_row_comes_again(harness: &dyn Harness<InventoryBackend>) -> Result<(), Violation> {
    let desk = Desk::open(harness).await?;
    let [one, two] = orders();
    let written = desk.write(&[one, one, two]).await?;
    let claim = desk.claim("one").await?;
    let first = row(&claim.rows, written[0])?.id;
    let late = Failed { id: first, retry_at: desk.now().plus(LONG), reason: "down".to_owned() };
    desk.outbox().release(&claim.lease, &[late]).await?;
    desk.outbox().quarantine(&claim.lease, &[bad(first, "bad")]).await?;
    ensure_eq!(desk.outbox().requeue(&[first]).await?, 1, "rows requeued");
    ensure_eq!(desk.outbox().quarantined(limit(10)).await?, Vec::new(), "what is set aside after it was requeued");
    let rows = desk.claim("one").await?.rows;
    ensure_eq!(sorted(events(&rows)), sorted(written.clone()), "events after one was requeued");
    ensure_eq!(
        events(&rows).iter().filter(|event| **event != written[2]).copied().collect::<Vec<_>>(),
        written[..2],
        "its key's, in order"
    );
    ensure_eq!(row(&rows, written[0])?.attempts, 0, "attempts of a row that was requeued");
    ensure_eq!(desk.outbox().requeue(&[first]).await?, 0, "rows requeued once more");
    Ok(())
}

pub(super) async fn a_discarded_row_is_gone(harness: &dyn Harness<InventoryBackend>) -> Result<(), Violation> {
    let desk = Desk::open(harness).await?;
    let [one, two] = orders();
    let written = desk.write(&[one, one, two]).await?;
    let claim = desk.claim("one").await?;
    let first = row(&claim.rows, written[0])?.id;
    desk.outbox().quarantine(&claim.lease, &[bad(first, "bad")]).await?;
    ensure_eq!(desk.outbox().discard(&[first]).await?, 1, "rows discarded");
    ensure_eq!(desk.outbox().quarantined(limit(10)).await?, Vec::new(), "what is set aside after it was discarded");
    let rows = desk.claim("one").await?.rows;
    ensure_eq!(sorted(events(&rows)), sorted(written[1..].to_vec()), "events after one was discarded");
    ensure_eq!(desk.outbox().discard(&[first]).await?, 0, "rows discarded once more");
    ensure_eq!(desk.outbox().stats().await?.pending, 2, "rows that wait");
    Ok(())
}

pub(super) async fn only_what_is_set_aside_is_requeued_or_discarded(
    harness: &dyn Harness<InventoryBackend>,
) -> Result<(), Violation> {
    let desk = Desk::open(harness).await?;
    let all: [_; 4] = orders();
    desk.write(&all).await?;
    let claim = desk.claim("one").await?;
    let rows = ids(&claim.rows);
    let late = Failed { id: rows[1], retry_at: desk.now().plus(LONG), reason: "down".to_owned() };
    desk.outbox().release(&claim.lease, &[late]).await?;
    desk.outbox().quarantine(&claim.lease, &[bad(rows[2], "bad"), bad(rows[3], "bad")]).await?;
    let unknown = rows[3] + 1_000_000;
    let some = [rows[0], rows[1], rows[2], unknown];
    ensure_eq!(
        desk.outbox().requeue(&some).await?,
        1,
        "requeued of one that waits, one put back, one set aside, one unknown"
    );
    ensure_eq!(ids(&desk.claim("one").await?.rows), [rows[0], rows[2]], "rows that may be published");
    let some = [rows[0], rows[1], rows[3], unknown];
    ensure_eq!(
        desk.outbox().discard(&some).await?,
        1,
        "discarded of one that waits, one put back, one set aside, one unknown"
    );
    let stats = desk.outbox().stats().await?;
    ensure_eq!((stats.pending, stats.quarantined), (3, 0), "rows that wait, and rows set aside");
    Ok(())
}
