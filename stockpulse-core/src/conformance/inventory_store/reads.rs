//! What is read is what was written.

use std::time::Duration;

use super::commands::{Desk, all_accepted, at, backorders, execute, key, order, reservation};
use super::reference::Reference;
use crate::conformance::support::{fresh, limit, sku};
use crate::conformance::{Harness, InventoryBackend, Violation};
use crate::engine::Engine;
use crate::engine::stock::{Hold, LevelSettings, Parts, Reserve, StockAction, StockCommand};
use crate::model::{
    Actor, Cause, Component, CustomerId, EventId, Kit, Policy, ReservationId, Sourcing, StockQuantity, Strategy,
    Timestamp, TraceContext,
};

pub(super) async fn every_field_is_kept(harness: &dyn Harness<InventoryBackend>) -> Result<(), Violation> {
    let InventoryBackend { store, outbox } = harness.open().await?;
    let mut desk = Desk::new(harness);
    let mut reference = Reference::new(Engine::new());
    let (cup, pot, service) = (at("CUP", "north")?, at("POT", "north")?, at("GIFT-WRAP", "north")?);
    let settings = LevelSettings {
        safety_stock: Some(1.into()),
        backorder_limit: Some(7.into()),
        low_stock_at: Some(Some(2.into())),
        ..LevelSettings::default()
    };
    let untracked = LevelSettings { tracked: Some(false), ..LevelSettings::default() };
    let set = Kit {
        sku: sku("TEA SET")?,
        components: vec![
            Component { sku: cup.sku.clone(), quantity: 4.into() },
            Component { sku: pot.sku.clone(), quantity: 1.into() },
        ],
    };
    let request = Reserve {
        sourcing: Sourcing { strategy: Strategy::SingleSource, locations: vec![cup.location.clone()] },
        hold: Hold::Until(desk.now().plus(Duration::from_micros(3_600_000_001))),
        kits: vec![set],
        ..Reserve::new(reservation())
    };
    let request = request
        .with_order(order())
        .with_customer(CustomerId::new(fresh()))
        .with_policy(Policy::Backorder)
        .with_line(sku("TEA SET")?, 2)
        .with_line(service.sku.clone(), 1);
    let id = request.reservation;
    let (fulfil, release) = (
        Parts::Levels(vec![StockQuantity::new(cup.clone(), 3.into())]),
        Parts::Levels(vec![StockQuantity::new(pot.clone(), 1.into())]),
    );
    let damaged =
        StockAction::Adjust { key: pot.clone(), change: -1, reason: Some("broken \u{1fad6}, it's \"gone\"".into()) };
    let trace = TraceContext { trace_id: [7; 16], span_id: [255; 8], flags: 1 };
    let commands = [
        desk.configure(&cup, settings).with_actor(Actor::Staff("Zo\u{eb}".into())),
        desk.configure(&service, untracked).with_actor(Actor::Service("catalog".into())),
        desk.receive(&cup, 9).with_actor(Actor::Customer(CustomerId::new(fresh()))),
        desk.receive(&pot, 3).with_cause(Cause::Event(EventId::new(fresh()))).with_trace(Some(trace)),
        desk.command(damaged),
        desk.request(request),
        desk.allocate(id),
        desk.command(StockAction::Fulfil { reservation: id, parts: fulfil }),
        desk.command(StockAction::Release { reservation: id, parts: release, tombstone: false }),
    ];
    for command in commands {
        let cause = Cause::Command(command.id);
        reference.both(&*store, &[command]).await?;
        reference.both(&*store, &[desk.receive(&cup, 1).with_cause(cause)]).await?;
        reference.agrees(&*store).await?;
    }
    // A release of what is not known leaves a reservation without lines.
    let tombstone = StockAction::Release { reservation: reservation(), parts: Parts::All, tombstone: true };
    reference.both(&*store, &[desk.command(tombstone)]).await?;
    reference.agrees(&*store).await?;
    crate::conformance::events::holds(&*outbox, reference.events()).await
}

pub(super) async fn what_does_not_exist_is_none(harness: &dyn Harness<InventoryBackend>) -> Result<(), Violation> {
    let InventoryBackend { store, .. } = harness.open().await?;
    let mut desk = Desk::new(harness);
    let (mug, none) = (key("MUG")?, key("NONE")?);
    ensure_eq!(store.list_levels(None, limit(10)).await?.items, Vec::new(), "levels of an empty store");
    ensure_eq!(store.audit(None, limit(10)).await?.items, Vec::new(), "the audit of an empty store");
    ensure_eq!(store.expiring(Timestamp::MAX, limit(10)).await?, Vec::new(), "holds of an empty store");
    let refused = desk.reserve(&none, 1);
    let id = refused.action.reservation().unwrap_or_else(reservation);
    let elsewhere = at("MUG", "elsewhere")?;
    execute(&*store, [desk.receive(&mug, 3), refused, desk.reserve(&elsewhere, 1)]).await?;
    ensure_eq!(store.levels(&[none.clone(), elsewhere]).await?, [None, None], "levels that nothing was received at");
    ensure_eq!(store.reservations(&[id, reservation()]).await?, [None, None], "a refused and an unknown reservation");
    let page = store.movements(&none, 0, limit(10)).await?;
    ensure!(page.items.is_empty() && page.next.is_none(), "movements of a level that does not exist: {page:?}");
    let page = store.list_levels(None, limit(10)).await?;
    ensure_eq!(page.items.len(), 1, "levels after one was created, and others were asked for");
    Ok(())
}

/// A hold on one unit that ends then.
fn hold(desk: &mut Desk, key: &crate::model::StockKey, end: Timestamp) -> (ReservationId, StockCommand) {
    let id = reservation();
    let request = Reserve { hold: Hold::Until(end), ..Reserve::new(id).with_line_at(key.clone(), 1) };
    (id, desk.request(request))
}

pub(super) async fn ended_holds_are_listed(harness: &dyn Harness<InventoryBackend>) -> Result<(), Violation> {
    let InventoryBackend { store, .. } = harness.open().await?;
    let mut desk = Desk::new(harness);
    let mug = key("MUG")?;
    let end = |seconds: i64| desk.now().plus(Duration::from_secs(3_600)).as_micros() + seconds;
    let ends = [5, 1, 4, 2, 3].map(|place| Timestamp::from_micros(end(place)));
    let mut batch = vec![desk.receive(&mug, 10)];
    let mut ids = Vec::new();
    for end in ends {
        let (id, command) = hold(&mut desk, &mug, end);
        ids.push((end, id));
        batch.push(command);
    }
    batch.push(desk.reserve(&mug, 1));
    all_accepted(&execute(&*store, batch).await?)?;
    ids.sort_unstable();
    let (ends, ids): (Vec<_>, Vec<_>) = ids.into_iter().unzip();
    let before_all = Timestamp::from_micros(ends[0].as_micros() - 1);
    ensure_eq!(store.expiring(before_all, limit(10)).await?, Vec::new(), "holds a microsecond before the first ends");
    ensure_eq!(store.expiring(ends[0], limit(10)).await?, ids[..1], "holds at the very end of the first");
    ensure_eq!(store.expiring(ends[3], limit(10)).await?, ids[..4], "holds at the end of the fourth");
    ensure_eq!(store.expiring(ends[4], limit(2)).await?, ids[..2], "the first two of five");
    ensure_eq!(store.expiring(Timestamp::MAX, limit(10)).await?, ids, "all holds that end at all");
    Ok(())
}

pub(super) async fn only_live_holds_are_listed(harness: &dyn Harness<InventoryBackend>) -> Result<(), Violation> {
    let InventoryBackend { store, .. } = harness.open().await?;
    let mut desk = Desk::new(harness);
    let mug = key("MUG")?;
    let (end, later) = (desk.now().plus(Duration::from_secs(60)), desk.now().plus(Duration::from_secs(90)));
    let holds: Vec<_> = (0..6).map(|_| hold(&mut desk, &mug, end)).collect();
    let ids: Vec<_> = holds.iter().map(|(id, _)| *id).collect();
    let mut batch = vec![desk.receive(&mug, 10)];
    batch.extend(holds.into_iter().map(|(_, command)| command));
    all_accepted(&execute(&*store, batch).await?)?;
    let expire = StockAction::Expire { reservation: ids[3] };
    let mut expire = desk.command(expire);
    expire.at = end;
    let replacement = Reserve { hold: Hold::Until(later), ..Reserve::new(ids[4]).with_line(mug.sku.clone(), 2) };
    let changes = [
        desk.command(StockAction::Extend { reservation: ids[0], hold: Hold::Until(later) }),
        desk.allocate(ids[1]),
        desk.release(ids[2]),
        expire,
        desk.request(replacement.replacing()),
    ];
    all_accepted(&execute(&*store, changes).await?)?;
    ensure_eq!(store.expiring(end, limit(10)).await?, [ids[5]], "holds that still end at the time they all had");
    let mut listed = store.expiring(later, limit(10)).await?;
    ensure_eq!(listed.first().copied(), Some(ids[5]), "the hold that ends first");
    listed.sort_unstable();
    let mut expected = [ids[0], ids[4], ids[5]];
    expected.sort_unstable();
    ensure_eq!(listed, expected, "holds that end by the later time: the extended, the replaced, the untouched");
    Ok(())
}

pub(super) async fn the_audit_adds_up(harness: &dyn Harness<InventoryBackend>) -> Result<(), Violation> {
    let InventoryBackend { store, .. } = harness.open().await?;
    let mut desk = Desk::new(harness);
    let mut reference = Reference::new(Engine::new());
    let (mug, pot) = (key("MUG")?, key("POT")?);
    let request = Reserve::new(reservation()).with_line(mug.sku.clone(), 5).with_line(pot.sku.clone(), 3);
    let request = request.with_policy(Policy::Backorder);
    let id = request.reservation;
    let batch = [
        desk.configure(&mug, backorders(10.into())),
        desk.receive(&mug, 3),
        desk.receive(&pot, 8),
        desk.request(request),
        desk.reserve(&pot, 1),
    ];
    let released = batch[4].action.reservation().unwrap_or_else(reservation);
    reference.both(&*store, &batch).await?;
    let parts = Parts::Levels(vec![StockQuantity::new(pot, 2.into())]);
    let shipped = desk.command(StockAction::Fulfil { reservation: id, parts });
    reference.both(&*store, &[desk.allocate(id), shipped, desk.release(released), desk.receive(&mug, 1)]).await?;
    let audits = store.audit(None, limit(10)).await?.items;
    let sums: Vec<_> = audits.iter().map(|audit| (audit.ledger, audit.level.counters())).collect();
    ensure!(sums.iter().all(|(ledger, level)| ledger == level), "ledger and level: {sums:?}");
    let claims: Vec<_> = audits.iter().map(|audit| (audit.claims.reserved, audit.claims.backordered)).collect();
    ensure_eq!(claims, [(5, 1), (1, 0)], "live claims on MUG and POT: reserved, and of it backordered");
    reference.agrees(&*store).await
}
