//! The handlers: what comes twice, late or out of order changes nothing.

use std::sync::Arc;
use std::time::Duration;

use stockpulse_core::engine::order::{OrderAction, OrderParts, OrderRefusal, PaymentResult};
use stockpulse_core::engine::stock::StockAction;
use stockpulse_core::memory::MemoryBus;
use stockpulse_core::model::{
    Actor, Cause, Envelope, Event, EventData, OrderId, OrderStatus, PaymentStatus, ReservationState, StockEvent,
    StockLevel,
};
use stockpulse_core::port::{Cache, CacheKey};
use stockpulse_core::service::{Inventory, Orders};
use stockpulse_core::worker::{Handled, Handler, Incoming};

use crate::support::shop::{ANN, Stores, place, types};
use crate::support::{key, sku, some, stock};

const ORDER: OrderId = OrderId::from_u128(7);

/// Services and handlers without a bus: events are carried by hand.
struct Hand {
    stores: Stores,
    inventory: Inventory,
    orders: Orders,
    handlers: [Arc<dyn Handler>; 4],
}

fn incoming(events: &[Event]) -> Vec<Incoming> {
    let one = |event: &Event| {
        let envelope = Envelope::seal(event, "/test").unwrap();
        Incoming { data: envelope.open().unwrap(), envelope }
    };
    events.iter().map(one).collect()
}

impl Hand {
    async fn with_cups(units: u32) -> Self {
        let stores = Stores::new(MemoryBus::new());
        stores.add_customers(1..=1).await;
        let (inventory, orders) = stores.services();
        inventory.receive(sku("CUP"), units).await.unwrap();
        let handlers = stores.handlers(&inventory, &orders);
        Self { stores, inventory, orders, handlers }
    }

    /// Gives a handler (0: inventory, 1: orders, 2: notifications, 3: cache) those events that it wants.
    async fn carry(&self, handler: usize, events: &[Event]) {
        let handler = &self.handlers[handler];
        let wanted: Vec<Event> =
            events.iter().filter(|event| handler.event_types().contains(&event.data.event_type())).cloned().collect();
        let handled = handler.handle(&incoming(&wanted)).await.unwrap();
        assert_eq!(handled, vec![Handled::Done; wanted.len()]);
    }

    fn of_orders(&self) -> Vec<Event> {
        self.stores.orders.outbox().pending()
    }

    fn of_stock(&self) -> Vec<Event> {
        self.stores.inventory.outbox().pending()
    }

    /// Carries everything everywhere, until nothing is new.
    async fn carry_all(&self) {
        loop {
            let before = (self.of_orders().len(), self.of_stock().len());
            self.carry(0, &self.of_orders()).await;
            self.carry(1, &self.of_stock()).await;
            if (self.of_orders().len(), self.of_stock().len()) == before {
                return;
            }
        }
    }

    async fn status(&self) -> OrderStatus {
        self.orders.order(ORDER).await.unwrap().unwrap().status
    }
}

#[tokio::test]
async fn everything_twice_and_late_changes_nothing() {
    let hand = Hand::with_cups(10).await;
    hand.orders.place(place(7, &[("CUP", 4)]).prepaid(Duration::from_secs(600))).await.unwrap();
    hand.carry_all().await;
    hand.orders.begin_payment(ORDER, Duration::from_secs(900)).await.unwrap();
    hand.orders.record_payment(ORDER, PaymentResult::Paid).await.unwrap();
    hand.carry_all().await;
    let parts = OrderParts::Lines(vec![stockpulse_core::model::SkuQuantity::new(sku("CUP"), 3.into())]);
    assert!(hand.orders.ship(ORDER, parts).await.unwrap().is_accepted());
    hand.orders.cancel(ORDER, None).await.unwrap();
    hand.orders.take_back(ORDER, OrderParts::All, stockpulse_core::model::LocationId::main()).await.unwrap();
    hand.carry_all().await;
    assert_eq!(stock(&hand.inventory, "CUP").await, (10, 0));
    for handler in 0..4 {
        hand.carry(handler, &[hand.of_orders(), hand.of_stock()].concat()).await;
    }

    let snapshot = hand.stores.inventory.snapshot().unwrap();
    let (order, events, told) =
        (hand.orders.order(ORDER).await.unwrap(), hand.of_orders(), hand.stores.notifier.sent());
    assert_eq!(told.len(), 4, "confirmed, shipped, cancelled, returned: {told:?}");
    let mut backwards = [hand.of_orders(), hand.of_stock()].concat();
    backwards.reverse();
    for events in [[hand.of_orders(), hand.of_stock()].concat(), backwards] {
        for handler in 0..4 {
            hand.carry(handler, &events).await;
        }
    }
    assert_eq!(hand.stores.inventory.snapshot().unwrap(), snapshot);
    assert_eq!((hand.orders.order(ORDER).await.unwrap(), hand.of_orders()), (order, events));
    assert_eq!(hand.stores.notifier.sent(), told);
}

#[tokio::test]
async fn a_command_says_which_event_it_follows_from() {
    let hand = Hand::with_cups(10).await;
    hand.orders.place(place(7, &[("CUP", 4)])).await.unwrap();
    hand.carry_all().await;
    let movements = hand.inventory.movements(&key("CUP"), 1, some(10)).await.unwrap().items;
    assert_eq!(movements[0].cause, Cause::Event(hand.of_orders()[0].id()));
    assert_eq!(movements[0].actor, Actor::Service("/test".into()));
    let history = hand.orders.history(ORDER).await.unwrap();
    let answer = hand.of_stock().into_iter().find(|event| event.data.event_type().name() == "stock.reserved").unwrap();
    assert_eq!(history[1].cause, Cause::Event(answer.id()));
}

#[tokio::test]
async fn an_order_cancelled_before_it_is_placed_never_comes_to_be() {
    let hand = Hand::with_cups(10).await;
    hand.orders.cancel(ORDER, Some("never mind".to_owned())).await.unwrap();
    let refused = hand.orders.place(place(7, &[("CUP", 4)])).await.unwrap().refused();
    assert_eq!(refused, Some(OrderRefusal::OrderExists(OrderStatus::Cancelled)));
    hand.carry_all().await;
    hand.carry(2, &hand.of_orders()).await;
    assert_eq!((hand.status().await, hand.stores.notifier.sent().len()), (OrderStatus::Cancelled, 0));
    let tombstone = hand.inventory.reservation(ORDER.reservation(1)).await.unwrap().unwrap();
    assert_eq!((tombstone.state, tombstone.lines.len()), (ReservationState::Released, 0));
    // Money for it is to be paid back, and told to nobody but the books.
    let late = hand.orders.record_payment(ORDER, PaymentResult::Paid).await.unwrap().accepted().unwrap();
    assert_eq!((late.status, late.payment), (OrderStatus::Cancelled, PaymentStatus::RefundDue));
    hand.carry_all().await;
    assert_eq!(stock(&hand.inventory, "CUP").await, (10, 0));
}

#[tokio::test]
async fn a_cancellation_that_overtakes_the_order_leaves_nothing_claimed() {
    let hand = Hand::with_cups(10).await;
    hand.orders.place(place(7, &[("CUP", 4)])).await.unwrap();
    hand.orders.cancel(ORDER, None).await.unwrap();
    let [placed, cancelled] = hand.of_orders().try_into().unwrap();
    let before = hand.of_stock().len();
    hand.carry(0, std::slice::from_ref(&cancelled)).await;
    hand.carry(0, std::slice::from_ref(&placed)).await;
    hand.carry(0, &[placed, cancelled]).await;
    assert_eq!(hand.of_stock().len(), before, "{:?}", types(&hand.of_stock()));
    assert_eq!((stock(&hand.inventory, "CUP").await, hand.status().await), ((10, 0), OrderStatus::Cancelled));
}

#[tokio::test]
async fn an_answer_to_an_order_cancelled_meanwhile_gives_the_stock_back() {
    let hand = Hand::with_cups(10).await;
    hand.orders.place(place(7, &[("CUP", 4)])).await.unwrap();
    hand.carry(0, &hand.of_orders()).await;
    assert_eq!(stock(&hand.inventory, "CUP").await, (10, 4));
    hand.orders.cancel(ORDER, None).await.unwrap();
    hand.carry(1, &hand.of_stock()).await;
    assert_eq!(hand.status().await, OrderStatus::Cancelled, "the answer comes too late");
    hand.carry_all().await;
    assert_eq!(stock(&hand.inventory, "CUP").await, (10, 0));
    let released = types(&hand.of_stock()).iter().filter(|name| **name == "stock.released").count();
    assert_eq!(released, 1);
}

#[tokio::test]
async fn a_hold_that_ends_unpaid_ends_the_order_and_one_lost_while_paying_is_asked_for_again() {
    for pays in [false, true] {
        let hand = Hand::with_cups(10).await;
        hand.orders.place(place(7, &[("CUP", 4)]).prepaid(Duration::from_secs(60))).await.unwrap();
        hand.carry_all().await;
        if pays {
            // Inventory does not hear of it in time.
            hand.orders.begin_payment(ORDER, Duration::from_secs(600)).await.unwrap();
        }
        hand.stores.time.advance(Duration::from_secs(60));
        assert!(hand.inventory.expire(ORDER.reservation(1)).await.unwrap().is_accepted());
        hand.carry_all().await;
        let order = hand.orders.order(ORDER).await.unwrap().unwrap();
        let claimed = stock(&hand.inventory, "CUP").await.1;
        match pays {
            false => assert_eq!((order.status, order.attempt, claimed), (OrderStatus::Expired, 1, 0)),
            true => assert_eq!((order.status, order.attempt, claimed), (OrderStatus::Confirmed, 2, 4)),
        }
        if pays {
            hand.orders.record_payment(ORDER, PaymentResult::Paid).await.unwrap();
            hand.carry_all().await;
            assert!(hand.orders.ship(ORDER, OrderParts::All).await.unwrap().is_accepted());
            hand.carry_all().await;
            assert_eq!(stock(&hand.inventory, "CUP").await, (6, 0));
        }
    }
}

#[tokio::test]
async fn events_about_nothing_it_knows_disturb_nobody() {
    let hand = Hand::with_cups(10).await;
    let request = stockpulse_core::engine::stock::Reserve::new(hand.inventory.new_reservation_id())
        .with_order(OrderId::from_u128(99))
        .with_line(sku("CUP"), 1);
    hand.inventory.reserve(request).await.unwrap();
    let command = hand.orders.command(OrderAction::Expire { order: OrderId::from_u128(98) });
    assert!(hand.orders.execute(command).await.unwrap().refused().is_some());
    hand.carry(1, &hand.of_stock()).await;
    for handler in &hand.handlers {
        assert!(handler.handle(&[]).await.unwrap().is_empty());
        let strange = incoming(&hand.stores.customers.outbox().pending());
        assert_eq!(handler.handle(&strange).await.unwrap(), [Handled::Done]);
    }
}

fn updated(events: &[Event]) -> Vec<(StockLevel, Event)> {
    let level = |event: &Event| match &event.data {
        EventData::Stock(StockEvent::Updated(level)) => Some((level.clone(), event.clone())),
        _ => None,
    };
    events.iter().filter_map(level).collect()
}

#[tokio::test]
async fn cache_and_gate_follow_and_never_go_back() {
    let hand = Hand::with_cups(10).await;
    hand.inventory.adjust(sku("CUP"), -4, "broken").await.unwrap();
    let events: Vec<Event> = updated(&hand.of_stock()).into_iter().map(|(_, event)| event).collect();
    assert_eq!(events.len(), 2);
    let cached = async || {
        let name = CacheKey::new("stock", "CUP\u{1f}main");
        hand.stores.cache.get(&[name]).await.unwrap().remove(0).map(|cached| cached.version)
    };
    hand.carry(3, &events[1..]).await;
    assert_eq!((cached().await, hand.stores.gate.free(&key("CUP"))), (Some(2), Some(6)));
    hand.carry(3, &events[..1]).await;
    hand.carry(3, &events).await;
    assert_eq!((cached().await, hand.stores.gate.free(&key("CUP"))), (Some(2), Some(6)), "older news are ignored");
    assert_eq!(hand.inventory.sellable(sku("CUP")).await.unwrap(), 6.into());

    hand.inventory.execute(hand.inventory.command(StockAction::Retire { sku: sku("CUP") })).await.unwrap();
    hand.carry(3, &hand.of_stock()).await;
    assert_eq!(hand.stores.gate.free(&key("CUP")), Some(0), "what is retired is not let through");
    assert_eq!(hand.inventory.sellable(sku("CUP")).await.unwrap(), 0.into());
}

#[tokio::test]
async fn an_order_without_a_customer_tells_nobody() {
    let hand = Hand::with_cups(10).await;
    let mut anonymous = place(7, &[("CUP", 1)]);
    anonymous.customer = None;
    hand.orders.place(anonymous).await.unwrap();
    hand.orders.place(place(8, &[("CUP", 100)])).await.unwrap();
    hand.carry_all().await;
    hand.carry(2, &hand.of_orders()).await;
    let sent = hand.stores.notifier.sent();
    assert_eq!(sent.iter().map(|sent| (sent.customer, sent.order)).collect::<Vec<_>>(), [(ANN, OrderId::from_u128(8))]);
}
