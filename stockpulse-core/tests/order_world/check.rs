//! What holds of orders and stock together, whatever happened.

use std::collections::BTreeMap;

use stockpulse_core::model::{
    Counters, EventData, EventId, MovementKind, Order, OrderId, OrderStatus, PaymentStatus, Quantity, Reservation,
    ReservationState, Sku, StockEvent, StockKey,
};

use super::{World, cause};

type Units = BTreeMap<Sku, i64>;

/// What holds at any time.
pub(crate) fn always(world: &World) {
    ledger(world);
    histories(world);
    purchases(world);
    endings(world);
}

/// What holds when every event has been delivered: orders and stock agree.
pub(crate) fn at_rest(world: &World) {
    always(world);
    let came_back = came_back(world);
    for order in world.orders.orders() {
        agrees(world, order);
        let returned = came_back.get(&order.id).cloned().unwrap_or_default();
        assert_eq!(returned, stock_units(order, |line| line.returned), "{order:?}");
    }
    for reservation in world.stock.reservations().filter(|reservation| reservation.state.is_live()) {
        let order = reservation.order.and_then(|id| world.find(id)).unwrap();
        assert_eq!(order.reservation(), reservation.id, "a claim of an attempt that was given up");
    }
}

/// What holds when time has passed and nothing is left to happen of itself.
pub(crate) fn at_the_end(world: &World) {
    at_rest(world);
    for order in world.orders.orders().filter(|order| !order.status.is_terminal()) {
        assert!(order.payment.is_settled(), "unpaid, and not expired: {order:?}");
    }
}

/// The units of stock that an order's lines mean: of kits, their components.
fn stock_units(order: &Order, units: impl Fn(&stockpulse_core::model::OrderLine) -> Quantity) -> Units {
    let mut sums = Units::new();
    for line in &order.lines {
        let quantity = units(line).get();
        match order.kits.iter().find(|kit| kit.sku == line.sku) {
            None => *sums.entry(line.sku.clone()).or_default() += quantity,
            Some(kit) => kit.components.iter().for_each(|part| {
                *sums.entry(part.sku.clone()).or_default() += quantity * part.quantity.get();
            }),
        }
    }
    sums.retain(|_, units| *units != 0);
    sums
}

fn claimed(
    reservation: Option<&Reservation>,
    units: impl Fn(&stockpulse_core::model::ReservationLine) -> Quantity,
) -> Units {
    let mut sums = Units::new();
    for line in reservation.iter().flat_map(|reservation| &reservation.lines) {
        *sums.entry(line.key.sku.clone()).or_default() += units(line).get();
    }
    sums.retain(|_, units| *units != 0);
    sums
}

/// What an order says of itself is what its reservation says.
fn agrees(world: &World, order: &Order) {
    let claim = world.stock.view(order.reservation());
    let claim = claim.as_ref();
    let context = || format!("{order:#?}\n{claim:#?}");
    let shipped = stock_units(order, |line| line.shipped);
    assert_eq!(claimed(claim, |line| line.fulfilled), shipped, "shipped and fulfilled: {}", context());
    for attempt in 1..order.attempt {
        let earlier = world.stock.reservation(order.id.reservation(attempt));
        assert!(earlier.is_none_or(|earlier| !earlier.state.is_live()), "{}", context());
        assert!(claimed(earlier, |line| line.fulfilled).is_empty(), "{}", context());
    }
    let open = claimed(claim, |line| line.open());
    let refund_due = order.payment == PaymentStatus::RefundDue;
    match order.status {
        OrderStatus::Placed => panic!("every event was delivered, and it has no answer: {}", context()),
        OrderStatus::Rejected | OrderStatus::Cancelled | OrderStatus::Expired => {
            assert!(open.is_empty() && claim.is_none_or(|claim| !claim.state.is_live()), "{}", context());
            assert_ne!(order.payment, PaymentStatus::Paid, "{}", context());
            assert!(order.waiting.is_empty(), "{}", context());
        }
        OrderStatus::Confirmed | OrderStatus::PartlyShipped => {
            let claim = claim.unwrap_or_else(|| panic!("no claim: {}", context()));
            assert_eq!(claim.order, Some(order.id));
            assert_eq!(claimed(Some(claim), |line| line.quantity), stock_units(order, |line| line.granted));
            let to_ship = stock_units(order, |line| line.granted.saturating_sub(line.shipped));
            assert_eq!(open, to_ship, "{}", context());
            let waiting: Units = order.waiting.iter().map(|line| (line.sku.clone(), line.quantity.get())).collect();
            assert_eq!(claimed(Some(claim), |line| line.backordered), waiting, "{}", context());
            let state = if order.payment.is_settled() { ReservationState::Allocated } else { ReservationState::Held };
            assert_eq!(claim.state, state, "{}", context());
            // An extension that came too late was refused; such a hold only waits to be swept.
            let agreed = claim.expires_at == order.held_until || claim.is_overdue(world.now);
            assert!(agreed, "{}", context());
            assert!(!refund_due, "{}", context());
        }
        OrderStatus::Shipped | OrderStatus::Returned => {
            assert_eq!(claim.map(|claim| claim.state), Some(ReservationState::Fulfilled), "{}", context());
            assert!(open.is_empty() && order.payment.is_settled(), "{}", context());
            assert_eq!(shipped, stock_units(order, |line| line.granted), "{}", context());
        }
    }
}

/// What was put back, by order.
fn came_back(world: &World) -> BTreeMap<OrderId, Units> {
    let mut orders: BTreeMap<EventId, OrderId> = BTreeMap::new();
    for envelope in &world.order_events.log {
        if let EventData::Order(event) = envelope.open().unwrap() {
            orders.insert(envelope.id, event.order);
        }
    }
    let mut units: BTreeMap<OrderId, Units> = BTreeMap::new();
    for movement in world.ledger.iter().filter(|movement| movement.kind == MovementKind::Returned) {
        let order = cause(movement).and_then(|event| orders.get(&event)).unwrap();
        *units.entry(*order).or_default().entry(movement.key.sku.clone()).or_default() += movement.change.on_hand;
    }
    units
}

/// The sum of a level's movements is the level, claims are what is reserved, and nothing is oversold.
fn ledger(world: &World) {
    let mut sums: BTreeMap<&StockKey, (u64, Counters)> = BTreeMap::new();
    for movement in &world.ledger {
        let (version, sum) = sums.entry(&movement.key).or_default();
        *version += 1;
        assert_eq!(movement.version, *version, "{movement:?}");
        *sum = sum.plus(movement.change);
    }
    for level in world.stock.levels() {
        assert!(!level.is_oversold(), "{level:?}");
        assert_eq!(sums.get(&level.key), Some(&(level.version, level.counters())), "{level:?}");
        let live = world.stock.reservations().filter(|reservation| reservation.state.is_live());
        let lines = live.flat_map(|reservation| &reservation.lines).filter(|line| line.key == level.key);
        assert_eq!(lines.map(|line| line.open().get()).sum::<i64>(), level.reserved.get(), "{level:?}");
        let waiting: i64 = world.stock.backorders(&level.key).map(|entry| entry.quantity.get()).sum();
        assert_eq!(waiting, level.backordered.get(), "{level:?}");
    }
}

/// Versions are 1, 2, 3 …; an order ends once, and after that only what shipped may come back.
fn histories(world: &World) {
    for order in world.orders.orders() {
        let history = &world.history[&order.id];
        let mut ended: Option<OrderStatus> = None;
        for (index, entry) in history.iter().enumerate() {
            assert_eq!(entry.version, index as u64 + 1);
            match (ended, entry.status) {
                (None, _) | (Some(OrderStatus::Shipped), OrderStatus::Returned) => {}
                (Some(end), status) => assert_eq!(end, status, "it ended twice: {history:#?}"),
            }
            ended = Some(entry.status).filter(|status| status.is_terminal());
        }
        let last = history.last().map(|entry| (entry.version, entry.status));
        assert_eq!(last, Some((order.version, order.status)), "{order:?}");
        for line in &order.lines {
            assert!(line.granted <= line.quantity && line.shipped <= line.granted, "{order:?}");
            assert!(line.returned <= line.shipped, "{order:?}");
            let open = line.granted.saturating_sub(line.shipped);
            assert!(line.backordered <= open, "{order:?}");
        }
        let shipped = order.lines.iter().any(|line| !line.shipped.is_zero());
        assert!(!shipped || order.payment.is_settled() || order.status.is_dead(), "shipped unpaid: {order:?}");
        let refund = order.payment == PaymentStatus::RefundDue;
        assert!(!refund || order.status.is_dead(), "{order:?}");
    }
}

/// Customers are counted to have what their orders say.
fn purchases(world: &World) {
    for ((customer, sku), units) in world.orders.all_purchases() {
        let orders = world.orders.orders().filter(|order| order.customer == Some(*customer));
        let lines = orders.flat_map(|order| &order.lines).filter(|line| line.sku == *sku);
        assert_eq!(lines.map(|line| line.counted.get()).sum::<i64>(), units.get(), "{customer} {sku}");
    }
}

/// A reservation gives back at most once, and no more than it has.
fn endings(world: &World) {
    let mut ends: BTreeMap<_, usize> = BTreeMap::new();
    for envelope in &world.stock_events.log {
        if let EventData::Stock(StockEvent::Released(event) | StockEvent::Expired(event)) = envelope.open().unwrap() {
            *ends.entry(event.reservation).or_default() += 1;
        }
    }
    assert!(ends.values().all(|ends| *ends == 1), "{ends:?}");
    for reservation in world.stock.reservations() {
        for line in &reservation.lines {
            let gone = line.fulfilled.get() + line.released.get();
            assert!(gone <= line.quantity.get(), "{reservation:?}");
            assert!(reservation.state.is_live() || gone == line.quantity.get(), "{reservation:?}");
        }
    }
}
