//! Orders, with and without a catalog.

use std::sync::Arc;
use std::time::Duration;

use stockpulse_core::ErrorKind;
use stockpulse_core::engine::order::{OrderAction, OrderParts, OrderRefusal, PaymentResult, Place};
use stockpulse_core::engine::record::Expected;
use stockpulse_core::engine::stock::Decision;
use stockpulse_core::memory::{MemoryCatalogStore, MemoryOrderStore};
use stockpulse_core::model::{
    Actor, Component, CustomerId, Event, EventData, LocationId, OrderChange, OrderDetail, OrderId, OrderStatus, Product,
};
use stockpulse_core::port::OrderQuery;
use stockpulse_core::service::{Catalog, Orders};

use crate::support::{euro, kind, sku, some};

const ANN: CustomerId = CustomerId::from_u128(1);

struct Shop {
    store: MemoryOrderStore,
    orders: Orders,
    catalog: Catalog,
}

async fn start() -> Shop {
    let catalog = Catalog::new(Arc::new(MemoryCatalogStore::default()));
    let part = |name, quantity: u32| Component { sku: sku(name), quantity: quantity.into() };
    let products = [
        Product::new(sku("CUP"), "Cup", euro(300)),
        Product::new(sku("RARE"), "Rare", euro(900)).with_purchase_limit(2.into()),
        Product::new(sku("SET"), "Set", euro(900)).with_components(vec![part("CUP", 2), part("POT", 1)]),
        Product { active: false, ..Product::new(sku("OLD"), "Old", euro(1)) },
    ];
    for product in products {
        catalog.put(product, Expected::New).await.unwrap();
    }
    let store = MemoryOrderStore::default();
    let orders = Orders::builder(Arc::new(store.clone())).with_catalog(catalog.clone()).start();
    Shop { store, orders, catalog }
}

impl Shop {
    fn place(&self, lines: &[(&str, u32)]) -> Place {
        let place = Place::new(self.orders.new_order_id()).with_customer(ANN);
        lines.iter().fold(place, |place, (name, units)| place.with_line(sku(name), *units, euro(100)))
    }

    fn events(&self) -> Vec<Event> {
        self.store.outbox().pending()
    }
}

#[tokio::test]
async fn what_is_unknown_or_no_longer_sold_is_refused_before_anything_is_done() {
    let shop = start().await;
    for name in ["NOWHERE", "OLD", "POT"] {
        let error = shop.orders.place(shop.place(&[("CUP", 1), (name, 1)])).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        assert!(error.to_string().contains(name), "{error}");
    }
    let good = shop.orders.command(OrderAction::Place(shop.place(&[("CUP", 1)])));
    let bad = shop.orders.command(OrderAction::Place(shop.place(&[("OLD", 1)])));
    assert_eq!(kind(shop.orders.execute_all(vec![good, bad]).await), Some(ErrorKind::InvalidInput));
    assert!(shop.events().is_empty());
}

#[tokio::test]
async fn an_order_that_was_taken_is_answered_again_when_its_product_is_gone() {
    let shop = start().await;
    let command = shop.orders.command(OrderAction::Place(shop.place(&[("CUP", 1)])));
    let first = shop.orders.execute(command.clone()).await.unwrap();
    assert!(first.is_accepted());
    let gone = Product { active: false, ..Product::new(sku("CUP"), "Cup", euro(300)) };
    shop.catalog.put(gone, Expected::Any).await.unwrap();
    assert_eq!(shop.orders.execute(command).await.unwrap(), first);
    assert_eq!(kind(shop.orders.place(shop.place(&[("CUP", 1)])).await), Some(ErrorKind::InvalidInput));
}

#[tokio::test]
async fn kits_are_taken_down_as_the_catalog_has_them() {
    let shop = start().await;
    shop.orders.place(shop.place(&[("SET", 1), ("CUP", 1), ("SET", 2)])).await.unwrap();
    let EventData::Order(placed) = &shop.events()[0].data else { panic!("no order event") };
    let OrderDetail::Wanted { request, .. } = &placed.detail else { panic!("{placed:?}") };
    assert_eq!((request.kits.len(), request.kits[0].components.len()), (1, 2));
    assert_eq!(request.lines.len(), 2);
    // A kit that the caller brings along is the one that counts.
    let mut own = shop.place(&[("SET", 1)]);
    let components = vec![Component { sku: sku("CUP"), quantity: 5.into() }];
    own.kits.push(stockpulse_core::model::Kit { sku: sku("SET"), components: components.clone() });
    let id = own.order;
    shop.orders.place(own).await.unwrap();
    let kits = shop.orders.order(id).await.unwrap().unwrap().kits;
    assert_eq!((kits.len(), &kits[0].components), (1, &components));
}

#[tokio::test]
async fn a_purchase_limit_counts_over_orders_and_is_given_back_with_them() {
    let shop = start().await;
    let first = shop.place(&[("RARE", 2)]);
    let id = first.order;
    assert!(shop.orders.place(first).await.unwrap().is_accepted());
    let refused = shop.orders.place(shop.place(&[("RARE", 1)])).await.unwrap().refused();
    assert_eq!(refused, Some(OrderRefusal::PurchaseLimit { sku: sku("RARE"), limit: 2.into(), ordered: 2.into() }));
    let mut other = shop.place(&[("RARE", 1)]);
    other.customer = Some(CustomerId::from_u128(2));
    assert!(shop.orders.place(other).await.unwrap().is_accepted());
    shop.orders.cancel(id, None).await.unwrap();
    assert!(shop.orders.place(shop.place(&[("RARE", 1)])).await.unwrap().is_accepted());
}

#[tokio::test]
async fn a_batch_is_decided_in_its_order() {
    let shop = start().await;
    let place = shop.place(&[("CUP", 1)]);
    let id = place.order;
    let actions = [
        OrderAction::Cancel { order: id, reason: Some("first".to_owned()) },
        OrderAction::Place(place.clone()),
        OrderAction::Place(Place { order: OrderId::from_u128(5), ..place }),
        OrderAction::Ship { order: OrderId::from_u128(5), parts: OrderParts::All },
    ];
    let batch = actions.map(|action| shop.orders.command(action));
    let decisions = shop.orders.execute_all(batch.to_vec()).await.unwrap();
    assert!(matches!(&decisions[0], Decision::Accepted(state) if state.status == OrderStatus::Cancelled));
    assert_eq!(decisions[1].clone().refused(), Some(OrderRefusal::OrderExists(OrderStatus::Cancelled)));
    assert!(matches!(&decisions[2], Decision::Accepted(state) if state.status == OrderStatus::Placed));
    assert_eq!(decisions[3].clone().refused(), Some(OrderRefusal::WrongState(OrderStatus::Placed)));
    assert_eq!(shop.orders.execute_all(batch.to_vec()).await.unwrap(), decisions, "and the same again");
    assert!(shop.orders.execute_all(Vec::new()).await.unwrap().is_empty());
}

#[tokio::test]
async fn each_call_does_what_it_says() {
    let orders = Orders::builder(Arc::new(MemoryOrderStore::default())).start();
    let clerk = orders.as_actor(Actor::Staff("Ada".into()));
    let place = |id| Place::new(id).with_customer(ANN).with_line(sku("ANYTHING"), 1, euro(100));
    let prepaid = orders.new_order_id();
    assert!(orders.place(place(prepaid).prepaid(Duration::from_secs(60))).await.unwrap().is_accepted());
    let window = Duration::from_secs(60);
    let refused = orders.begin_payment(prepaid, window).await.unwrap().refused();
    assert_eq!(refused, Some(OrderRefusal::WrongState(OrderStatus::Placed)));
    let paid = orders.record_payment(prepaid, PaymentResult::Paid).await.unwrap().accepted().unwrap();
    assert_eq!(paid.payment, stockpulse_core::model::PaymentStatus::Paid);
    assert!(orders.ship(prepaid, OrderParts::All).await.unwrap().refused().is_some());
    let back = orders.take_back(prepaid, OrderParts::All, LocationId::main()).await.unwrap();
    assert!(!back.accepted().unwrap().changed, "nothing has shipped");
    clerk.cancel(prepaid, Some("changed her mind".to_owned())).await.unwrap();
    let history = orders.history(prepaid).await.unwrap();
    let changes: Vec<OrderChange> = history.iter().map(|entry| entry.change).collect();
    assert_eq!(changes, [OrderChange::Placed, OrderChange::Paid, OrderChange::Cancelled]);
    let last = history.last().unwrap();
    assert_eq!((&last.actor, last.reason.as_deref()), (&Actor::Staff("Ada".into()), Some("changed her mind")));

    let other = orders.new_order_id();
    orders.place(place(other)).await.unwrap();
    let query = OrderQuery { status: Some(OrderStatus::Placed), ..OrderQuery::default() };
    let listed = orders.list(&query, some(10)).await.unwrap();
    assert_eq!(listed.items.iter().map(|order| order.id).collect::<Vec<_>>(), [other]);
    assert_eq!(kind(orders.begin_payment(other, Duration::ZERO).await), Some(ErrorKind::InvalidInput));
    orders.close().await;
    assert_eq!(kind(orders.cancel(other, None).await), Some(ErrorKind::Closed));
}
