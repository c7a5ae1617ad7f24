//! Reading rows, and settling them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::desk::{Desk, LONG, event_of, events, ids, is_covered, of, orders, refused, row, sorted};
use crate::conformance::support::{eventually, limit, together};
use crate::conformance::{Harness, InventoryBackend, Violation};
use crate::engine::Engine;
use crate::model::{EventData, EventKey, StockEvent, TraceContext};
use crate::port::{Failed, OutboxStats, Quarantined};

pub(super) async fn rows_are_read_in_order(harness: &dyn Harness<InventoryBackend>) -> Result<(), Violation> {
    let desk = Desk::open(harness).await?;
    let claim = desk.claim("one").await?;
    ensure!(claim.rows.is_empty(), "rows of an empty outbox: {:?}", claim.rows);
    let [one, two] = orders();
    let mut written = Vec::new();
    for _ in 0..3 {
        written.extend(desk.write(&[one, two, one]).await?);
    }
    let trace = TraceContext { trace_id: [3; 16], span_id: [200; 8], flags: 1 };
    let traced = refused(two, desk.now())?.with_trace(Some(trace));
    desk.backend.store.execute(&Engine::new(), vec![traced.clone()]).await?;

    let claim = desk.claim("one").await?;
    is_covered(&claim)?;
    ensure!(claim.rows.is_sorted_by(|row, next| row.id < next.id), "rows are not in the order of their ids");
    let of_one: Vec<_> = written.chunks(3).flat_map(|batch| [batch[0], batch[2]]).collect();
    let mut of_two: Vec<_> = written.chunks(3).map(|batch| batch[1]).collect();
    of_two.push(event_of(&traced));
    ensure_eq!(of(&claim.rows, one), of_one, "events of one order");
    ensure_eq!(of(&claim.rows, two), of_two, "events of another");
    ensure!(claim.rows.iter().all(|row| row.attempts == 0), "attempts before anybody tried");
    let last = row(&claim.rows, of_two[3])?.event;
    let told = match &last.data {
        EventData::Stock(StockEvent::Rejected(event)) => Some((event.order, Some(event.reservation))),
        _ => None,
    };
    ensure_eq!(told, Some((Some(two), traced.action.reservation())), "whom the event is about");
    ensure_eq!((last.trace, last.at, last.sequence), (Some(trace), traced.at, 0), "its trace, time and sequence");
    Ok(())
}

pub(super) async fn a_claim_is_limited(harness: &dyn Harness<InventoryBackend>) -> Result<(), Violation> {
    let desk = Desk::open(harness).await?;
    let all: [_; 6] = orders();
    desk.write(&all).await?;
    let every = ids(&desk.claim("one").await?.rows);
    ensure_eq!(every.len(), 6, "rows of six events");
    for most in [1, 4, 6] {
        let claim = desk.outbox().claim("one", LONG, limit(most)).await?;
        ensure_eq!(ids(&claim.rows), every[..most], "rows with a limit of {most}");
    }
    Ok(())
}

pub(super) async fn what_is_not_settled_comes_again(harness: &dyn Harness<InventoryBackend>) -> Result<(), Violation> {
    let desk = Desk::open(harness).await?;
    let all: [_; 3] = orders();
    let written = sorted(desk.write(&all).await?);
    for _ in 0..3 {
        let claim = desk.claim("one").await?;
        ensure_eq!(sorted(events(&claim.rows)), written, "events that were claimed and never settled");
    }
    Ok(())
}

pub(super) async fn what_is_settled_is_gone(harness: &dyn Harness<InventoryBackend>) -> Result<(), Violation> {
    let desk = Desk::open(harness).await?;
    let all: [_; 5] = orders();
    desk.write(&all).await?;
    let claim = desk.claim("one").await?;
    let rows = ids(&claim.rows);
    ensure_eq!(rows.len(), 5, "rows of five events");
    desk.outbox().settle(&claim.lease, &[rows[3], rows[1]]).await?;
    let left = [rows[0], rows[2], rows[4]];
    ensure_eq!(ids(&desk.claim("one").await?.rows), left, "rows left when the second and fourth were settled");
    desk.outbox().settle(&claim.lease, &left).await?;
    ensure_eq!(ids(&desk.claim("one").await?.rows), Vec::<u64>::new(), "rows left when all were settled");
    let next = desk.write(&all[..1]).await?;
    ensure_eq!(events(&desk.claim("one").await?.rows), next, "what was written after that");
    Ok(())
}

pub(super) async fn settling_what_is_gone_is_harmless(
    harness: &dyn Harness<InventoryBackend>,
) -> Result<(), Violation> {
    let desk = Desk::open(harness).await?;
    let all: [_; 2] = orders();
    desk.write(&all).await?;
    let claim = desk.claim("one").await?;
    let rows = ids(&claim.rows);
    desk.outbox().settle(&claim.lease, &[]).await?;
    desk.outbox().release(&claim.lease, &[]).await?;
    desk.outbox().quarantine(&claim.lease, &[]).await?;
    desk.outbox().settle(&claim.lease, &rows[..1]).await?;
    // A publisher whose answer was lost settles once more.
    desk.outbox().settle(&claim.lease, &rows[..1]).await?;
    let failed = Failed { id: rows[0], retry_at: desk.now(), reason: "late".to_owned() };
    desk.outbox().release(&claim.lease, &[failed]).await?;
    desk.outbox().quarantine(&claim.lease, &[Quarantined { id: rows[0], reason: "late".to_owned() }]).await?;
    ensure_eq!(desk.outbox().requeue(&[]).await?, 0, "requeued of none");
    ensure_eq!(desk.outbox().discard(&[]).await?, 0, "discarded of none");
    ensure_eq!(ids(&desk.claim("one").await?.rows), rows[1..], "rows left");
    ensure_eq!(desk.outbox().quarantined(limit(10)).await?.len(), 0, "rows set aside");
    Ok(())
}

pub(super) async fn no_row_is_skipped_while_others_write(
    harness: &dyn Harness<InventoryBackend>,
) -> Result<(), Violation> {
    let desk = Desk::open(harness).await?;
    let all: [_; 8] = orders();
    let mut expected: BTreeMap<_, Vec<_>> = BTreeMap::new();
    let mut writers = Vec::new();
    for (index, order) in all.into_iter().enumerate() {
        // Batches of many sizes take differently long between getting ids and being committed.
        let mut batches = Vec::new();
        for round in 0..10 {
            let size = 1 + (index * 7 + round * 3) % 25;
            let batch = (0..size).map(|_| refused(order, desk.now())).collect::<Result<Vec<_>, _>>()?;
            expected.entry(order).or_default().extend(batch.iter().map(event_of));
            batches.push(batch);
        }
        let store = match harness.another().await? {
            Some(another) => another.store,
            None => Arc::clone(&desk.backend.store),
        };
        writers.push(async move {
            for batch in batches {
                store.execute(&Engine::new(), batch).await?;
                tokio::task::yield_now().await;
            }
            Ok(())
        });
    }
    let done = AtomicBool::new(false);
    let writing = async {
        let written = together(writers).await;
        done.store(true, Ordering::Release);
        written
    };
    let reading = async {
        let mut found: BTreeMap<_, Vec<_>> = BTreeMap::new();
        let mut left: usize = expected.values().map(Vec::len).sum();
        let mut idle = 0;
        while left > 0 {
            let claim = desk.outbox().claim("one", LONG, limit(40)).await?;
            desk.outbox().settle(&claim.lease, &ids(&claim.rows)).await?;
            if claim.rows.is_empty() {
                idle += u32::from(done.load(Ordering::Acquire));
                ensure!(idle < 100, "{left} rows were never handed out");
                harness.pass(Duration::from_millis(20)).await;
                tokio::task::yield_now().await;
            }
            for row in claim.rows {
                let EventKey::Order(order) = row.event.key() else { continue };
                found.entry(order).or_default().push(row.event.id());
                left = left.saturating_sub(1);
            }
        }
        Ok::<_, Violation>(found)
    };
    let (written, found) = futures::join!(writing, reading);
    written?;
    ensure_eq!(found?, expected, "events by order, as they were handed out");
    ensure_eq!(ids(&desk.claim("one").await?.rows), Vec::<u64>::new(), "rows left");
    Ok(())
}

pub(super) async fn the_stats_count_rows(harness: &dyn Harness<InventoryBackend>) -> Result<(), Violation> {
    let desk = Desk::open(harness).await?;
    ensure_eq!(desk.outbox().stats().await?, OutboxStats::default(), "the stats of an empty outbox");
    let all: [_; 4] = orders();
    let now = desk.now();
    let mut batch = Vec::new();
    // The oldest is not the first that was written.
    for (order, minutes) in all.iter().zip([20, 10, 40, 30]) {
        batch.push(refused(*order, now.plus(Duration::from_secs(minutes * 60)))?);
    }
    let at: Vec<_> = batch.iter().map(|command| command.at).collect();
    let written: Vec<_> = batch.iter().map(event_of).collect();
    desk.backend.store.execute(&Engine::new(), batch).await?;
    let stats = desk.outbox().stats().await?;
    ensure_eq!(stats, OutboxStats { pending: 4, quarantined: 0, oldest: Some(at[1]) }, "the stats of four rows");
    let claim = desk.claim("one").await?;
    let aside = row(&claim.rows, written[1])?.id;
    desk.outbox().quarantine(&claim.lease, &[Quarantined { id: aside, reason: "no".to_owned() }]).await?;
    let failed = Failed { id: row(&claim.rows, written[0])?.id, retry_at: now.plus(LONG), reason: "later".to_owned() };
    desk.outbox().release(&claim.lease, &[failed]).await?;
    let stats = desk.outbox().stats().await?;
    let expected = OutboxStats { pending: 3, quarantined: 1, oldest: Some(at[0]) };
    ensure_eq!(stats, expected, "the stats when the oldest of four was set aside and the next put back");
    desk.outbox().settle(&claim.lease, &[row(&claim.rows, written[2])?.id, row(&claim.rows, written[3])?.id]).await?;
    let stats = desk.outbox().stats().await?;
    ensure_eq!(stats, OutboxStats { pending: 1, ..expected }, "the stats when two of four were settled");
    Ok(())
}

pub(super) async fn waiting_may_be_given_up(harness: &dyn Harness<InventoryBackend>) -> Result<(), Violation> {
    let desk = Desk::open(harness).await?;
    let all: [_; 4] = orders();
    let mut written = Vec::new();
    for order in all {
        // It is a hint, which may come late or never: a relay waits for it and for its own clock.
        let _ = tokio::time::timeout(Duration::from_millis(20), desk.outbox().appended()).await;
        written.extend(desk.write(&[order]).await?);
        let _ = tokio::time::timeout(Duration::from_millis(20), desk.outbox().appended()).await;
    }
    ensure_eq!(sorted(events(&desk.claim("one").await?.rows)), sorted(written), "events after waits were given up");
    Ok(())
}

pub(super) async fn rows_survive_a_restart(harness: &dyn Harness<InventoryBackend>) -> Result<(), Violation> {
    let desk = Desk::open(harness).await?;
    let [one, two, three, four] = orders();
    let written = desk.write(&[one, two, three, four, four]).await?;
    let claim = desk.claim("one").await?;
    let rows = written.iter().map(|event| row(&claim.rows, *event)).collect::<Result<Vec<_>, _>>()?;
    let failed = |id: u64, retry_at| Failed { id, retry_at, reason: "later".to_owned() };
    desk.outbox().settle(&claim.lease, &[rows[0].id]).await?;
    desk.outbox().release(&claim.lease, &[failed(rows[1].id, desk.now().plus(LONG))]).await?;
    desk.outbox().quarantine(&claim.lease, &[Quarantined { id: rows[2].id, reason: "bad".to_owned() }]).await?;
    desk.outbox().release(&claim.lease, &[failed(rows[3].id, desk.now())]).await?;

    let desk = desk.reopen().await?;
    let again = eventually(harness, "a row whose time has come is handed out", || async {
        let claim = desk.claim("one").await?;
        Ok((!claim.rows.is_empty()).then_some(claim))
    });
    let again = again.await?;
    ensure_eq!(events(&again.rows), written[3..], "events handed out after a restart");
    let attempts: Vec<_> = again.rows.iter().map(|row| row.attempts).collect();
    ensure_eq!(attempts, [1, 0], "their attempts");
    ensure_eq!(ids(&again.rows), [rows[3].id, rows[4].id], "their ids");
    let aside = desk.outbox().quarantined(limit(10)).await?;
    ensure_eq!(aside, [(rows[2].clone(), "bad".to_owned())], "what is set aside after a restart");
    let stats = desk.outbox().stats().await?;
    ensure_eq!((stats.pending, stats.quarantined), (3, 1), "rows that wait, and rows set aside, after a restart");
    desk.outbox().settle(&claim.lease, &[rows[3].id]).await?;
    ensure_eq!(events(&desk.claim("one").await?.rows), written[4..], "after settling under the lease from before");
    Ok(())
}
