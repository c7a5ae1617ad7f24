//! What the rules of the ports do not ask for: the outboxes of all contexts, and what only a person asks of a bus.

use std::num::NonZeroUsize;
use std::time::Duration;

use stockpulse_core::engine::Engine;
use stockpulse_core::engine::order::{OrderAction, Place};
use stockpulse_core::engine::record::{Expected, Put};
use stockpulse_core::engine::stock::StockAction;
use stockpulse_core::memory::ManualClock;
use stockpulse_core::model::{
    Command, CommandId, Currency, Customer, CustomerId, Envelope, EventId, EventType, Money, Notification,
    NotificationKind, NotificationStatus, OrderId, Product, Quantity, Sku, StockKey, StockQuantity, Timestamp,
};
use stockpulse_core::port::{Failed, Nack, Outbox, Publisher, Quarantined, SubscribeOptions, Subscriber};
use stockpulse_sql::{BusOptions, Context, Retention};

use crate::support::{Ports, Store};

pub(crate) async fn beyond_the_rules(ports: &Ports) {
    everything_happens(ports).await;
    for context in Context::ALL.iter().filter(|context| **context != Context::Bus) {
        one_is_set_aside(ports.outbox(*context).as_ref()).await;
    }
    administer(ports).await;
    let far_off = ManualClock::new(Timestamp::from_secs(100 * 365 * 86_400));
    ports.prune(&Retention::default(), &far_off).await.unwrap();
}

/// An event in every context.
async fn everything_happens(ports: &Ports) {
    let (engine, at) = (Engine::new(), Timestamp::from_secs(1));
    let (id, sku, order) = (CommandId::from_u128(1), Sku::new("MUG").unwrap(), OrderId::from_u128(1));
    let lines = [StockQuantity::new(StockKey::main(sku.clone()), Quantity::from(1_u32))].into();
    ports.inventory.execute(&engine, vec![Command::new(id, at, StockAction::Receive { lines })]).await.unwrap();
    let price = Money::new(100, Currency::EUR);
    let place = OrderAction::Place(Place::new(order).with_line(sku.clone(), 1, price));
    ports.orders.execute(&engine, vec![Command::new(id, at, place)]).await.unwrap();
    let put = Put { record: Product::new(sku, "mug", price), expected: Expected::New };
    ports.catalog.execute(&engine, vec![Command::new(id, at, put)]).await.unwrap();
    let customer = CustomerId::from_u128(1);
    let put = Put { record: Customer::new(customer, "Ann"), expected: Expected::New };
    ports.customers.execute(&engine, vec![Command::new(id, at, put)]).await.unwrap();
    let told = Notification::new(EventId::from_u128(1), NotificationKind::OrderConfirmed, order, customer, at);
    let end = (told.id, NotificationStatus::Sent);
    ports.notifications.begin(&[told], at).await.unwrap();
    ports.notifications.finish(&[end], at).await.unwrap();
}

/// The first event fails, is set aside, tried again, and published.
async fn one_is_set_aside(outbox: &dyn Outbox) {
    let (lease, limit) = (Duration::from_secs(60), NonZeroUsize::MIN);
    let claim = async || outbox.claim("tour", lease, limit).await.unwrap();
    let claimed = claim().await;
    let id = claimed.rows[0].id;
    let failed = Failed { id, retry_at: Timestamp::default(), reason: "busy".to_owned() };
    outbox.release(&claimed.lease, &[failed]).await.unwrap();
    let claimed = claim().await;
    let hopeless = Quarantined { id, reason: "no".to_owned() };
    outbox.quarantine(&claimed.lease, &[hopeless]).await.unwrap();
    assert_eq!(outbox.quarantined(limit).await.unwrap()[0].0.id, id);
    assert_eq!(outbox.requeue(&[id]).await.unwrap(), 1);
    let claimed = claim().await;
    outbox.settle(&claimed.lease, &[claimed.rows[0].id]).await.unwrap();
    outbox.surrender(&claimed.lease).await.unwrap();
    assert_eq!((outbox.discard(&[id]).await.unwrap(), outbox.stats().await.unwrap().quarantined), (0, 0));
}

/// What the rules of the ports do not ask of a bus.
async fn administer(ports: &Ports) {
    let limit = NonZeroUsize::MIN;
    let event = Envelope {
        id: EventId::from_u128(1),
        source: "/tests".into(),
        type_name: EventType::OrderPlaced.cloud_event_type().into(),
        subject: "order".into(),
        time: Timestamp::from_secs(1),
        partition_key: "order".into(),
        sequence: 1,
        trace: None,
        data: "{}".into(),
    };
    macro_rules! administer {
        ($store:expr) => {{
            let bus = $store.bus(BusOptions::default());
            bus.publish(&[event]).await.unwrap();
            let mut member = bus.subscribe(SubscribeOptions::new("group", [EventType::OrderPlaced])).await.unwrap();
            for again in [true, false] {
                let tag = member.receive(1).await.unwrap()[0].tag;
                member.nack(&[(tag, Nack::DeadLetter("no".to_owned()))]).await.unwrap();
                let letter = bus.dead_letters(limit).await.unwrap().remove(0).id;
                let count = if again { bus.replay(&[letter]).await } else { bus.discard(&[letter]).await };
                assert_eq!(count.unwrap(), 1);
            }
            member.close().await.unwrap();
            assert_eq!(bus.prune(Timestamp::MAX).await.unwrap(), 2);
            assert!(bus.forget("group").await.unwrap());
        }};
    }
    match ports.store() {
        Store::Postgres(store) => administer!(store),
        Store::MySql(store) => administer!(store),
        Store::Sqlite(store) => administer!(store),
    }
}
