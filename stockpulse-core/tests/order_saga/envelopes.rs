//! Every event survives its envelope, and the codec of the outbox: one sample at least of each type.

use std::collections::BTreeSet;

use stockpulse_core::codec;
use stockpulse_core::model::{
    Availability, CommandId, Currency, Customer, CustomerEvent, Envelope, Event, EventData, EventId, EventType, Money,
    MovementKind, Notification, NotificationEvent, NotificationKind, OrderChange, OrderDetail, OrderEvent, OrderLine,
    OrderStatus, PaymentStatus, PaymentTerms, Policy, Product, ProductEvent, Quantity, ReservationEvent, ReservedLine,
    Shortage, Sourcing, StockAdjusted, StockEvent, StockLevel, StockQuantity, StockRequest, Strategy, Timestamp,
    TraceContext,
};

use crate::world::{CUSTOMER, HALF_HOUR, ORDER, at, key, set, sku, units};

const AT: Timestamp = Timestamp::from_micros(1_291_192_000_123_456);

fn about<L>(line: L) -> ReservationEvent<L> {
    ReservationEvent {
        reservation: ORDER.reservation(2),
        order: Some(ORDER),
        lines: [line].into(),
        waiting: units(&[("CUP", 1)]),
        expires_at: Some(Timestamp::MAX),
    }
}

fn of_stock(event: StockEvent) -> EventData {
    EventData::Stock(event)
}

fn stock_samples() -> Vec<EventData> {
    let moved = || about(StockQuantity::new(at("größe/ß \"1\"", "east"), Quantity::MAX));
    let quantity = Quantity::from(3);
    let reserved = ReservedLine { sku: sku("CUP"), requested: 5.into(), granted: quantity, backordered: 1.into() };
    let short = Shortage { sku: sku("CUP"), requested: 5.into(), sellable: quantity };
    let available = || Availability { key: key("CUP"), available: -3, version: u64::MAX };
    let adjusted =
        StockAdjusted { key: key("CUP"), kind: MovementKind::Counted, change: -7, on_hand: quantity, version: 9 };
    let level = StockLevel { on_hand: quantity, low_stock_at: Some(2.into()), ..StockLevel::new(key("CUP")) };
    let unbounded = ReservationEvent { order: None, expires_at: None, ..about(reserved.clone()) };
    vec![
        of_stock(StockEvent::Reserved(about(reserved))),
        of_stock(StockEvent::Reserved(unbounded)),
        of_stock(StockEvent::Rejected(about(short))),
        of_stock(StockEvent::Allocated(moved())),
        of_stock(StockEvent::Released(moved())),
        of_stock(StockEvent::Expired(moved())),
        of_stock(StockEvent::Fulfilled(moved())),
        of_stock(StockEvent::Filled(moved())),
        of_stock(StockEvent::Adjusted(adjusted)),
        of_stock(StockEvent::Updated(level)),
        of_stock(StockEvent::Low(available())),
        of_stock(StockEvent::Out(available())),
        of_stock(StockEvent::Back(available())),
    ]
}

fn of_order(change: OrderChange, detail: OrderDetail) -> EventData {
    EventData::Order(Box::new(OrderEvent {
        order: ORDER,
        customer: Some(CUSTOMER),
        change,
        status: OrderStatus::PartlyShipped,
        payment: PaymentStatus::RefundDue,
        reservation: ORDER.reservation(2),
        detail,
    }))
}

fn order_samples() -> Vec<EventData> {
    use OrderChange::{
        Adjusted, Allocated, Cancelled, Confirmed, Expired, Filled, HoldLost, Paid, PaidAgain, PaidLate, PaymentFailed,
        PaymentStarted, Placed, Rejected, Returned, Shipped, ShippedPartly,
    };
    let line = OrderLine {
        sku: sku("SET"),
        unit_price: Money::new(i64::MAX, Currency::new("JPY").unwrap()),
        quantity: 5.into(),
        granted: 4.into(),
        backordered: 3.into(),
        shipped: 2.into(),
        returned: 1.into(),
        counted: 4.into(),
    };
    let lines = || vec![line.clone()];
    let wanted = |strategy, terms| {
        let request = StockRequest {
            reservation: ORDER.reservation(2),
            lines: units(&[("SET", 5)]),
            kits: vec![set()],
            policy: Policy::Backorder,
            sourcing: Sourcing { strategy, locations: vec![at("CUP", "east").location] },
            hold_until: Some(AT),
        };
        OrderDetail::Wanted { request, lines: lines(), terms }
    };
    let prepaid = PaymentTerms::Prepaid { pay_within: HALF_HOUR };
    let stock = vec![StockQuantity::new(key("CUP"), 1.into())];
    let mut samples = vec![
        of_order(Placed, wanted(Strategy::FewestSplits, prepaid)),
        of_order(HoldLost, wanted(Strategy::Custom("near".to_owned()), PaymentTerms::OnDelivery)),
        of_order(PaymentStarted, OrderDetail::HoldUntil(AT)),
        of_order(ShippedPartly, OrderDetail::Shipped(units(&[("SET", 2)]))),
        of_order(Shipped, OrderDetail::Shipped(units(&[("SET", 2)]))),
        of_order(Returned, OrderDetail::Returned { lines: units(&[("SET", 1)]), stock }),
    ];
    samples.extend([Confirmed, Adjusted, Filled].map(|change| of_order(change, OrderDetail::Lines(lines()))));
    let plain = [Rejected, Cancelled, Expired, Paid, PaymentFailed, PaidLate, PaidAgain, Allocated];
    samples.extend(plain.map(|change| of_order(change, OrderDetail::None)));
    samples
}

fn other_samples() -> Vec<EventData> {
    let product = Product::new(sku("SET"), "Set \u{1f375}", Money::new(999, Currency::GBP))
        .with_components(set().components)
        .with_purchase_limit(5.into());
    let plain = Product::new(sku("CUP"), "Cup", Money::new(1, Currency::GBP));
    let customer = Customer::new(CUSTOMER, "Zoë \"Z\"").with_email("zoe@example.org");
    let event = EventId::from_u128(5);
    let notification = Notification::new(event, NotificationKind::OrderAdjusted, ORDER, CUSTOMER, AT);
    vec![
        EventData::Product(ProductEvent::Created(Box::new(product))),
        EventData::Product(ProductEvent::Updated(Box::new(plain))),
        EventData::Customer(CustomerEvent::Created(customer)),
        EventData::Customer(CustomerEvent::Updated(Customer::new(CUSTOMER, "Zoë"))),
        EventData::Notification(NotificationEvent::Sent(notification.clone())),
        EventData::Notification(NotificationEvent::Failed(notification, "no such address".to_owned())),
    ]
}

fn samples() -> Vec<Event> {
    let data = stock_samples().into_iter().chain(order_samples()).chain(other_samples());
    let trace = TraceContext::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    let event = |(index, data): (usize, EventData)| Event {
        command: CommandId::from_u128(1),
        index: u32::try_from(index).unwrap(),
        sequence: u64::MAX - index as u64,
        at: AT,
        trace: trace.filter(|_| index % 2 == 0),
        data,
    };
    data.enumerate().map(event).collect()
}

#[test]
fn every_type_of_event_has_a_sample() {
    let sampled: BTreeSet<EventType> = samples().iter().map(|event| event.data.event_type()).collect();
    let missing: Vec<_> = EventType::ALL.iter().filter(|known| !sampled.contains(known)).collect();
    assert_eq!(missing, [] as [&EventType; 0], "add a sample of it to this file");
}

#[test]
fn every_event_survives_its_envelope() {
    for event in samples() {
        let sealed = Envelope::seal(&event, "/stockpulse/test").unwrap();
        sealed.validate(1 << 20).unwrap();
        assert_eq!(sealed.event_type().unwrap(), event.data.event_type());
        assert_eq!(sealed.open().unwrap(), event.data);
        assert_eq!((sealed.id, sealed.time, sealed.trace), (event.id(), event.at, event.trace));
        assert_eq!(
            (sealed.sequence, sealed.partition_key.as_str()),
            (event.sequence, event.key().to_string().as_str())
        );
        assert_eq!(codec::decode::<Envelope>(&codec::encode(&sealed).unwrap()).unwrap(), sealed);
    }
}

#[test]
fn every_event_survives_the_outbox() {
    for event in samples() {
        assert_eq!(codec::decode::<Event>(&codec::encode(&event).unwrap()).unwrap(), event);
    }
}

#[test]
fn an_envelope_is_not_opened_as_another_type() {
    let types = EventType::ALL;
    for event in samples().iter().filter(|event| matches!(event.data, EventData::Order(_))) {
        let mut sealed = Envelope::seal(event, "/stockpulse/test").unwrap();
        for other in types.iter().filter(|other| **other != event.data.event_type()) {
            sealed.type_name = other.cloud_event_type().into();
            assert!(sealed.open().is_err(), "{:?} opened as {other}", event.data);
        }
    }
}
