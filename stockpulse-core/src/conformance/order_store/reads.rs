//! What is read is what was written.

use std::time::Duration;

use super::commands::{Desk, all_accepted, customer, euro, execute, mug, order};
use super::reference::Reference;
use crate::conformance::events::holds;
use crate::conformance::support::{PAGES, fresh, limit, sku};
use crate::conformance::{Harness, OrderBackend, Violation};
use crate::engine::order::{OrderAction, OrderParts, PaymentResult, Place, PurchaseLimit, StockAnswer};
use crate::model::{
    Actor, Cause, Component, EventId, Kit, LocationId, OrderId, OrderStatus, Policy, Quantity, ReservedLine,
    SkuQuantity, Sourcing, Strategy, Timestamp, TraceContext,
};
use crate::port::{OrderQuery, OrderStore};

pub(super) async fn every_field_is_kept(harness: &dyn Harness<OrderBackend>) -> Result<(), Violation> {
    let OrderBackend { store, outbox } = harness.open().await?;
    let mut desk = Desk::new(harness);
    let mut reference = Reference::default();
    let (id, who) = (order(), customer());
    let (cup, pot, set) = (sku("CUP \u{2615}")?, sku("pot ")?, sku("TEA SET")?);
    let component = |sku: &crate::model::Sku, units: u32| Component { sku: sku.clone(), quantity: units.into() };
    let sourcing = Sourcing {
        strategy: Strategy::Custom("near\u{e9}st".to_owned()),
        locations: vec![LocationId::new("Z\u{fc}rich")?, LocationId::main()],
    };
    let mut place = Place::new(id)
        .with_customer(who)
        .with_policy(Policy::Backorder)
        .with_sourcing(sourcing)
        .prepaid(Duration::from_micros(3_600_000_001))
        .with_line(set.clone(), 3, euro(4_999))
        .with_line(cup.clone(), 5, euro(0));
    place.kits = vec![Kit { sku: set.clone(), components: vec![component(&cup, 4), component(&pot, 1)] }];
    place.limits = vec![PurchaseLimit { sku: cup.clone(), limit: Quantity::MAX }];
    let line = |sku: &crate::model::Sku, asked: u32, granted: u32, waiting: u32| ReservedLine {
        sku: sku.clone(),
        requested: asked.into(),
        granted: granted.into(),
        backordered: waiting.into(),
    };
    let answer = StockAnswer::Reserved {
        lines: vec![line(&set, 3, 2, 1), line(&cup, 5, 5, 0)],
        waiting: vec![SkuQuantity::new(pot.clone(), Quantity::ONE)],
    };
    let reservation = id.reservation(1);
    let record = |answer| OrderAction::RecordReservation { order: id, reservation, answer };
    let parts =
        |sku: &crate::model::Sku, units: u32| OrderParts::Lines(vec![SkuQuantity::new(sku.clone(), units.into())]);
    let trace = TraceContext { trace_id: [9; 16], span_id: [1; 8], flags: 255 };
    let commands = [
        desk.place(place).with_actor(Actor::Customer(who)).with_trace(Some(trace)),
        desk.command(record(answer)).with_cause(Cause::Event(EventId::new(fresh()))),
        desk.command(OrderAction::BeginPayment { order: id, window: Duration::from_secs(7_200) }),
        desk.command(OrderAction::RecordPayment { order: id, result: PaymentResult::Failed }),
        desk.paid(id).with_actor(Actor::Service("payments".into())),
        desk.command(record(StockAnswer::Allocated)),
        desk.command(OrderAction::Ship { order: id, parts: parts(&cup, 2) })
            .with_actor(Actor::Staff("Zo\u{eb}".into())),
        desk.command(record(StockAnswer::Filled(vec![SkuQuantity::new(pot, Quantity::ONE)]))),
        desk.command(OrderAction::Return { order: id, parts: parts(&cup, 1), location: LocationId::new("returns")? }),
        desk.cancel(id),
    ];
    for command in commands {
        let outcomes = reference.both(&*store, &[command]).await?;
        all_accepted(&outcomes)?;
        reference.agrees(&*store).await?;
    }
    let largest = Place::new(order()).with_line(cup, Quantity::MAX, euro(1_000)).prepaid(Duration::MAX);
    all_accepted(&reference.both(&*store, &[desk.place(largest)]).await?)?;
    reference.agrees(&*store).await?;
    holds(&*outbox, reference.events()).await
}

pub(super) async fn history_is_oldest_first(harness: &dyn Harness<OrderBackend>) -> Result<(), Violation> {
    let OrderBackend { store, .. } = harness.open().await?;
    let mut desk = Desk::new(harness);
    let (one, two) = (order(), order());
    all_accepted(&execute(&*store, [desk.place(mug(one)?), desk.place(mug(two)?)]).await?)?;
    // Twelve entries, so that an order by text would put the tenth before the second.
    for _ in 0..5 {
        all_accepted(&execute(&*store, [desk.paid(one), desk.paid(two), desk.paid(one)]).await?)?;
    }
    all_accepted(&execute(&*store, [desk.cancel(one)]).await?)?;
    let versions =
        |entries: Vec<crate::model::HistoryEntry>| entries.iter().map(|entry| entry.version).collect::<Vec<_>>();
    ensure_eq!(versions(store.history(one).await?), (1..=12).collect::<Vec<_>>(), "versions in a history");
    ensure_eq!(versions(store.history(two).await?), (1..=6).collect::<Vec<_>>(), "versions in another");
    ensure_eq!(store.history(order()).await?, Vec::new(), "the history of an unknown order");
    Ok(())
}

/// An order that has to be paid so many seconds after the desk's time.
fn prepaid(
    desk: &mut Desk,
    seconds: u64,
) -> Result<(OrderId, Timestamp, crate::engine::order::OrderCommand), Violation> {
    let id = order();
    let command = desk.place(mug(id)?.prepaid(Duration::from_secs(seconds)));
    let due = command.at.plus(Duration::from_secs(seconds));
    Ok((id, due, command))
}

pub(super) async fn overdue_orders_are_listed(harness: &dyn Harness<OrderBackend>) -> Result<(), Violation> {
    let OrderBackend { store, .. } = harness.open().await?;
    let mut desk = Desk::new(harness);
    let mut due = Vec::new();
    let mut batch = vec![desk.place(mug(order())?)];
    for seconds in [50, 10, 40, 20, 30] {
        let (id, end, command) = prepaid(&mut desk, seconds)?;
        due.push((end, id));
        batch.push(command);
    }
    all_accepted(&execute(&*store, batch).await?)?;
    due.sort_unstable();
    let (ends, ids): (Vec<_>, Vec<_>) = due.into_iter().unzip();
    let before_all = Timestamp::from_micros(ends[0].as_micros() - 1);
    ensure_eq!(store.overdue(before_all, limit(10)).await?, Vec::new(), "a microsecond before the first is due");
    ensure_eq!(store.overdue(ends[0], limit(10)).await?, ids[..1], "when the first is due");
    ensure_eq!(store.overdue(ends[3], limit(10)).await?, ids[..4], "when the fourth is due");
    ensure_eq!(store.overdue(ends[4], limit(2)).await?, ids[..2], "the first two of five");
    ensure_eq!(store.overdue(Timestamp::MAX, limit(10)).await?, ids, "all that have to be paid at all");
    Ok(())
}

pub(super) async fn only_unpaid_orders_are_overdue(harness: &dyn Harness<OrderBackend>) -> Result<(), Violation> {
    let OrderBackend { store, .. } = harness.open().await?;
    let mut desk = Desk::new(harness);
    let mug = sku("MUG")?;
    let mut batch = Vec::new();
    let mut ids = Vec::new();
    let mut last = Timestamp::default();
    for _ in 0..6 {
        let (id, end, command) = prepaid(&mut desk, 60)?;
        batch.push(command);
        batch.push(desk.reserved(id, &mug, 1));
        ids.push(id);
        last = end;
    }
    all_accepted(&execute(&*store, batch).await?)?;
    let mut expire = desk.command(OrderAction::Expire { order: ids[2] });
    expire.at = last;
    let answer = StockAnswer::Expired;
    let lost = OrderAction::RecordReservation { order: ids[3], reservation: ids[3].reservation(1), answer };
    let begin = OrderAction::BeginPayment { order: ids[4], window: Duration::from_secs(3_600) };
    let changes = [desk.paid(ids[0]), desk.cancel(ids[1]), expire, desk.command(lost), desk.command(begin)];
    all_accepted(&execute(&*store, changes).await?)?;
    ensure_eq!(store.overdue(last, limit(10)).await?, [ids[5]], "orders that are due at the time they all were");
    let later = last.plus(Duration::from_secs(3_600));
    ensure_eq!(store.overdue(later, limit(10)).await?, [ids[5], ids[4]], "and an hour later");
    Ok(())
}

/// The ids that a query answers, and where its next page begins.
async fn listed(
    store: &dyn OrderStore,
    query: &OrderQuery,
    most: usize,
) -> Result<(Vec<OrderId>, Option<OrderId>), Violation> {
    let page = store.list_orders(query, limit(most)).await?;
    Ok((page.items.iter().map(|order| order.id).collect(), page.next))
}

pub(super) async fn orders_are_paged(harness: &dyn Harness<OrderBackend>) -> Result<(), Violation> {
    let OrderBackend { store, .. } = harness.open().await?;
    let mut desk = Desk::new(harness);
    // High bytes too, which a signed comparison would put first.
    let ids = [0x01_u128, 0x02, 0x7f, 0x80, 0xff].map(|high| OrderId::from_u128((high << 120) | (7 << 76) | (2 << 62)));
    let batch = ids.iter().rev().map(|id| Ok(desk.place(mug(*id)?))).collect::<Result<Vec<_>, Violation>>()?;
    all_accepted(&execute(&*store, batch).await?)?;
    let id = |place: Option<usize>| place.and_then(|place| ids.get(place).copied());
    for (after, most, from, to, next) in PAGES {
        let query = OrderQuery { after: id(after), ..OrderQuery::default() };
        let (found, cursor) = listed(&*store, &query, most).await?;
        ensure_eq!(found, ids[from..to], "{most} orders after {:?}", id(after));
        ensure_eq!(cursor, id(next), "where the page after {most} orders after {:?} begins", id(after));
    }
    Ok(())
}

pub(super) async fn orders_are_listed_by_customer_and_status(
    harness: &dyn Harness<OrderBackend>,
) -> Result<(), Violation> {
    let OrderBackend { store, .. } = harness.open().await?;
    let mut desk = Desk::new(harness);
    let [ann, bob] = [customer(), customer()];
    let mut ids: Vec<OrderId> = (0..7).map(|_| order()).collect();
    ids.sort_unstable();
    let whose = [Some(ann), Some(bob), Some(ann), None, Some(ann), Some(bob), Some(ann)];
    let mut batch = Vec::new();
    for (id, whose) in ids.iter().zip(whose) {
        batch.push(desk.place(Place { customer: whose, ..mug(*id)? }));
    }
    let mug = sku("MUG")?;
    batch.extend([0, 1, 4].map(|place: usize| desk.reserved(ids[place], &mug, 1)));
    batch.push(desk.cancel(ids[4]));
    all_accepted(&execute(&*store, batch).await?)?;
    let pick = |places: &[usize]| places.iter().map(|place| ids[*place]).collect::<Vec<_>>();
    let query =
        |customer, status, after: Option<usize>| OrderQuery { customer, status, after: after.map(|place| ids[place]) };
    let cases = [
        (query(Some(ann), None, None), 10, pick(&[0, 2, 4, 6]), None),
        (query(Some(ann), None, None), 2, pick(&[0, 2]), Some(ids[2])),
        (query(Some(ann), None, Some(2)), 2, pick(&[4, 6]), None),
        (query(Some(ann), None, Some(3)), 1, pick(&[4]), Some(ids[4])),
        (query(Some(bob), None, None), 2, pick(&[1, 5]), None),
        (query(Some(customer()), None, None), 10, pick(&[]), None),
        (query(None, Some(OrderStatus::Placed), None), 10, pick(&[2, 3, 5, 6]), None),
        (query(None, Some(OrderStatus::Confirmed), None), 1, pick(&[0]), Some(ids[0])),
        (query(None, Some(OrderStatus::Confirmed), Some(0)), 1, pick(&[1]), None),
        (query(None, Some(OrderStatus::Cancelled), None), 10, pick(&[4]), None),
        (query(Some(ann), Some(OrderStatus::Placed), None), 1, pick(&[2]), Some(ids[2])),
        (query(Some(ann), Some(OrderStatus::Placed), Some(2)), 1, pick(&[6]), None),
        (query(Some(bob), Some(OrderStatus::Cancelled), None), 10, pick(&[]), None),
    ];
    for (query, most, expected, next) in cases {
        let (found, cursor) = listed(&*store, &query, most).await?;
        ensure_eq!(found, expected, "{most} orders of {query:?}");
        ensure_eq!(cursor, next, "where the page after {most} orders of {query:?} begins");
    }
    Ok(())
}
